// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Corpus, writeCorpus } from './corpus/write.ts';
import { differences, type Finding, ourFindings, theirFindings } from './findings.ts';
import { type Command, peakMemory, type Timing, time } from './measure.ts';
import type { Peers } from './peers.ts';
import { ratioOf, spreadOf, spreadText, tableText } from './statistics.ts';

const LAUNCHER = join(import.meta.dirname, '..', '..', 'cli', 'launcher.cjs');
const RULES = join(import.meta.dirname, 'rules');

/** What the issue that this benchmark was written for asks of us: time against Conftest's, and memory. */
const TARGETS: ReadonlyMap<number, string> = new Map([
  [10, '2.5'],
  [1000, '0.8'],
  [10_000, '0.8, memory 1.0'],
]);

interface Side {
  readonly name: 'conftest' | 'countersign';
  readonly command: Command;
  readonly timings: Timing[];
}

/** One row of the table for each size. Throws when the two sides find different things. */
export async function benchCheck(o: {
  readonly peers: Peers;
  readonly sizes: readonly number[];
  readonly runs: number;
  readonly directory: string;
  readonly print: (line: string) => void;
}): Promise<string> {
  const rows: string[][] = [['objects', 'side', 'time s', 'ratio', 'target', 'CPU s', 'memory MiB']];
  for (const size of o.sizes) {
    const directory = join(o.directory, `check-${size}`);
    // Apart from where the processes run: Conftest would take a conftest.json there for its settings.
    mkdirSync(join(directory, 'output'), { recursive: true });
    const corpus = writeCorpus(join(directory, 'input'), size);
    o.print(describe(corpus));
    const sides = sidesOf(o.peers, directory, join(o.directory, 'cache'));
    o.print(await compare(sides));
    for (let run = 1; run <= o.runs; run += 1) {
      for (const side of sides) side.timings.push(await time(side.command));
      o.print(
        `  run ${run}: ${sides.map((side) => `${side.name} ${side.timings.at(-1)?.wallS} s`).join(', ')}`,
      );
    }
    rows.push(...(await rowsOf(size, sides)));
  }
  return tableText(rows);
}

const describe = ({ objects, files, bytes }: Corpus): string =>
  `check: ${objects} objects in ${files} files, ${(bytes / objects / 1000).toFixed(1)} kB each`;

/** The cache is outside of the folder that is worked in: inside of it none is used. */
function sidesOf(peers: Peers, directory: string, cache: string): readonly [Side, Side] {
  const conftest = {
    program: peers.conftest,
    args: ['test', '--policy', RULES, '--output', 'json', 'input'],
    cwd: directory,
    output: join(directory, 'output', 'theirs.json'),
  };
  const countersign = {
    program: process.execPath,
    args: [LAUNCHER, 'check', '--policy', RULES, '--format', 'json', 'input'],
    cwd: directory,
    env: { XDG_CACHE_HOME: cache },
    output: join(directory, 'output', 'ours.json'),
  };
  return [
    { name: 'conftest', command: conftest, timings: [] },
    { name: 'countersign', command: countersign, timings: [] },
  ];
}

/** The run that warms the caches, and the proof that both sides do the same work. */
async function compare([conftest, countersign]: readonly [Side, Side]): Promise<string> {
  for (const side of [conftest, countersign]) {
    const { exitCode } = await time(side.command);
    // Both say no with 1, and both say other things with it when they fail; then nothing is on stdout.
    if (exitCode > 1 || readFileSync(side.command.output, 'utf8') === '')
      throw new Error(
        `${side.name} (exit ${exitCode}): ${readFileSync(`${side.command.output}.stderr`, 'utf8')}`,
      );
  }
  const theirs = theirFindings(readFileSync(conftest.command.output, 'utf8'));
  const ours = ourFindings(readFileSync(countersign.command.output, 'utf8'));
  const { missing, extra } = differences(theirs, ours);
  if (missing.length + extra.length > 0) {
    const list = (what: string, findings: readonly Finding[]): string =>
      `${findings.length} ${what}\n${findings
        .slice(0, 5)
        .map((finding) => `  ${finding}\n`)
        .join('')}`;
    throw new Error(
      `the findings differ: ${list('only of Conftest', missing)}${list('only of Countersign', extra)}`,
    );
  }
  return `  the same ${theirs.length} findings on both sides`;
}

async function rowsOf(size: number, sides: readonly [Side, Side]): Promise<string[][]> {
  const [theirs, ours] = sides;
  const wall = (side: Side): number[] => side.timings.map((timing) => timing.wallS);
  const memories = [await peakMemory(theirs.command), await peakMemory(ours.command)];
  return sides.map((side, index) => [
    String(size),
    side.name,
    spreadText(spreadOf(wall(side)), 3),
    side === ours ? spreadText(ratioOf(wall(ours), wall(theirs)), 2) : '',
    side === ours ? `≤ ${TARGETS.get(size) ?? '-'}` : '',
    spreadOf(side.timings.map((timing) => timing.cpuS)).median.toFixed(3),
    memories[index]?.toFixed(0) ?? 'unknown',
  ]);
}
