// SPDX-License-Identifier: Apache-2.0
// Policies that would hang or exhaust a process: each is stopped at the same step on every machine, and what comes next is as if
// nothing had been. UPDATE_GOLDEN=1 rewrites expected.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../../engine/error.ts';
import { Store } from '../../../../engine/rego/data/index.ts';
import { loadRego, meter, type RegoProgram, type RegoResult } from '../../../../engine/rego/index.ts';
import { startMachine } from '../../../../engine/rego/machine.ts';
import {
  compileEvil,
  EVIL,
  EVIL_DATA,
  EVIL_INPUT,
  HARMLESS_INPUT,
  HARMLESS_VALUE,
  LEGITIMATE,
  openServer,
} from './policies.ts';

const GOLDEN = join(import.meta.dirname, 'expected.json');
const FUEL = 2_000_000_000n;

let program: RegoProgram;
let store: Store;
let legitimate: RegoResult;
const harmless = (): RegoResult => program.evaluate(LEGITIMATE, HARMLESS_INPUT);

beforeAll(async () => {
  const wasm = await compileEvil();
  const builtins = openServer();
  program = loadRego(wasm, { data: EVIL_DATA, builtins });
  const module = new WebAssembly.Module(meter(wasm));
  const start = (dataBytes: number) =>
    startMachine(module, { pages: 2_048, dataPages: dataBytes / 65_536 }, builtins);
  store = new Store({ start, max: 2 ** 20 }, EVIL_DATA);
  legitimate = harmless();
});

/** Steps taken until an evaluation was over, one way or another. */
function stepsOf(name: string): string {
  const { machine } = store;
  machine.rewind(FUEL, 400);
  try {
    machine.evaluate(
      machine.entrypoints.get(`main/${name}`) ?? -1,
      machine.readInput(EVIL_INPUT),
      store.root,
    );
  } catch {} // how it ended is looked at elsewhere
  return `${FUEL - machine.fuelLeft()}`;
}

interface Outcome {
  readonly code: string;
  readonly message: string;
  readonly steps: string;
}

/** An error, or a builtin that failed, which is a finding that blocks; a value is neither. */
function endOf(name: string, input: Uint8Array): Omit<Outcome, 'steps'> {
  try {
    const [failure] = program.evaluate(`main/${name}`, input, { isStrict: true }).failures;
    if (failure !== undefined) return { code: 'BUILTIN', message: failure.message };
  } catch (error) {
    if (error instanceof EngineError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`${name} was not stopped`);
}

const outcomeOf = (name: string): Outcome => ({ ...endOf(name, EVIL_INPUT), steps: stepsOf(name) });

describe('an evil policy', () => {
  it('is one of thirty and more, each with what becomes of it written down', () => {
    expect(EVIL.length).toBeGreaterThan(30);
    expect(new Set(EVIL).size).toBe(EVIL.length);
    if (process.env['UPDATE_GOLDEN'] === '1')
      writeFileSync(
        GOLDEN,
        `${JSON.stringify(Object.fromEntries(EVIL.map((name) => [name, outcomeOf(name)])), null, 2)}\n`,
      );
    expect(Object.keys(expected()).sort()).toEqual([...EVIL].sort());
  });

  it.each(EVIL)('%s is stopped at its step, and the next evaluation is right', (name) => {
    expect(outcomeOf(name)).toEqual(expected()[name]);
    expect(harmless()).toEqual(legitimate);
    expect(legitimate.value).toEqual(HARMLESS_VALUE);
  });

  it('changes nothing when it comes five thousand times', () => {
    const small = Buffer.from(JSON.stringify({ deep: '['.repeat(1_000), items: [] }));
    const quick = ['deep_json', 'sprintf_width', 'shift_by_billions', 'squares'];
    for (let round = 0; round < 5_000; round++) {
      endOf(quick[round % quick.length] ?? '', small);
      if (round % 100 === 0) expect(harmless()).toEqual(legitimate);
    }
    expect(harmless()).toEqual(legitimate);
  });
});

function expected(): Record<string, unknown> {
  const golden: unknown = JSON.parse(readFileSync(GOLDEN, 'utf8'));
  return Object.fromEntries(Object.entries(golden ?? {}));
}
