// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { loadRego, type RegoProgram } from '../../../engine/rego/index.ts';
import { openRegoToolchain } from '../../../engine/toolchain/rego.ts';
import { expectThrown, thrownBy } from '../../expect.ts';

const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 60_000 });
afterAll(() => toolchain.close());

async function program(rules: string, data = '{}'): Promise<RegoProgram> {
  const source = { file: 'main.rego', text: `package main\n\nimport rego.v1\n\n${rules}\n` };
  const { wasm } = await toolchain.build([source], { entrypoints: ['main/deny'] });
  return loadRego(wasm, { data: Buffer.from(data) });
}

const input = Buffer.from(
  JSON.stringify({ items: [{ x: 1 }, { x: 20 }], s: 'y'.repeat(1_000), deep: '['.repeat(100_000) }),
);
const legitimate =
  'deny contains sprintf("%v over %d", [item.x, data.max]) if {\n\tsome item in input.items\n\titem.x > data.max\n}\n';
const doubling = (names: string): string =>
  [...names]
    .map(
      (name, index) =>
        `\t${name} := concat("", [${Array(16)
          .fill(index === 0 ? 'input.s' : names[index - 1])
          .join(', ')}])`,
    )
    .join('\n');

/** Each stops at a limit; the same program must then evaluate an ordinary input as if nothing had been. */
const EVIL: readonly (readonly [string, string, RegExp])[] = [
  [
    'a cross product',
    'some i in numbers.range(1, 100000)\n\tsome j in numbers.range(1, 100000)\n\ti * j < 0',
    /steps/,
  ],
  [
    'a comprehension over a cross product',
    'count([1 | some i in numbers.range(1, 50000); some j in numbers.range(1, 50000); i + j < 0]) > 0',
    /steps/,
  ],
  ['a huge range', 'count(numbers.range(0, 1000000000)) > 0', /memory|steps/],
  ['a growing string', `${doubling('abcdefg')}\n\tcount(g) < 0`, /memory|steps/],
  ['deep JSON', 'json.unmarshal(input.deep)', /call depth/],
  [
    'growing arrays',
    'a := numbers.range(1, 100000)\n\tb := array.concat(array.concat(a, a), array.concat(a, a))\n\tc := array.concat(array.concat(b, b), array.concat(b, b))\n\td := array.concat(array.concat(c, c), array.concat(c, c))\n\te := array.concat(array.concat(d, d), array.concat(d, d))\n\tcount(array.concat(e, e)) < 0',
    /memory|steps/,
  ],
  [
    'walks over walks',
    'walk(input, [_, a])\n\twalk(numbers.range(1, 3000), [_, b])\n\twalk(numbers.range(1, 3000), [_, c])\n\ta == {b, c}',
    /memory|steps/,
  ],
  [
    'many patterns',
    'some i in numbers.range(1, 1000000)\n\tregex.match(sprintf("a{%d}b{%d}", [i % 900, i % 800]), input.s)\n\ti < 0',
    /memory|steps/,
  ],
];

describe('a program', () => {
  it('gives the value of its entrypoint, sets in order', async () => {
    const rego = await program(
      `${legitimate}\ndeny contains {"n": 9007199254740993, "set": {3, 1, 2}} if input.items`,
      '{"max":10}',
    );
    expect(rego.evaluate('main/deny', input).value).toEqual([
      '20 over 10',
      { n: 9007199254740993n, set: [1, 2, 3] },
    ]);
  });

  it('takes the same steps every time, whatever came between', async () => {
    const rego = await program(legitimate, '{"max":10}');
    const first = rego.evaluate('main/deny', input);
    rego.evaluate('main/deny', Buffer.from('{"items":[]}'));
    for (let round = 0; round < 50; round++) expect(rego.evaluate('main/deny', input)).toEqual(first);
  });

  it.each(EVIL)('stops %s and is as good as new', async (_name, body, limit) => {
    const rego = await program(
      `${legitimate}\ndeny contains "never" if {\n\tinput.s\n\t${body}\n}`,
      '{"max":10}',
    );
    const harmless = Buffer.from('{"items":[{"x":11}]}');
    const before = rego.evaluate('main/deny', harmless);
    expect(before.value).toEqual(['11 over 10']);
    for (let round = 0; round < 2; round++) {
      expectThrown(() => rego.evaluate('main/deny', input), EngineError, 'POLICY_LIMIT');
      expect(() => rego.evaluate('main/deny', input)).toThrow(limit);
    }
    expect(rego.evaluate('main/deny', harmless)).toEqual(before);
  });

  it('survives many traps with its results and steps exact', async () => {
    const rego = await program(
      'deny contains "never" if json.unmarshal(input.deep)\n\ndeny contains "fine" if input.fine',
    );
    const deep = Buffer.from(JSON.stringify({ deep: '['.repeat(5_000) }));
    const fine = rego.evaluate('main/deny', Buffer.from('{"fine":true}'));
    for (let round = 0; round < 1_000; round++)
      expect(() => rego.evaluate('main/deny', deep)).toThrow(EngineError);
    expect(rego.evaluate('main/deny', Buffer.from('{"fine":true}'))).toEqual(fine);
  });

  it('refuses input that it cannot read: it is never undefined', async () => {
    const rego = await program('deny contains "no input" if not input.x');
    for (const bytes of ['', '{"a":', '{"a":1,}', 'nonsense']) {
      expectThrown(() => rego.evaluate('main/deny', Buffer.from(bytes)), EngineError, 'INPUT_SYNTAX');
    }
  });

  it('says which rule has more than one value', async () => {
    const rego = await program('deny := x if some x in input');
    const run = () => rego.evaluate('main/deny', Buffer.from('[1,2]'));
    expectThrown(run, EngineError, 'POLICY_EVALUATION', 'complete rules must not produce multiple outputs');
    expect(thrownBy(run)).toMatchObject({ location: { file: 'main.rego', line: 5, column: 1 } });
  });

  it('stops sprintf where it is asked for more than it may give', async () => {
    const rego = await program('deny contains sprintf("%300000000d", [1])');
    expectThrown(
      () => rego.evaluate('main/deny', Buffer.from('{}')),
      EngineError,
      'POLICY_LIMIT',
      'builtin sprintf: a width or precision is more than 1000: 300000000',
    );
  });

  it('has no entrypoint but its own', async () => {
    const rego = await program('deny contains "x"');
    expectThrown(() => rego.evaluate('main/allow', Buffer.from('{}')), EngineError, 'POLICY_MODULE');
  });

  it('refuses what is no module', () => {
    expectThrown(
      () => loadRego(Buffer.from('not wasm'), { data: Buffer.from('{}') }),
      EngineError,
      'POLICY_MODULE',
    );
  });
});
