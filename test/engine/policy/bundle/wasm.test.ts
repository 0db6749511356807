// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../../engine/error.ts';
import { loadWasmPolicy, type WasmFacts } from '../../../../engine/policy/bundle/index.ts';
import { openRegoToolchain } from '../../../../engine/toolchain/rego.ts';
import { expectThrown } from '../../../expect.ts';

const SOURCE = `package main

deny contains msg if {
	input.n > data.most
	msg := sprintf("%d is too much", [input.n])
}

warn_few contains "few" if input.n < 0

exception contains ["few"] if input.n == -2

odd := true if input.n == 7

deny_odd := true if input.n == 7
`;

const toolchain = openRegoToolchain({
  directory: join(process.cwd(), 'engine/toolchain/built'),
  deadlineMs: 60_000,
});
afterAll(() => toolchain.close());
let module: Uint8Array;
beforeAll(async () => {
  const rules = ['deny', 'warn_few', 'exception', 'odd', 'deny_odd'];
  const entrypoints = rules.map((name) => `main/${name}`);
  module = (await toolchain.build([{ file: 'main.rego', text: SOURCE }], { entrypoints })).wasm;
});

const load = (facts: Partial<WasmFacts> = {}, entrypoints: readonly string[] = []) =>
  loadWasmPolicy(
    { path: 'policy.wasm', bytes: module, entrypoints },
    {
      name: 'b',
      revision: 'r',
      data: { most: 3 },
      namespaces: { names: ['main'], all: false },
      answered: new Set(),
      ...facts,
    },
  );
const evaluate = (input: unknown) =>
  load()
    ?.evaluate('conftest', Buffer.from(JSON.stringify(input)), {})
    .results.map(({ entry, value }) => [entry.rule.code, entry.effect, value]);

describe('a module from elsewhere', () => {
  it('has a rule for each entrypoint that is called like one', () => {
    expect(load()?.rules.map(({ code }) => code)).toEqual(['main.deny', 'main.deny_odd', 'main.warn_few']);
    expect(load()?.reference).toEqual({
      name: 'b',
      revision: 'r',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      sources: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(load({ data: { most: 4 } })?.reference.digest).not.toBe(load()?.reference.digest);
  });

  it('says what its rules say; what is undefined or empty is left out, what is malformed is not', () => {
    expect(evaluate({ n: 3 })).toEqual([]);
    expect(evaluate({ n: 5 })).toEqual([['main.deny', 'fail', ['5 is too much']]]);
    expect(evaluate({ n: -2 })).toEqual([
      ['main.exception', 'exception', [['few']]],
      ['main.warn_few', 'warn', ['few']],
    ]);
    expect(evaluate({ n: 7 })).toEqual([
      ['main.deny', 'fail', ['7 is too much']],
      ['main.deny_odd', 'fail', true],
    ]);
  });

  it('leaves out what other packages, or the Rego beside it, answer', () => {
    expect(load({ namespaces: { names: ['other'], all: false } })).toBeUndefined();
    expect(load({ namespaces: { names: [], all: true } })?.rules).toHaveLength(3);
    expect(
      load({ answered: new Set(['main/deny', 'main/deny_odd']) })?.rules.map(({ code }) => code),
    ).toEqual(['main.warn_few']);
  });

  it('has the entrypoints that its manifest names', () => {
    expect(load({}, ['main/deny'])?.rules).toHaveLength(3);
    expectThrown(() => load({}, ['main/none']), EngineError, 'POLICY_MODULE');
  });

  it('is refused when it imports what is not served, or holds native rules', async () => {
    const build = async (text: string, entrypoint: string) =>
      (await toolchain.build([{ file: 'x.rego', text }], { entrypoints: [entrypoint] })).wasm;
    const native = await build(
      'package countersign.rules.a.b\n\ndeny contains "x" if input.x\n',
      'countersign/rules/a/b/deny',
    );
    const facts = {
      name: 'b',
      revision: '',
      data: {},
      namespaces: { names: ['main'], all: true },
      answered: new Set<string>(),
    };
    const from = (bytes: Uint8Array) => () =>
      loadWasmPolicy({ path: 'policy.wasm', bytes, entrypoints: [] }, facts);
    expectThrown(from(native), EngineError, 'POLICY_METADATA');
    const renamed = Buffer.from(module);
    for (let at = renamed.indexOf('sprintf'); at >= 0; at = renamed.indexOf('sprintf', at + 1))
      renamed.write('sprintg', at);
    expectThrown(from(renamed), EngineError, 'POLICY_BUILTIN');
    expectThrown(from(module.subarray(0, 1000)), EngineError, 'POLICY_MODULE');
  });
});
