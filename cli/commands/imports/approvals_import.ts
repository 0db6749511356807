// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import type { ForgeApproval, ForgeReading } from '../../../attest/forge/index.ts';
import { DEFAULT_IMPORT_HOURS, personOfIdentity } from '../../../engine/context/people.ts';
import { authorsOf, type Imported, sourceOf, takenBackBy, typeOf } from '../../../engine/people/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { oneLine } from '../../report/text.ts';
import { PASSWORD_FLAG } from '../../signing/flags.ts';
import { kindOfFile } from '../people/approve.ts';
import { type ShownSet, setOfManifests, setOfRecord } from '../people/set.ts';
import { type Desk, deskOf, endOf, SIGNING_FLAGS, shown, signAndWrite, wanted } from '../people/signing.ts';
import { gatherFor, statementsFolder } from '../people/standing.ts';
import { ASKING_FLAGS, type AskedChange, askForge, changeAsked } from './asking.ts';

export const approvalsImport: Verb = {
  name: 'approvals import',
  summary:
    'Signs what GitLab or GitHub knows of who approved a change: weaker than what people sign themselves.',
  positionals: 'PATH…|RECORD',
  details: [
    'PATH is manifests, as check takes them; RECORD a decision record. A forge knows a number and a commit, and nothing of the objects: that',
    'they are of --commit is said by who imports. It counts for rules that say so (imported), for some hours, never beside the same',
    "person's own signature, and never for who opened the change or set it going, nor on GitHub for the author or committer of a commit",
    'whom GitHub knows; GitLab does not say who committed. What was imported before and stands no longer there is taken back.',
    'Exit code: 0 something was signed; 1 no approval stands, or not of that commit; 5 the forge gives no answer.',
  ].join('\n'),
  flags: {
    ...ASKING_FLAGS,
    commit: {
      value: 'SHA',
      help: 'the commit that the objects are rendered from: the head there, or what it was merged as',
    },
    role: {
      value: 'ROLE',
      help: 'of the rule that they are to count for (default: the one that accepts them)',
    },
    expires: {
      value: 'TIME',
      help: 'until when they may be used (default and most: longestHours of the rule)',
    },
    env: SIGNING_FLAGS['env'] ?? { help: '' },
    key: { value: 'FILE|URI', help: 'private key that the Project trusts for import, or one in a KMS' },
    ...PASSWORD_FLAG,
    project: SIGNING_FLAGS['project'] ?? { help: '' },
    into: { value: 'DIR', help: "where to write them (default: the Project's folder of statements)" },
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [path] = args.positionals;
  if (path === undefined)
    throw new UsageError(
      'nothing is named',
      'countersign approvals import PATH… --merge-request 42 --commit SHA',
    );
  wanted(args, 'key');
  const commit = commitAsked(args);
  const desk = deskOf(args, io);
  const out = outOf(desk);
  const change = changeAsked(desk);
  const expires = endAsked(change, desk);
  const reading = await askForge(change, desk);
  for (const skipped of reading.skipped) io.err(`note: ${oneLine(skipped)}\n`);
  const importing = { change, reading, desk, out };
  await takeBack(importing);
  const refusal = faultOf(importing, commit);
  if (refusal !== undefined) {
    io.err(`countersign: ${refusal}\n`);
    return 1;
  }
  const standing = reading.approvals.filter((one) => mayCount(one, importing));
  if (standing.length === 0) {
    io.err(`countersign: no approval of ${change.via} ${change.number} stands that could count\n`);
    return 1;
  }
  const set = await setAsked(path, desk);
  if (typeof set === 'string' || set.verdict === 'error') {
    io.err(
      `countersign: ${typeof set === 'string' ? set : 'it could not be evaluated, so nothing is signed'}\n`,
    );
    return typeof set === 'string' ? 1 : 4;
  }
  const able = await withoutTakenBack(standing, set.digest, importing);
  if (able.length === 0) {
    io.err(`countersign: each approval of ${change.via} ${change.number} was taken back here\n`);
    return 1;
  }
  for (const approval of able) await sign(approval, { ...importing, set, expires });
  io.err(`note: they bind ${change.via} ${change.number} at ${reading.commit}, and not these objects\n`);
  return 0;
}

function commitAsked(args: Args): string {
  const commit = wanted(args, 'commit').toLowerCase();
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return commit;
  throw new UsageError(`--commit ${JSON.stringify(commit)} is no whole commit id`, 'git rev-parse HEAD');
}

/** The desk that writes its statements to --into. @throws {UsageError} where there is no folder for them */
function outOf(desk: Desk): Desk {
  const into = desk.args.text('into');
  if (into === undefined) {
    if (statementsFolder(desk.found) !== undefined) return desk;
    throw new UsageError(
      'the Project names no folder of statements',
      'say where to write them with --into DIR',
    );
  }
  const { project } = desk.found;
  return {
    ...desk,
    found: { project: { ...project, statements: { directory: '.' } }, directory: resolve(into) },
  };
}

function endAsked({ rule }: AskedChange, { args, io }: Desk): string {
  const hours = rule.longestHours ?? DEFAULT_IMPORT_HOURS;
  const now = io.now();
  const end = endOf('expires', args.text('expires') ?? `${hours}h`, now);
  if (Date.parse(end) - now.getTime() <= hours * 3_600_000) return end;
  throw new UsageError(`--expires is later than in ${hours} hours`, 'import them again when they have ended');
}

/** Why nothing of it is about the commit or the environment that is meant. */
function faultOf({ change, reading, desk }: Importing, commit: string): string | undefined {
  const { via, number, rule } = change;
  if (reading.commit !== commit && !reading.merged.includes(commit))
    return `${via} ${number} is at commit ${reading.commit}, and not at ${commit}`;
  const wanted = rule.environment ?? desk.environment.name;
  return reading.environment === undefined || reading.environment === wanted
    ? undefined
    : `${via} ${number} is to environment ${shown(reading.environment)}, and not to ${shown(wanted)}`;
}

interface Importing {
  readonly change: AskedChange;
  readonly reading: ForgeReading;
  readonly desk: Desk;
  /** The same, for what is written. */
  readonly out: Desk;
}

/** Who is none of the people, or wrote it, is said to be; the rest is for whoever counts. */
function mayCount({ user }: ForgeApproval, importing: Importing): boolean {
  const { change, reading, desk } = importing;
  const people = desk.found.project.people ?? [];
  const person = personOfIdentity(people, { issuer: change.forge.issuer, subject: user.subject });
  const why =
    person === undefined
      ? `number ${user.subject} of ${change.forge.issuer} is none of the people`
      : authorsOf({ issuer: change.forge.issuer, authors: reading.authors }, people).includes(person.name)
        ? 'wrote it or set it going'
        : undefined;
  if (why !== undefined) desk.io.err(`note: ${oneLine(`${user.name}: ${why}`)}\n`);
  return why === undefined;
}

/** What people took back here, and was not given again there since, is not signed once more. */
async function withoutTakenBack(
  approvals: readonly ForgeApproval[],
  digest: string,
  { change, reading, desk }: Importing,
): Promise<readonly ForgeApproval[]> {
  const isTakenBack = takenBackBy((await gatheredHere(desk)).signed);
  return approvals.filter((approval) => {
    const { issuer } = change.forge;
    const identity = { issuer, subject: approval.user.subject };
    const person = personOfIdentity(desk.found.project.people ?? [], identity)?.name ?? '';
    const isGone = isTakenBack(importedOf(approval, { change, reading }), { person, digest });
    if (isGone)
      desk.io.err(`note: ${oneLine(approval.user.name)}: was taken back here, and not given since\n`);
    return !isGone;
  });
}

const gatheredHere = ({ found, environment, io, args }: Desk): ReturnType<typeof gatherFor> =>
  gatherFor({ found, environment, folders: args.list('into'), now: io.now() });

async function setAsked(path: string, desk: Desk): Promise<ShownSet | string> {
  const kind = desk.args.positionals.length === 1 ? kindOfFile(path) : 'manifests';
  if (kind === 'statement')
    throw new UsageError(
      `${JSON.stringify(path)} is a statement`,
      'what somebody signed is approved by signing',
    );
  return kind === 'record' ? setOfRecord(path, desk) : setOfManifests(desk);
}

const importedOf = (
  user: ForgeApproval,
  { change, reading }: Pick<Importing, 'change' | 'reading'>,
): Imported => ({
  issuer: change.forge.issuer,
  project: change.rule.project,
  via: change.via,
  number: change.number,
  ...(reading.environment === undefined ? {} : { environment: reading.environment }),
  ...(reading.target === undefined ? {} : { target: reading.target }),
  commit: reading.commit,
  approver: user.user,
  authors: reading.authors,
  ...(user.at === undefined ? {} : { approvedAt: user.at }),
});

async function sign(
  approval: ForgeApproval,
  { set, expires, ...importing }: Importing & { readonly set: ShownSet; readonly expires: string },
): Promise<void> {
  const { change, desk, out } = importing;
  const { file, signed } = await signAndWrite(
    {
      kind: 'approval',
      subject: [{ name: 'set.txt', digest: { sha256: set.digest } }],
      predicate: {
        environment: desk.environment.name,
        role: change.role,
        projectDigest: { sha256: desk.found.project.digest },
        time: desk.io.now().toISOString(),
        expires,
        imported: importedOf(approval, importing),
      },
    },
    out,
  );
  desk.io.out(
    `${file}: ${signed.person} approved ${change.via} ${change.number} (${oneLine(approval.user.name)}), until ${expires}\n`,
  );
}

/** What was imported of the same change and does not stand there any more counts no longer, wherever a copy of it is. */
async function takeBack({ change, reading, desk, out }: Importing): Promise<void> {
  const { environment, io } = desk;
  const { standing } = await gatheredHere(desk);
  const source = sourceOf({
    issuer: change.forge.issuer,
    project: change.rule.project,
    via: change.via,
    number: change.number,
  });
  const stands = new Set(reading.approvals.map(({ user }) => user.subject));
  for (const { id, imported, isRevoked, expires, person } of standing.approvals?.given ?? []) {
    if (imported === undefined || isRevoked === true || sourceOf(imported) !== source) continue;
    if (Date.parse(expires) <= io.now().getTime()) continue;
    if (imported.commit === reading.commit && stands.has(imported.approver.subject)) continue;
    const { file } = await signAndWrite(
      {
        kind: 'revocation',
        subject: [{ name: 'approval', digest: { sha256: id } }],
        predicate: {
          environment: environment.name,
          statementType: typeOf('approval'),
          reason: `it does not stand any more at ${change.via} ${change.number}`,
          time: io.now().toISOString(),
        },
      },
      out,
    );
    io.out(`${file}: that of ${person} is taken back\n`);
  }
}
