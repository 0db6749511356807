// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { loadRego, type RegoProgram, type RegoValue } from '../../engine/rego/index.ts';
import { compileEvil, EVIL, EVIL_DATA, EVIL_INPUT, openServer } from '../engine/rego/evil/policies.ts';
import { compileBenchRules, DATA, ENTRYPOINT } from '../fuel/work.ts';
import { corpusObjects } from './corpus/write.ts';
import { quantile, ratioOf, spreadOf, spreadText, tableText } from './statistics.ts';

/** The part of OPA's SDK that is used; its own types name exports that its module does not have. */
interface Sdk {
  loadPolicy(wasm: ArrayBuffer): Promise<{
    setData(data: unknown): void;
    evaluate(input: ArrayBuffer, entrypoint: string): unknown;
  }>;
}
const sdk: Sdk = createRequire(import.meta.url)('@open-policy-agent/opa-wasm');

const OBJECTS = 1_000;
const INVENTORY = 10_000;
const CHANGES = 2_000;
const MS_PER_S = 1_000;

/** CPU time of this process so far, all threads, in microseconds: the machine may be busy with other things. */
const cpuUs = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Evaluation with limits against OPA's SDK without, how long evil policies take to be stopped, and changes of data in place. */
export async function benchEvaluate(o: {
  readonly runs: number;
  readonly print: (line: string) => void;
}): Promise<string> {
  const wasm = await compileBenchRules();
  const inputs = corpusObjects(OBJECTS).map((object) => Buffer.from(JSON.stringify(object)));
  const tables = [await against(wasm, inputs, o), await evil(o.print), changes(wasm, inputs)];
  return tables.join('\n');
}

async function against(
  wasm: Uint8Array,
  inputs: readonly Buffer[],
  { runs, print }: { readonly runs: number; readonly print: (line: string) => void },
): Promise<string> {
  const ours = loadRego(wasm, { data: DATA });
  const theirs = await sdk.loadPolicy(Uint8Array.from(wasm).buffer);
  theirs.setData(JSON.parse(DATA.toString()));
  const ask = (input: Buffer): unknown => theirs.evaluate(Uint8Array.from(input).buffer, ENTRYPOINT);
  for (const input of inputs) requireSame(ours.evaluate(ENTRYPOINT, input).value, ask(input));
  print(`evaluate: both give the same for ${inputs.length} objects`);
  const sides = [
    { name: 'opa-wasm, no limits', run: ask, us: [] as number[] },
    {
      name: 'countersign, limits on',
      run: (input: Buffer) => ours.evaluate(ENTRYPOINT, input),
      us: [] as number[],
    },
  ] as const;
  for (let run = 0; run < 2 * runs + 1; run++)
    for (const side of run % 2 === 0 ? sides : sides.toReversed()) {
      const before = cpuUs();
      for (const input of inputs) side.run(input);
      if (run > 0) side.us.push((cpuUs() - before) / inputs.length);
    }
  const [them, us] = sides;
  const row = (side: (typeof sides)[number]): string[] => [side.name, spreadText(spreadOf(side.us), 1)];
  return tableText([
    ['evaluate one object', 'CPU us', 'ratio'],
    [...row(them), '1'],
    [...row(us), spreadText(ratioOf(us.us, them.us), 2)],
  ]);
}

/** The SDK gives sets as arrays in the order of their hashes. */
function requireSame(ours: RegoValue | undefined, theirs: unknown): void {
  const [first] = Array.isArray(theirs) ? theirs : [];
  const text = (value: unknown): string =>
    JSON.stringify(
      Object.entries(value ?? {})
        .map(([key, items]) => [
          key,
          Array.isArray(items) ? items.map((item) => JSON.stringify(item)).sort() : items,
        ])
        .sort(),
    );
  if (text(ours) !== text(first?.result))
    throw new Error(`they differ: ${text(ours)} and ${text(first?.result)}`);
}

/** Each on a program of its own, whose functions V8 has not optimised yet: the first time is the worst. */
async function evil(print: (line: string) => void): Promise<string> {
  const wasm = await compileEvil();
  const builtins = openServer();
  const rows = EVIL.map((name) => {
    const program = loadRego(wasm, { data: EVIL_DATA, builtins });
    const [wall, cpu] = [performance.now(), cpuUs()];
    const stopped = stopOf(program, `main/${name}`);
    return { name, stopped, wall: performance.now() - wall, cpu: (cpuUs() - cpu) / MS_PER_S };
  });
  const worst = rows.reduce((a, b) => (b.cpu > a.cpu ? b : a));
  print(
    `evaluate: ${rows.length} evil policies stopped, the slowest (${worst.name}) after ${worst.cpu.toFixed(0)} ms of CPU`,
  );
  const body = rows.map(({ name, stopped, wall, cpu }) => [name, stopped, cpu.toFixed(0), wall.toFixed(0)]);
  return tableText([['evil policy', 'stopped by', 'CPU ms', 'wall ms'], ...body]);
}

function stopOf(program: RegoProgram, entrypoint: string): string {
  try {
    if (program.evaluate(entrypoint, EVIL_INPUT, { isStrict: true }).failures.length > 0) return 'a builtin';
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return /limit of ([a-z ]+)/.exec(message)?.[1] ?? 'itself';
  }
  throw new Error(`${entrypoint} was not stopped`);
}

function changes(wasm: Uint8Array, inputs: readonly Buffer[]): string {
  const program = loadRego(wasm, { data: DATA });
  const path = (index: number): string[] => [
    'inventory',
    'namespace',
    'shop',
    'v1',
    'Object',
    `object-${index}`,
  ];
  const objects = corpusObjects(INVENTORY).map((object) => Buffer.from(JSON.stringify(object)));
  const small = evaluationUs(program, inputs);
  let start = cpuUs();
  for (const [index, object] of objects.entries()) program.setData(path(index), object);
  const filled = (cpuUs() - start) / INVENTORY;
  const change = (index: number): number => {
    const before = performance.now();
    program.setData(
      path((index * 7_919) % INVENTORY),
      objects[(index * 31) % INVENTORY] ?? Buffer.from('{}'),
    );
    return (performance.now() - before) * MS_PER_S;
  };
  start = cpuUs();
  const times = Array.from({ length: CHANGES }, (_, index) => change(index)).sort((a, b) => a - b);
  const changed = (cpuUs() - start) / CHANGES;
  return tableText([
    ['data of 10,000 objects in place', 'CPU us', 'wall us: p50, p99'],
    ['put one more', filled.toFixed(0), ''],
    [
      'replace one',
      changed.toFixed(0),
      [0.5, 0.99].map((share) => quantile(times, share).toFixed(0)).join(', '),
    ],
    ['evaluate one object with no data', small.toFixed(1), ''],
    ['evaluate one object with all of it', evaluationUs(program, inputs).toFixed(1), ''],
  ]);
}

function evaluationUs(program: RegoProgram, inputs: readonly Buffer[]): number {
  for (const input of inputs) program.evaluate(ENTRYPOINT, input);
  const start = cpuUs();
  for (const input of inputs) program.evaluate(ENTRYPOINT, input);
  return (cpuUs() - start) / inputs.length;
}
