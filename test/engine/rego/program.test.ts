// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { loadRego, type RegoProgram } from '../../../engine/rego/index.ts';
import { openRegoToolchain } from '../../../engine/toolchain/rego.ts';
import { corpusObjects } from '../../bench/corpus/write.ts';
import { expectThrown, thrownBy } from '../../expect.ts';

const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 60_000 });
afterAll(() => toolchain.close());

async function program(rules: string, data = '{}'): Promise<RegoProgram> {
  const source = { file: 'main.rego', text: `package main\n\nimport rego.v1\n\n${rules}\n` };
  const { wasm } = await toolchain.build([source], { entrypoints: ['main/deny'] });
  return loadRego(wasm, { data: Buffer.from(data) });
}

const input = Buffer.from(JSON.stringify({ items: [{ x: 1 }, { x: 20 }] }));
const legitimate =
  'deny contains sprintf("%v over %d", [item.x, data.max]) if {\n\tsome item in input.items\n\titem.x > data.max\n}\n';
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

  it('finds the patterns that stand in its text compiled, in its first evaluation as in any other', async () => {
    const rego = await program('deny contains input.name if not regex.match(`^(a|b)+[0-9]{3}$`, input.name)');
    const computed = await program(
      'deny contains input.name if not regex.match(concat("", ["^(a|b)+", "[0-9]{3}$"]), input.name)',
    );
    const ask = (one: RegoProgram, name: string) =>
      one.evaluate('main/deny', Buffer.from(JSON.stringify({ name })));
    for (const name of ['ab123', 'ab12', 'ab1234', 'AB123', '']) {
      const { value, fuelUsed } = ask(rego, name);
      const other = ask(computed, name);
      expect(value).toEqual(name === 'ab123' ? [] : [name]);
      expect(value).toEqual(other.value);
      expect(other.fuelUsed).toBeGreaterThan(4n * fuelUsed);
      expect(ask(rego, name)).toEqual({ ...ask(rego, name), value, fuelUsed });
    }
    expect(rego.entrypoints).toEqual(['main/deny']);
  });

  it.each([
    ['one that is no pattern', '`(`', []],
    ['one that is too much to compile beforehand', '`((((a{1,30}){1,30}){1,30}){1,30})`', []],
  ])('does without a pattern compiled: %s', async (_, pattern, wanted) => {
    const rego = await program(`deny contains "x" if regex.match(${pattern}, input.name)`);
    const first = rego.evaluate('main/deny', Buffer.from('{"name":"aaa"}'));
    expect(first.value).toEqual(wanted);
    expect(rego.evaluate('main/deny', Buffer.from('{"name":"aaa"}'))).toEqual(first);
  });

  it('keeps what its patterns were compiled to, however much that gave back on the way', async () => {
    const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !@#%&_=;:,<>/~';
    const rego = await program(
      `deny contains "x" if not regex.match(\`(?:${alphabet}){40}\`, input.name)\n\ndeny contains "y" if regex.match(\`^a(b|c)+$\`, input.name)`,
    );
    const ask = (name: string) => rego.evaluate('main/deny', Buffer.from(JSON.stringify({ name })));
    const first = ask('abc');
    expect(first.value).toEqual(['x', 'y']);
    for (let round = 0; round < 20; round++) {
      expect(ask(alphabet.repeat(40)).value).toEqual([]);
      expect(ask('abc')).toEqual(first);
    }
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

  it('takes a change of ten thousand objects within the default limits', async () => {
    const rego = await program(
      'deny contains count(input.objects)\n\ndeny contains "not in production" if {\n\tcount({object.metadata.name | some object in input.objects}) < count(input.objects) - 10000\n}',
    );
    const set = Buffer.from(JSON.stringify({ objects: corpusObjects(10_000) }));
    expect(set.length).toBeGreaterThan(15_000_000);
    const { value, fuelUsed } = rego.evaluate('main/deny', set);
    expect(value).toEqual([10_000]);
    expect(rego.evaluate('main/deny', set).fuelUsed).toBe(fuelUsed);
    expect(rego.evaluate('main/deny', Buffer.from('{"objects":[]}')).value).toEqual([0]);
  });

  it('refuses an input that is larger than it may be', async () => {
    const { evaluate } = await program('deny contains "x"');
    const large = Buffer.alloc(64 * 1024 * 1024 + 1, ' ');
    expectThrown(() => evaluate('main/deny', large), EngineError, 'INPUT_TOO_LARGE');
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
