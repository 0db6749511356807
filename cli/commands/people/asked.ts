// SPDX-License-Identifier: Apache-2.0
import type { Change } from '../../../engine/change.ts';
import type { Environment } from '../../../engine/context/project.ts';
import type { Decision, Judgement } from '../../../engine/index.ts';
import { type Asked, brokenGlass, reviewsOf, type Standing } from '../../../engine/people/index.ts';
import type { Args } from '../../args.ts';
import type { Io } from '../../io.ts';
import { oneLine } from '../../report/text.ts';
import { keyRequest } from '../../signing/flags.ts';
import { openKey } from '../../signing/key.ts';
import { askedBy, type Found, gatherFor, withoutRecord } from './standing.ts';

/** What a check is made with besides rules: what people have signed, and who asks. */
export interface PeopleAsked {
  readonly bench: { readonly standing?: Standing };
  readonly change: Pick<Change, 'asked'>;
  /** Says on stderr what a person has to know of it, whatever the report. */
  readonly announce: (judged: Judged) => void;
}

/** What was judged. */
type Judged = Pick<Judgement, 'decision' | 'approvalRule'>;

interface Question {
  readonly args: Args;
  readonly io: Io;
  readonly found: Found | undefined;
  readonly environment: Environment | undefined;
  readonly isRecorded: boolean;
  /** What id tokens prove. */
  readonly tokens: Pick<Change, 'oidc'>;
}

/**
 * Reads what people have signed for an environment.
 * @throws {AttestError} TRUST_SHAPE | KEY_UNREADABLE | KEY_KIND @throws {EngineError} INPUT_UNREADABLE | INPUT_TOO_LARGE
 */
export async function askPeople(question: Question): Promise<PeopleAsked> {
  const { args, io, found, environment, isRecorded } = question;
  if (found === undefined || environment === undefined)
    return { bench: {}, change: {}, announce: () => undefined };
  const now = io.now();
  const { standing, signed, notes } = await gatherFor({
    found,
    environment,
    folders: args.list('approvals'),
    now,
  });
  for (const note of notes) io.err(`note: ${oneLine(note)}\n`);
  for (const { incident, by, due } of reviewsOf(signed, environment, now).filter(
    ({ state }) => state === 'overdue',
  ))
    io.err(
      `warning: the review of break-glass ${oneLine(JSON.stringify(incident))} by ${by} is overdue since ${due}\nhint: countersign approve FILE, by somebody else\n`,
    );
  return {
    bench: { standing: isRecorded ? standing : withoutRecord(standing) },
    change: environment.approvals === undefined ? {} : { asked: await whoAsks(question, found) },
    announce: ({ decision, approvalRule }) => {
      sayImported(standing, approvalRule, io);
      sayBroken(standing, { decision, environment, isRecorded }, io);
    },
  };
}

async function whoAsks({ args, io, isRecorded, tokens }: Question, found: Found): Promise<Asked> {
  const requester = args.text('requester');
  const keyId = isRecorded ? (await openKey(keyRequest(args), io)).signer.keyId : undefined;
  return askedBy(found, {
    authors: args.list('author'),
    tokens: tokens.oidc ?? [],
    ...(keyId === undefined ? {} : { keyId }),
    ...(requester === undefined ? {} : { requester }),
  });
}

/** Whoever reads that somebody approved it is told where nobody approved these objects. */
function sayImported({ approvals }: Standing, rule: Judged['approvalRule'], io: Io): void {
  const counted = new Set(rule?.got.map(({ digest }) => digest));
  for (const { id, person, imported } of approvals?.given ?? [])
    if (imported !== undefined && counted.has(id))
      io.err(
        `note: that of ${person} is imported: it binds ${imported.via} ${imported.number} at ${imported.commit}, and not these objects\n`,
      );
}

/** A broken glass is never quiet: that it let something through, or that it would have. */
function sayBroken(
  { breakGlass }: Standing,
  about: { readonly decision: Decision; readonly environment: Environment; readonly isRecorded: boolean },
  io: Io,
): void {
  const { decision, environment, isRecorded } = about;
  const time = new Date(decision.time);
  const broken = brokenGlass(breakGlass, { environment: environment.name, time });
  if (broken === undefined) return;
  const what = `break-glass ${JSON.stringify(broken.incident)} by ${broken.people.join(', ')} for ${JSON.stringify(environment.name)}, until ${broken.until}`;
  if (!isRecorded) {
    io.err(`note: ${oneLine(what)}: it counts only for a decision that is recorded (--record)\n`);
    return;
  }
  const count = decision.findings.filter(
    ({ waiver, result }) => waiver !== undefined && result === 'warn',
  ).length;
  if (decision.basis === 'break-glass')
    io.err(`warning: ${oneLine(what)}: ${count} ${count === 1 ? 'denial goes' : 'denials go'} through\n`);
}
