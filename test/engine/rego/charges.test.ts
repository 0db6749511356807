// SPDX-License-Identifier: Apache-2.0
// What a metered module counts, against a count of the same program in JavaScript: however loops and calls stand in each other, no
// charge is lost where the fuel is kept in a local meanwhile.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { meter } from '../../../engine/rego/index.ts';
import { assemble, type Code, I32 } from './assemble.ts';

type Statement = 'nop' | 'call' | { readonly times: number; readonly body: readonly Statement[] };

const DEPTH = 4;
/** Function 1: `nop; end`. */
const CALLED: Code = [0x01, 0x0b];

/** A loop that runs `times` times; its counter is the local of its depth. */
function codeOf(body: readonly Statement[], depth: number): Code {
  return body.flatMap((one): Code => {
    if (one === 'nop') return [0x01];
    if (one === 'call') return [0x10, 1];
    const set = [0x41, one.times, 0x21, depth, 0x03, 0x40];
    const again = [0x20, depth, 0x41, 1, 0x6b, 0x22, depth, 0x0d, 0, 0x0b];
    return [...set, ...codeOf(one.body, depth + 1), ...again];
  });
}

/** Instructions of a body without those within its loops, and steps of all that happens in it. */
function countOf(body: readonly Statement[]): { readonly own: number; readonly steps: number } {
  const counts = body.map((one) => {
    if (one === 'nop') return { own: 1, steps: 0 };
    if (one === 'call') return { own: 1, steps: CALLED.length };
    const inner = countOf(one.body);
    return { own: 3, steps: one.times * (inner.own + 6 + inner.steps) };
  });
  return counts.reduce((a, b) => ({ own: a.own + b.own, steps: a.steps + b.steps }), { own: 0, steps: 0 });
}

const statements = (depth: number): fc.Arbitrary<readonly Statement[]> => {
  const plain = fc.constantFrom<Statement>('nop', 'call');
  const loop = (): fc.Arbitrary<Statement> =>
    fc.record({ times: fc.integer({ min: 1, max: 3 }), body: statements(depth + 1) });
  return fc.array(depth === DEPTH ? plain : fc.oneof(plain, loop()), { maxLength: 4 });
};

/** The fuel that running the statements takes out of `budget`; undefined where it trapped. */
function run(body: readonly Statement[], budget: bigint): bigint | undefined {
  const bytes = assemble({
    functions: [
      { type: 0, locals: [[DEPTH + 1, I32]], code: [...codeOf(body, 0), 0x0b] },
      { type: 0, code: CALLED },
    ],
  });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(meter(bytes)), { env: { memory } });
  const { run: start, fuel } = exports;
  if (typeof start !== 'function' || !(fuel instanceof WebAssembly.Global)) throw new Error('no exports');
  fuel.value = budget;
  try {
    start();
    return budget - BigInt(fuel.value);
  } catch (error) {
    expect(error).toEqual(new WebAssembly.RuntimeError('unreachable'));
    expect(BigInt(fuel.value)).toBeLessThan(0n);
    return undefined;
  }
}

describe('charges', () => {
  it('are every instruction of the regions that are entered, and one step less is too little', () => {
    fc.assert(
      fc.property(statements(0), (body) => {
        const { own, steps } = countOf(body);
        const all = BigInt(own + 1 + steps);
        expect(run(body, 1_000_000n)).toBe(all);
        expect(run(body, all)).toBe(all);
        expect(run(body, all - 1n)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
