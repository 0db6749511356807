// SPDX-License-Identifier: Apache-2.0
// The steps of 200 evaluations are golden numbers: equal in a fresh instance and a rewound one, in any order, with any memory. They
// change with OPA's compiler, its options and the bench's rules: UPDATE_GOLDEN=1 writes them anew. `npm run test:fuel` compares them
// under another Node.
import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadRego } from '../../engine/rego/index.ts';
import { compileBenchRules, DATA, ENTRYPOINT, EXPECTED, inputs, stepsOf } from './work.ts';

let wasm: Uint8Array;
let steps: readonly number[];
const bytes = inputs();
beforeAll(async () => {
  wasm = await compileBenchRules();
  steps = stepsOf(loadRego(wasm, { data: DATA }), bytes);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    const total = steps.reduce((sum, count) => sum + count, 0);
    writeFileSync(EXPECTED, `${JSON.stringify({ total, steps })}\n`);
  }
});

const golden = (): unknown => JSON.parse(readFileSync(EXPECTED, 'utf8'));

describe('the steps of 200 evaluations', () => {
  it('are the golden numbers', () => {
    expect(new Set(steps).size).toBeGreaterThan(50);
    expect({ total: steps.reduce((sum, count) => sum + count, 0), steps }).toEqual(golden());
  });

  it('are those of an instance of its own', () => {
    const alone = bytes.slice(0, 8).flatMap((input) => stepsOf(loadRego(wasm, { data: DATA }), [input]));
    expect(alone).toEqual(steps.slice(0, 8));
  });

  it('do not depend on their order, on what came before, or on the size of memory', () => {
    const program = loadRego(wasm, { data: DATA, limits: { memoryBytes: 2 ** 24 } });
    expect(stepsOf(program, bytes.toReversed()).toReversed()).toEqual(steps);
    const large = Buffer.from(JSON.stringify({ kind: 'x', pad: 'y'.repeat(200_000) }));
    const mixed = bytes.slice(0, 50).flatMap((input) => stepsOf(program, [large, input]).slice(1));
    expect(mixed).toEqual(steps.slice(0, 50));
  });

  it('belong to answers that are the same each time', () => {
    const program = loadRego(wasm, { data: DATA });
    const answers = (): string =>
      hash('sha256', JSON.stringify(bytes.map((input) => program.evaluate(ENTRYPOINT, input).value)));
    expect(answers()).toBe(answers());
  });
});
