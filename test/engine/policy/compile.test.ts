// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { type CompileRequest, compilePolicy, digestSources } from '../../../engine/policy/compile.ts';
import { loadPolicy } from '../../../engine/policy/policy.ts';
import { openRegoToolchain } from '../../../engine/toolchain/rego.ts';
import { expectThrown } from '../../expect.ts';

const toolchain = openRegoToolchain({
  directory: join(import.meta.dirname, '../../../engine/toolchain/built'),
  deadlineMs: 60_000,
});
afterAll(() => toolchain.close());

const request = (text: string, more: Partial<CompileRequest> = {}): CompileRequest => ({
  name: 'p',
  sources: [{ file: 'a.rego', text }],
  namespaces: { names: ['main'], all: false },
  ...more,
});
async function refused(of: CompileRequest): Promise<unknown> {
  const error = await compilePolicy(of, toolchain).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EngineError);
  return error;
}

const MAIN =
  'package main\nimport rego.v1\ndeny contains "a" if input.a\nwarn contains "b" if input.b\ndeny_list := ["c"] if input.c\n';

describe('compiling', () => {
  it('gives a policy that takes no data where it has rules', async () => {
    const text = `${MAIN}twice(x) := x * 2\n`;
    const compiled = await compilePolicy(request(text), toolchain);
    expect(compiled.paths).toEqual(['main/deny', 'main/deny_list', 'main/warn']);
    const load = (data: Record<string, unknown>) =>
      loadPolicy(compiled, { name: 'p', revision: 'r', parameters: {}, data });
    for (const deny of [null, {}, 1])
      expectThrown(
        () => load({ main: { deny } }),
        EngineError,
        'POLICY_DATA',
        'data has something at "main/deny", where "p" has a rule',
      );
    for (const data of [{ main: { twice: 1, other: 2 } }, { main: 1 }, { deny: 1 }])
      expect(load(data).styles).toEqual(['conftest']);
  });

  it('gives a module whose one evaluation says what every rule says', async () => {
    const compiled = await compilePolicy(request(MAIN), toolchain);
    expect(compiled.sources).toBe(digestSources(request(MAIN).sources));
    const policy = loadPolicy(compiled, { name: 'p', revision: 'r', parameters: {}, data: {} });
    const said = (input: string): unknown =>
      policy
        .evaluate('conftest', Buffer.from(input), {})
        .results.map(({ entry, value }) => [entry.key, value]);
    expect(said('{}')).toEqual([]);
    expect(said('{"a":true,"b":true,"c":true}')).toEqual([
      ['main/deny', ['a']],
      ['main/deny_list', ['c']],
      ['main/warn', ['b']],
    ]);
    expect(policy.rules.map(({ code }) => code)).toEqual(['main.deny', 'main.deny_list', 'main.warn']);
    expect(policy.styles).toEqual(['conftest']);
    expect(policy.reference).toEqual({
      name: 'p',
      revision: 'r',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      sources: compiled.sources,
    });
  });

  it('has a digest that parameters and data are part of', async () => {
    const compiled = await compilePolicy(request(MAIN), toolchain);
    const digest = (parameters: Record<string, unknown>, data: Record<string, unknown>): string =>
      loadPolicy(compiled, { name: 'p', revision: '', parameters, data }).reference.digest;
    const all = [digest({}, {}), digest({ a: {} }, {}), digest({}, { a: {} }), digest({}, { a: 1 })];
    expect(new Set(all).size).toBe(4);
    expect(digest({}, {})).toBe(all[0]);
  });

  it('keeps the rules that are named, every one of which must exist', async () => {
    const kept = await compilePolicy(request(MAIN, { codes: ['main.warn'] }), toolchain);
    expect(kept.entries.map(({ key }) => key)).toEqual(['main/warn']);
    expect(await refused(request(MAIN, { codes: ['main.warn', 'main.none'] }))).toMatchObject({
      code: 'POLICY_EMPTY',
      message: 'p: there is no rule "main.none"',
    });
  });

  it.each([
    ['no rule', 'package main\na := 1', { names: ['main'], all: false }, 'in package "main"'],
    [
      'an exception alone',
      'package main\nimport rego.v1\nexception contains ["a"]',
      { names: ['main', 'b'], all: false },
      'in package "main", "b"',
    ],
    ['no rule in any package', 'package x\na := 1', { names: [], all: true }, 'in any package'],
  ])('of %s is POLICY_EMPTY: nothing checked is never a pass', async (_, text, namespaces, where) => {
    expect(await refused(request(text, { namespaces }))).toMatchObject({
      code: 'POLICY_EMPTY',
      message: `"p" has no rule: no deny, violation or warn ${where}`,
    });
  });
});

describe('the digest of sources', () => {
  it('is over names and texts, and no two sets share bytes', () => {
    const sets = [
      [{ file: 'a', text: 'bc' }],
      [{ file: 'ab', text: 'c' }],
      [
        { file: 'a', text: 'b' },
        { file: 'c', text: '' },
      ],
      [{ file: 'a', text: '1:b' }],
      [],
    ];
    expect(new Set(sets.map(digestSources)).size).toBe(sets.length);
    expect(digestSources([{ file: 'a', text: 'bc' }])).toBe(
      createHash('sha256').update('1:a2:bc').digest('hex'),
    );
  });
});
