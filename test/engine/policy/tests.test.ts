// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { compilePolicy, DEFAULT_NAMESPACES, runTests } from '../../../engine/policy/index.ts';
import { openRegoBuiltins } from '../../../engine/toolchain/builtins.ts';
import { openRegoToolchain, type RegoSource, type RegoToolchain } from '../../../engine/toolchain/rego.ts';

const BUILT = join(import.meta.dirname, '../../../engine/toolchain/built');
const toolchain = openRegoToolchain({ directory: BUILT, deadlineMs: 60_000 });
const builtins = openRegoBuiltins(BUILT);
afterAll(() => toolchain.close());

const POLICY: RegoSource = {
  file: 'a.rego',
  text: 'package main\n\ndeny contains msg if {\n\tsome c in input.containers\n\tc.size > limit\n\tmsg := sprintf("%s is too large", [c.name])\n}\n\ndefault limit := 5\n\nlimit := data.limit\n\nadd(a, b) := a + b\n',
};
const tests = (text: string): readonly RegoSource[] => [
  POLICY,
  { file: 'a_test.rego', text: `package main_test\n\nimport data.main\n\n${text}\n` },
];

/** Name, outcome on OPA, what the module did, and whether they differ. */
async function outcomes(
  text: string,
  data: object = {},
  tools: RegoToolchain = toolchain,
): Promise<readonly unknown[]> {
  const report = await runTests(tests(text), tools, { data, builtins });
  return report.tests.map(({ name, outcome, module, differs }) => [name, outcome, module, differs]);
}

describe('the tests of a policy', () => {
  it('run on both evaluators, with input, data and functions replaced', async () => {
    const text = `big := {"containers": [{"name": "x", "size": 7}]}

test_input if main.deny == {"x is too large"} with input as big

test_no_input if count(main.deny) == 0

test_data if main.deny == set() with input as big with data.limit as 9

test_loaded if main.limit == 6

fake(a, b) := 100 if a + b > 0

test_function if main.add(1, 2) == 100 with main.add as fake

test_builtin if count(main.deny) == 1 with input as big with sprintf as "same"

test_fails if main.limit == 7

test_false := false

test_not_true := "yes"`;
    const pass = { outcome: 'pass' };
    expect(await outcomes(text, { limit: 6 })).toEqual([
      ['test_input', 'pass', pass, false],
      ['test_no_input', 'pass', pass, false],
      ['test_data', 'pass', pass, false],
      ['test_loaded', 'pass', pass, false],
      ['test_function', 'pass', pass, false],
      ['test_builtin', 'pass', pass, false],
      ['test_fails', 'fail', { outcome: 'fail' }, false],
      ['test_false', 'fail', { outcome: 'fail' }, false],
      ['test_not_true', 'fail', { outcome: 'fail', detail: 'its value is not true' }, false],
    ]);
  });

  it('are compared case by case', async () => {
    const text = `test_cases[name] if {
	some name, want in {"one": 2, "two": 9, "three": 2}
	main.add(1, 1) == want
}

test_nested[kind][n] if {
	some kind, list in {"odd": [1, 3], "even": [2]}
	some n in list
	n < 4
}

test_none[name] if {
	some name, want in {}
	want
}`;
    expect(await outcomes(text)).toEqual([
      ['test_cases', 'fail', { outcome: 'fail' }, false],
      ['test_nested', 'pass', { outcome: 'pass' }, false],
      ['test_none', 'pass', { outcome: 'pass' }, false],
    ]);
  });

  it('of one name are told apart', async () => {
    expect(await outcomes('test_a if true\n\ntest_a if false\n\ntest_a := true')).toEqual([
      ['test_a', 'pass', { outcome: 'pass' }, false],
      ['test_a#01', 'fail', { outcome: 'fail' }, false],
      ['test_a#02', 'pass', { outcome: 'pass' }, false],
    ]);
  });

  it('fail where the two evaluators differ, whichever is right', async () => {
    const [wide, same] = await outcomes(
      'test_wide if count(sprintf("%99999d", [1])) > 0\n\ntest_conflict if {k: v | some v in [1, 2]; k := "a"} == {}',
    );
    expect(wide).toEqual([
      'test_wide',
      'pass',
      { outcome: 'error', detail: 'builtin sprintf: a width or precision is more than 1000: 99999' },
      true,
    ]);
    expect(same).toEqual(['test_conflict', 'error', { outcome: 'error', detail: expect.any(String) }, false]);
  });

  it('run with builtins that are served, and with a clock that stands', async () => {
    const text = `test_patch if json.patch({"a": 1}, [{"op": "remove", "path": "/a"}]) == {}

test_clock if time.now_ns() == 1000000000000000000

todo_test_later if false`;
    expect(await outcomes(text)).toEqual([
      ['test_patch', 'pass', { outcome: 'pass' }, false],
      ['test_clock', 'pass', { outcome: 'pass' }, false],
      ['todo_test_later', 'skip', { outcome: 'skip' }, false],
    ]);
  });

  it('that a module cannot run are named', async () => {
    const poor: RegoToolchain = {
      ...toolchain,
      testModule: async () => ({
        entries: [{ package: 'main_test', name: 'test_a', entrypoint: 'x', missing: ['json.patch'] }],
        wasm: new Uint8Array(),
      }),
    };
    expect(await outcomes('test_a if true', {}, poor)).toEqual([
      ['test_a', 'pass', { missing: ['json.patch'] }, false],
    ]);
  });

  it('that the module does not know are errors and differ, not passes', async () => {
    const forgetful: RegoToolchain = {
      ...toolchain,
      testModule: async () => ({ entries: [], wasm: new Uint8Array() }),
    };
    expect(await outcomes('test_a if true', {}, forgetful)).toEqual([
      ['test_a', 'pass', { outcome: 'error', detail: 'it is not in the module' }, true],
    ]);
  });

  it('must be there', async () => {
    const nothing = runTests(tests('x := 1'), toolchain, {});
    await expect(nothing).rejects.toBeInstanceOf(EngineError);
    await expect(nothing).rejects.toMatchObject({ code: 'POLICY_EMPTY' });
    await expect(runTests(tests('test_a if true'), toolchain, { run: 'other' })).rejects.toMatchObject({
      code: 'POLICY_EMPTY',
    });
  });
});

describe('a compiled policy', () => {
  const request = { name: 'p', sources: [POLICY], namespaces: DEFAULT_NAMESPACES };

  it('has the same bytes each time, also from another run of the toolchain', async () => {
    const first = await compilePolicy(request, toolchain);
    const other = openRegoToolchain({ directory: BUILT, deadlineMs: 60_000 });
    try {
      expect(Buffer.compare((await compilePolicy(request, other)).wasm, first.wasm)).toBe(0);
    } finally {
      await other.close();
    }
  });

  it('has the entrypoints that METADATA and the caller name, with or without rules of ours', async () => {
    const authz: RegoSource = {
      file: 'authz.rego',
      text: 'package authz["x-y"]\n\n# METADATA\n# entrypoint: true\nallow := true\n\nmore := 1\n',
    };
    const extras = { entrypoints: ['authz/x-y/more'], optimise: 0 };
    const alone = await compilePolicy({ ...request, sources: [authz] }, toolchain, extras);
    expect(alone.entrypoints).toEqual(['authz/x-y/allow', 'authz/x-y/more']);
    const both = await compilePolicy({ ...request, sources: [authz, POLICY] }, toolchain, extras);
    expect(both.entrypoints).toEqual([
      'countersign/entrypoint/conftest',
      'authz/x-y/allow',
      'authz/x-y/more',
    ]);
    await expect(compilePolicy({ ...request, sources: [authz] }, toolchain)).rejects.toMatchObject({
      code: 'POLICY_EMPTY',
    });
  });
});
