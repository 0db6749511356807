// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../../../../engine/index.ts';
import { openYamlReader } from '../../../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../../../args.ts';
import { type ExitCode, UsageError } from '../../../exit.ts';
import { writeWhole } from '../../../files.ts';
import { findInstallation } from '../../../installation.ts';
import type { Io } from '../../../io.ts';
import { ledgerPlace } from '../../../ledger/place.ts';
import { findProject } from '../../../loading/project.ts';
import { visible } from '../../../report/text.ts';
import { LEDGER_FLAGS } from '../../records/place.ts';
import { givenBy } from '../given.ts';
import { checksOf, timeFlagOf } from '../held.ts';
import { type Recorded, recordedBetween, type Span, spanOf } from '../recorded.ts';
import { admittedAfter, code, pageOf } from './page.ts';
import { draw, isMeant, type Reconciled, reconcile } from './population.ts';
import { keyFileOf, type OutFile, recordFiles, trustFiles } from './proofs.ts';
import { waivedLine } from './waived.ts';

export const reportSample: Verb = {
  name: 'report sample',
  summary: 'Draws a sample of allowed changes for an auditor: a page each, its record, and how to verify it.',
  positionals: '',
  details: [
    'Drawn are the records whose SHA-256 of SEED:ID is least, so that whoever names the seed cannot choose, and anyone draws the same.',
    'Exit code: 0 every record of the sample holds and the lists agree; 1 one does not, or they differ; 3 there is nothing to draw from.',
  ].join('\n'),
  flags: {
    env: { value: 'PATTERN', help: "environments by name, * for any characters: 'production/*'" },
    from: { value: 'DATE', help: 'changes decided from then on (2026-11-24, or a time in UTC)' },
    to: { value: 'DATE', help: 'up to then, which is left out (default now)' },
    count: { value: 'N', short: 'n', help: 'how many are drawn (default 25)' },
    seed: { value: 'TEXT', help: 'what the draw follows from' },
    changes: {
      value: 'FILE',
      help: 'a list of changes to compare the population with: JSON lines or CSV with record or setDigest, or a Kubernetes audit log',
    },
    trust: {
      value: 'FILE',
      help: "the keys and logs that you trust (default the Project's where it names logs, else trust.json of the state folder with the Project's keys)",
    },
    ...LEDGER_FLAGS,
    out: { value: 'DIR', help: 'folder that is made for the pages' },
  },
  run,
};

/** What was asked for, read. */
interface Asked {
  readonly pattern: string;
  readonly span: Span;
  readonly count: number;
  readonly seed: string;
  readonly out: string;
}

async function run(args: Args, io: Io): Promise<ExitCode> {
  const asked = askedBy(args, io);
  const found = findProject(args.text('project'), openYamlReader(findInstallation().toolchain));
  const place = ledgerPlace(args, found);
  const given = givenBy(args, { found, state: place.state, now: io.now() });
  // What was decided in the span may have been admitted after it.
  const untilNow = { from: asked.span.from, to: new Date(io.now().getTime() + 1) };
  const all = await recordedBetween(place, untilNow, given);
  const within = all.filter(
    ({ decision }) =>
      Date.parse(decision.time) < asked.span.to.getTime() &&
      isMeant(asked.pattern, decision.scope.environment),
  );
  const population = within.filter(({ decision }) => decision.verdict === 'allow');
  if (population.length === 0)
    throw new EngineError('INPUT_EMPTY', 'there is no allowed change to draw from', {
      hint: 'name another span of time, or other environments',
    });
  const list = args.text('changes');
  const reconciled = list === undefined ? undefined : reconcile(population, list);
  const drawn = draw(population, asked.count, asked.seed).map((record) => ({
    record,
    checks: checksOf(record, given),
  }));
  const files = drawn.flatMap(({ record, checks }) => {
    const folder = join('changes', record.decision.id);
    const page = pageOf(record, checks, {
      admitted: admittedAfter(record, all),
      key: keyFileOf(record, given),
      time: timeFlagOf(record, given),
    });
    return [{ path: join(folder, 'page.md'), text: page }, ...recordFiles(folder, record)];
  });
  const failing = drawn
    .filter(({ checks }) => checks.some(({ holds }) => !holds))
    .map(({ record }) => record);
  const index = indexPage({
    asked,
    within,
    population,
    drawn: drawn.map(({ record }) => record),
    failing,
    reconciled,
  });
  writeAll(asked.out, [{ path: 'index.md', text: index }, ...files, ...trustFiles(given)]);
  return tell({ asked, population, drawn: drawn.length, failing, reconciled }, io);
}

function askedBy(args: Args, io: Io): Asked {
  const [pattern, seed, out] = [args.text('env'), args.text('seed'), args.text('out')];
  if (args.positionals.length > 0 || pattern === undefined || seed === undefined || out === undefined)
    throw new UsageError(
      '--env, --from, --seed and --out are wanted',
      "countersign report sample --env 'production/*' --from 2026-01-01 --seed S --out DIR",
    );
  const text = args.text('count') ?? '25';
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw new UsageError(`--count ${JSON.stringify(text)} is no number of changes`, 'such as 25');
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new UsageError(`${JSON.stringify(out)} is not empty`, 'name a folder that is made for the sample');
  return { pattern, seed, out, span: spanOf(args, io), count: Number(text) };
}

interface Summary {
  readonly asked: Asked;
  readonly within: readonly Recorded[];
  readonly population: readonly Recorded[];
  readonly drawn: readonly Recorded[];
  readonly failing: readonly Recorded[];
  readonly reconciled: Reconciled | undefined;
}

function indexPage({ asked, within, population, drawn, failing, reconciled }: Summary): string {
  const { pattern, span, seed, count } = asked;
  const bad = new Set(failing);
  return `${[
    `# Sample of changes`,
    '',
    `- environments: ${code(pattern)}; from ${span.from.toISOString()} up to ${span.to.toISOString()}`,
    `- ${within.length} decisions, ${population.length} of them allowed: these are the population`,
    `- ${waivedLine(population)}`,
    `- drawn: ${drawn.length} of ${count} asked for, by the least SHA-256 of ${code(`${seed}:ID`)}`,
    '',
    '| change | decided | environment | proof |',
    '| --- | --- | --- | --- |',
    ...drawn.map((record) => {
      const { id, time, scope } = record.decision;
      return `| [${id}](changes/${id}/page.md) | ${time} | ${code(scope.environment ?? '')} | ${bad.has(record) ? '**does not hold**' : 'holds'} |`;
    }),
    '',
    '## The population and the list of changes',
    '',
    ...reconciledLines(reconciled),
  ].join('\n')}\n`;
}

function reconciledLines(reconciled: Reconciled | undefined): readonly string[] {
  if (reconciled === undefined)
    return ['No list was given: whether every change has a record was not looked at.'];
  const { listed, unrecorded, incomparable, unlisted } = reconciled;
  return [
    `${listed} changes listed: ${unrecorded.length} without a record, ${incomparable.length} that cannot be compared; ${unlisted.length} records are not listed.`,
    '',
    ...unrecorded.map((line) => `- no record: ${code(line)}`),
    ...incomparable.map((line) => `- cannot be compared: ${code(line)}`),
    ...unlisted.map((id) => `- not listed: ${id}`),
  ];
}

function writeAll(folder: string, files: readonly OutFile[]): void {
  for (const { path, text } of files) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeWhole(join(folder, path), text);
  }
}

function tell(
  {
    asked,
    population,
    drawn,
    failing,
    reconciled,
  }: Omit<Summary, 'within' | 'drawn'> & { readonly drawn: number },
  io: Io,
): ExitCode {
  const differences =
    reconciled === undefined
      ? 0
      : reconciled.unrecorded.length + reconciled.incomparable.length + reconciled.unlisted.length;
  io.out(`${visible(join(asked.out, 'index.md'))}: ${drawn} of ${population.length} changes\n`);
  for (const { decision } of failing) io.err(`no  ${decision.id} does not hold: see its page\n`);
  if (differences > 0) io.err(`no  the population and the list differ ${differences} times: see the index\n`);
  return failing.length + differences > 0 ? 1 : 0;
}
