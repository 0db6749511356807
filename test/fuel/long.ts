// SPDX-License-Identifier: Apache-2.0
//
// A million evaluations in one process, with refusals, limits passed, larger inputs and changes of data between them:
//   npm run test:long
// Memory after each hundred thousand must stay within 10 % of what it was after the first. Exit code 0 or 1.
import { loadRego, type RegoProgram } from '../../engine/rego/index.ts';
import { compileBenchRules, DATA, ENTRYPOINT, inputs } from './work.ts';

const EVALUATIONS = 1_000_000;
const PART = 100_000;
const GROWTH = 1.1;
/** Of what is small anyway: a buffer or two that the collector has not come by yet. */
const SLACK_BYTES = 4 * 1024 * 1024;
const MIB = 1024 * 1024;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface Held {
  readonly rss: number;
  readonly heap: number;
  /** Of typed arrays, and so of WebAssembly's memories. */
  readonly arrays: number;
}

function held(): Held {
  globalThis.gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss, heap: heapUsed, arrays: arrayBuffers };
}

const failed = (run: () => unknown): boolean => {
  try {
    run();
    return false;
  } catch {
    return true;
  }
};

/** What else happens in a server's life. Each must fail or not, as it should; anything else ends the run. */
function incident(program: RegoProgram, round: number, limited: RegoProgram, all: readonly Buffer[]): void {
  const large = Buffer.from(JSON.stringify({ kind: 'Service', pad: 'x'.repeat(100_000) }));
  const name = `n${round % 20}`;
  const other = all[round % all.length] ?? Buffer.from('{}');
  const outcomes = [
    failed(() => program.evaluate(ENTRYPOINT, Buffer.from('{"kind":'))),
    failed(() => limited.evaluate(ENTRYPOINT, other)),
    !failed(() => program.evaluate(ENTRYPOINT, large)),
    !failed(() => program.setData(['inventory', name], other)),
    !failed(() => program.removeData(['inventory', `n${(round * 7) % 20}`])),
    !failed(() => program.evaluate(ENTRYPOINT, other)),
  ];
  if (outcomes.includes(false)) throw new Error(`round ${round}: ${outcomes.join(' ')}`);
}

async function main(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('run it with --expose-gc');
  const wasm = await compileBenchRules();
  const program = loadRego(wasm, { data: DATA });
  const limited = loadRego(wasm, { data: DATA, limits: { steps: 50_000, stepsPerByte: 0 } });
  const all = inputs();
  // The quick half of a quick lot: what is looked at is what stays, not what is computed.
  const cost = (input: Buffer): number => Number(program.evaluate(ENTRYPOINT, input).fuelUsed);
  const quick = all.toSorted((a, b) => cost(a) - cost(b)).slice(0, 40);
  const expected = quick.map((input) => JSON.stringify(program.evaluate(ENTRYPOINT, input).value));
  const marks: Held[] = [];
  for (let round = 0; round < EVALUATIONS; round++) {
    const at = round % quick.length;
    const { value } = program.evaluate(ENTRYPOINT, quick[at] ?? Buffer.alloc(0));
    if (round % 1_000 === 0) {
      if (JSON.stringify(value) !== expected[at]) throw new Error(`round ${round}: another answer`);
      incident(program, round / 1_000, limited, all);
    }
    if ((round + 1) % PART === 0) marks.push(report(round + 1));
  }
  return verdict(marks);
}

function report(evaluations: number): Held {
  const mark = held();
  const [rss, heap, arrays] = [mark.rss, mark.heap, mark.arrays].map((bytes) => (bytes / MIB).toFixed(1));
  print(`${evaluations} evaluations: ${rss} MiB resident, ${heap} MiB of heap, ${arrays} MiB of arrays`);
  return mark;
}

function verdict(marks: readonly Held[]): number {
  const [first] = marks;
  if (first === undefined || marks.length !== EVALUATIONS / PART)
    throw new Error('it did not run to its end');
  const most = (of: (mark: Held) => number): number => Math.max(...marks.map(of));
  const all: readonly ((mark: Held) => number)[] = [
    ({ rss }) => rss,
    ({ heap }) => heap,
    ({ arrays }) => arrays,
  ];
  print(`most against the first: ${all.map((of) => (most(of) / of(first)).toFixed(3)).join(', ')}`);
  const isFlat = all.every((of) => most(of) <= Math.max(GROWTH * of(first), of(first) + SLACK_BYTES));
  print(isFlat ? 'ok: memory is flat within 10 %' : 'FAILED: memory grows');
  return isFlat ? 0 : 1;
}

process.exitCode = await main();
