// SPDX-License-Identifier: Apache-2.0
import { parseStrict } from '../../../attest/json.ts';
import type { Waiver } from '../../../engine/people/index.ts';
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

interface Listed extends Waiver {
  readonly state: 'in force' | 'expiring' | 'expired' | 'not yet';
  readonly isUnused?: boolean;
  readonly isTooBroad: boolean;
}

async function run(args: Args, io: Io): Promise<ExitCode> {
  const format = args.text('format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json');
  const desk = deskOf(args, io);
  const { standing, notes } = await gatherAt(desk);
  const used = args.positionals.length === 0 ? undefined : new Set(args.positionals.flatMap(usedBy));
  const listed = [...standing.waivers]
    .sort((a, b) => Date.parse(a.expires) - Date.parse(b.expires) || (a.id < b.id ? -1 : 1))
    .map((waiver) => listedOf(waiver, used, io.now()));
  io.out(format === 'json' ? `${JSON.stringify(listed, null, 2)}\n` : textOf(listed));
  for (const note of notes) io.err(`note: ${oneLine(note)}\n`);
  return 0;
}

function listedOf(waiver: Waiver, used: ReadonlySet<string> | undefined, now: Date): Listed {
  const left = Date.parse(waiver.expires) - now.getTime();
  const begun = now.getTime() >= Date.parse(waiver.notBefore);
  const state = left <= 0 ? 'expired' : !begun ? 'not yet' : left <= SOON_MS ? 'expiring' : 'in force';
  return {
    ...waiver,
    state,
    ...(used === undefined || state === 'expired' ? {} : { isUnused: !used.has(waiver.id) }),
    isTooBroad: waiver.object.endsWith('/*'),
  };
}

/** The waivers that a Decision names. */
function usedBy(file: string): readonly string[] {
  const decision = parseStrict(readSource(file).bytes)?.value;
  const findings: unknown = Reflect.get(Object(decision), 'findings');
  if (!Array.isArray(findings))
    throw new UsageError(`${JSON.stringify(file)} is no Decision`, 'give what check --format json printed');
  return findings.flatMap((finding: unknown) => {
    const waiver: unknown = Reflect.get(Object(finding), 'waiver');
    return typeof waiver === 'string' ? [waiver] : [];
  });
}

function textOf(listed: readonly Listed[]): string {
  const lines = listed.flatMap((one) => {
    const marks = [
      one.state,
      ...(one.isUnused === true ? ['unused'] : []),
      ...(one.isTooBroad ? ['too broad'] : []),
    ];
    return [
      `${marks.join(', ')}: ${oneLine(one.rule)} for ${oneLine(one.object)}, until ${one.expires}`,
      `    ${oneLine(one.ticket)}, asked for by ${one.requester}, approved by ${one.approver}: ${oneLine(one.reason)}`,
      `    sha256:${one.id}`,
    ];
  });
  const count = `${listed.length} ${listed.length === 1 ? 'waiver' : 'waivers'}`;
  return `${[...lines, count].join('\n')}\n`;
}
