// SPDX-License-Identifier: Apache-2.0
import { parseStrict } from '../../../attest/json.ts';
import { type Signed, tooLongFor, type Waiver } from '../../../engine/people/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import type { Io } from '../../io.ts';
import { oneLine } from '../../report/text.ts';
import { deskOf, gatherAt, SIGNING_FLAGS } from './signing.ts';

const SOON_MS = 14 * 86_400_000;

export const waivers: Verb = {
  name: 'waivers',
  summary: 'Lists the waivers of an environment: in force, expiring, expired, unused, too broad.',
  positionals: '[DECISION…]',
  details:
    'DECISION is what check --format json printed: a waiver that none of them used is unused. A waiver is expiring in its last 14 days, and too broad where its object is every one of a kind in a namespace.',
  flags: {
    env: { value: 'NAME', help: 'the environment' },
    project: SIGNING_FLAGS['project'] ?? { help: '' },
    approvals: {
      value: 'DIR',
      multiple: true,
      help: 'folder of signed statements, beside those of the Project',
    },
    format: { value: 'text|json', help: 'how to print them' },
  },
  run,
};

/** How often each waiver was used, by its id, as far as anybody has looked. */
export type Uses = ReadonlyMap<string, number>;

/** A waiver, and from when on it was asked for: its present approval may be a later one, and the first was used before. */
export interface Asked {
  readonly id: string;
  readonly since: string;
}

interface Listed extends Waiver {
  readonly state: 'in force' | 'expiring' | 'expired' | 'not yet';
  readonly uses?: number;
  readonly isUnused?: boolean;
  /** The severities that it is too long for. */
  readonly tooLongFor: readonly string[];
  readonly isTooBroad: boolean;
}

async function run(args: Args, io: Io): Promise<ExitCode> {
  return listWaivers(args, io, async () =>
    args.positionals.length === 0 ? undefined : countUses(args.positionals.flatMap(usedBy)),
  );
}

/** Each id with how often it is there. */
export function countUses(ids: readonly string[]): Uses {
  const uses = new Map<string, number>();
  for (const id of ids) uses.set(id, (uses.get(id) ?? 0) + 1);
  return uses;
}

/** Lists the waivers of the environment that the flags name; `usesOf` says how often each was used, where that is known. */
export async function listWaivers(
  args: Args,
  io: Io,
  usesOf: (asked: readonly Asked[]) => Promise<Uses | undefined>,
): Promise<ExitCode> {
  const format = args.text('format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json');
  const desk = deskOf(args, io);
  const { standing, signed, notes } = await gatherAt(desk);
  const { longestDays } = standing;
  const uses = await usesOf(askedOf(standing.waivers, signed));
  const listed = [...standing.waivers]
    .sort((a, b) => Date.parse(a.expires) - Date.parse(b.expires) || (a.id < b.id ? -1 : 1))
    .map((waiver) => listedOf(waiver, { uses, longestDays, now: io.now() }));
  io.out(format === 'json' ? `${JSON.stringify(listed, null, 2)}\n` : textOf(listed));
  for (const note of notes) io.err(`note: ${oneLine(note)}\n`);
  return 0;
}

function askedOf(waivers: readonly Waiver[], signed: readonly Signed[]): readonly Asked[] {
  const ids = new Set(waivers.map(({ id }) => id));
  return signed.flatMap((one) =>
    one.kind === 'waiver' && ids.has(one.id)
      ? [{ id: one.id, since: one.statement.predicate.notBefore }]
      : [],
  );
}

interface Listing {
  readonly uses: Uses | undefined;
  readonly longestDays: Parameters<typeof tooLongFor>[1];
  readonly now: Date;
}

function listedOf(waiver: Waiver, { uses, longestDays, now }: Listing): Listed {
  const left = Date.parse(waiver.expires) - now.getTime();
  const begun = now.getTime() >= Date.parse(waiver.notBefore);
  const state = left <= 0 ? 'expired' : !begun ? 'not yet' : left <= SOON_MS ? 'expiring' : 'in force';
  return {
    ...waiver,
    state,
    ...(uses === undefined ? {} : { uses: uses.get(waiver.id) ?? 0 }),
    ...(uses === undefined || state === 'expired' ? {} : { isUnused: !uses.has(waiver.id) }),
    tooLongFor: tooLongFor(waiver, longestDays),
    isTooBroad: waiver.object.endsWith('/*'),
  };
}

/** The waivers that a Decision names, once each. */
function usedBy(file: string): readonly string[] {
  const used = waiversIn(parseStrict(readSource(file).bytes)?.value);
  if (used !== undefined) return used;
  throw new UsageError(`${JSON.stringify(file)} is no Decision`, 'give what check --format json printed');
}

/** The ids that a Decision, or the predicate of its record, names, once each; undefined where it is neither. */
export function waiversIn(decision: unknown): readonly string[] | undefined {
  const findings: unknown = Reflect.get(Object(decision), 'findings');
  if (!Array.isArray(findings)) return undefined;
  const used = findings.flatMap((finding: unknown) => {
    const waiver: unknown = Reflect.get(Object(finding), 'waiver');
    return typeof waiver === 'string' ? [waiver] : [];
  });
  return [...new Set(used)];
}

function textOf(listed: readonly Listed[]): string {
  const lines = listed.flatMap((one) => {
    const marks = [
      one.state,
      ...(one.isUnused === true ? ['unused'] : []),
      ...(one.isTooBroad ? ['too broad'] : []),
    ];
    const uses = one.uses === undefined ? '' : `, used by ${one.uses} decision${one.uses === 1 ? '' : 's'}`;
    return [
      `${marks.join(', ')}: ${oneLine(one.rule)} for ${oneLine(one.object)}, until ${one.expires}`,
      `    ${oneLine(one.ticket)}, asked for by ${one.requester}, approved by ${one.approver}: ${oneLine(one.reason)}`,
      `    sha256:${one.id}${uses}`,
    ];
  });
  const count = `${listed.length} ${listed.length === 1 ? 'waiver' : 'waivers'}`;
  return `${[...lines, count].join('\n')}\n`;
}
