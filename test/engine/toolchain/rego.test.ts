// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { loadRego } from '../../../engine/rego/index.ts';
import { openRegoToolchain, type RegoSource } from '../../../engine/toolchain/rego.ts';

const BUILT = join(import.meta.dirname, '../../../engine/toolchain/built');
const toolchain = openRegoToolchain({ directory: BUILT, deadlineMs: 60_000 });
afterAll(() => toolchain.close());

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const source = (text: string, file = 'a.rego'): RegoSource => ({ file, text });

/** Code, hint and problems (`file:line:column code message`) of what a request throws. */
async function faultsOf(
  request: Promise<unknown>,
): Promise<{ code: string; hint?: string; problems: string[] }> {
  const error = await request.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof EngineError)) throw new Error('expected an EngineError', { cause: error });
  const problems = error.problems.map(({ code, message, location }) => {
    const { file, line, column } = location ?? { file: '-', line: 0, column: 0 };
    return `${file}:${line}:${column} ${code} ${message}`;
  });
  return { code: error.code, problems, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}

const RULE = `# METADATA
# title: Images are pinned
# description: A tag can move.
# scope: package
# custom:
#   severity: high
#   controls: [nist/CM-2]
package countersign.rules.image.pinned

import data.lib.images

# METADATA
# title: the rule
deny contains msg if {
	some image in images.all
	not contains(lower(image), "@sha256:")
	msg := sprintf("%s is not pinned", [image])
}

limits[name] := 1 if some name in ["a"]

worst(x) := x

default strict := false
`;

describe('parse', () => {
  it('says what a module declares', async () => {
    expect(await toolchain.parse([source(RULE)])).toEqual([
      {
        file: 'a.rego',
        package: 'countersign.rules.image.pinned',
        rules: [
          { name: 'deny', kind: 'set', line: 14 },
          { name: 'limits', kind: 'object', line: 20 },
          { name: 'worst', kind: 'function', line: 22 },
          { name: 'strict', kind: 'complete', line: 24 },
        ],
        annotations: [
          {
            scope: 'package',
            path: 'data.countersign.rules.image.pinned',
            title: 'Images are pinned',
            description: 'A tag can move.',
            custom: { severity: 'high', controls: ['nist/CM-2'] },
            line: 1,
          },
          { scope: 'rule', path: 'data.countersign.rules.image.pinned.deny', title: 'the rule', line: 12 },
        ],
        imports: ['data.lib.images'],
        builtins: [
          { name: 'contains', line: 16, column: 6 },
          { name: 'lower', line: 16, column: 15 },
          { name: 'sprintf', line: 17, column: 9 },
        ],
      },
    ]);
  });

  it('names a package without the quotes of its parts', async () => {
    const [module] = await toolchain.parse([source('package main["with-dash"]\nallow := true')]);
    expect(module?.package).toBe('main.with-dash');
  });

  it('collects what is wrong with any file', async () => {
    const sources = [
      source('package a\n\np if { x == }\nq if'),
      source('', 'empty.rego'),
      source('# METADATA\n# title: [\npackage b', 'metadata.rego'),
    ];
    expect(await faultsOf(toolchain.parse(sources))).toEqual({
      code: 'POLICY_COMPILE',
      problems: [
        'a.rego:3:13 rego_parse_error unexpected } token',
        'a.rego:4:4 rego_parse_error unexpected eof token',
        'empty.rego:1:1 rego_parse_error empty module',
        'metadata.rego:2:1 rego_parse_error yaml: line 1: did not find expected node content',
      ],
    });
  });

  it('refuses what would make two things one', async () => {
    const sources = [source('package a'), source('package b'), source('package main["x.y"]', 'dotted.rego')];
    expect((await faultsOf(toolchain.parse(sources))).problems).toEqual([
      'a.rego:1:1 duplicate_file two files have this name',
      'dotted.rego:1:1 package_name part "x.y" of the package has a dot or a slash: rules in it could not be told apart',
    ]);
  });

  it('survives deep nesting', async () => {
    const deep = (depth: number): RegoSource =>
      source(`package a\np := ${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect(await toolchain.parse([deep(400)])).toHaveLength(1);
    const { code, problems } = await faultsOf(toolchain.parse([deep(100_000)]));
    expect([code, problems[0]]).toEqual([
      'POLICY_COMPILE',
      'a.rego:2:502 rego_parse_error max parsing recursion depth exceeded',
    ]);
  });
});

describe('check', () => {
  it('is content with a sound policy', async () => {
    const library = source(
      'package lib.images\n\nall contains image if image := input.images[_].ref',
      'lib.rego',
    );
    await expect(toolchain.check([source(RULE), library], { strict: true })).resolves.toBeUndefined();
  });

  it('reports all that a strict reading finds', async () => {
    const text = 'package a\n\nimport data.foo\n\np if { x := 1 }\n\nq if nosuch(1)\n\nr := sprintf("x")\n';
    expect(await faultsOf(toolchain.check([source(text)], { strict: true }))).toEqual({
      code: 'POLICY_COMPILE',
      problems: [
        'a.rego:3:1 rego_compile_error import data.foo unused',
        'a.rego:5:8 rego_compile_error assigned var x unused',
        'a.rego:7:6 rego_type_error undefined function nosuch',
        'a.rego:9:6 rego_type_error sprintf: arity mismatch',
      ],
    });
  });

  it('reports builtins that are not there', async () => {
    const { code, problems } = await faultsOf(
      toolchain.check([source('package a\n\np if http.send({})')], { strict: true }),
    );
    expect([code, problems]).toEqual([
      'POLICY_BUILTIN',
      ['a.rego:3:6 POLICY_BUILTIN builtin "http.send" is not available'],
    ]);
  });
});

describe('build', () => {
  it('makes a module that runs', async () => {
    const text = `package a

deny contains msg if {
	print("never seen", input)
	some c in input.containers
	not c.limits
	msg := sprintf("%s has no limits", [c.name])
}

count := 3 if data.want == 3
`;
    const { wasm, opaVersion } = await toolchain.build([source(text)], {
      entrypoints: ['a/deny', 'a/count'],
    });
    expect(opaVersion).toBe('1.22.2');
    const program = loadRego(wasm, { data: bytesOf('{"want":3}') });
    const input = bytesOf('{"containers":[{"name":"x"},{"name":"y","limits":{"cpu":1}}]}');
    expect(program.evaluate('a/deny', input).value).toEqual(['x has no limits']);
    expect(program.evaluate('a/count', input).value).toBe(3);
  });

  it('makes the same bytes of the same sources', async () => {
    const build = async (): Promise<Uint8Array> =>
      (await toolchain.build([source('package a\n\np := 1')], { entrypoints: ['a/p'] })).wasm;
    expect(Buffer.compare(await build(), await build())).toBe(0);
  });

  it('refuses builtins that read the world, each with its place', async () => {
    const text =
      'package a\n\nallow if {\n\thttp.send({})\n\tx with opa.runtime as 1\n}\n\nx if rand.intn("", 1)\n';
    expect(await faultsOf(toolchain.build([source(text)], { entrypoints: ['a/allow'] }))).toEqual({
      code: 'POLICY_BUILTIN',
      problems: [
        'a.rego:4:2 POLICY_BUILTIN builtin "http.send" is not available',
        'a.rego:5:9 POLICY_BUILTIN builtin "opa.runtime" is not available',
        'a.rego:8:6 POLICY_BUILTIN builtin "rand.intn" is not available',
      ],
      hint: 'a rule cannot read the world: what it needs comes in input or with --data',
    });
  });

  it.each([
    ['http.send({})', 'a rule cannot read the world: what it needs comes in input or with --data'],
    ['rand.intn("", 2)', 'a decision must be the same when it is repeated: derive what differs from input'],
    ['uuid.rfc4122("")', 'a decision must be the same when it is repeated: derive what differs from input'],
    ['opa.runtime()', 'a rule cannot read the world: what it needs comes in input or with --data'],
    ['net.lookup_ip_addr("a")', 'a rule cannot read the world: what it needs comes in input or with --data'],
    [
      'io.jwt.encode_sign({}, {}, {})',
      'a rule signs nothing: to verify, use io.jwt.verify_* or io.jwt.decode_verify',
    ],
    ['internal.test_case([])', 'it is for tests: write a rule named test_… in a file …_test.rego'],
  ])('says what to do instead of %s', async (call, hint) => {
    const request = toolchain.build([source(`package a\n\nallow if ${call}`)], { entrypoints: ['a/allow'] });
    const name = call.slice(0, call.indexOf('('));
    expect(await faultsOf(request)).toEqual({
      code: 'POLICY_BUILTIN',
      problems: [`a.rego:3:10 POLICY_BUILTIN builtin "${name}" is not available`],
      hint,
    });
  });

  it('reads the syntax of before 1.0 in the files that are said to be in it', async () => {
    const old: RegoSource = { file: 'old.rego', text: 'package a\n\np[x] { x := data.b.q[_] }', v0: true };
    const { wasm } = await toolchain.build([old, source('package b\n\nq contains 1 if true', 'new.rego')], {
      entrypoints: ['a/p'],
    });
    expect(loadRego(wasm, { data: bytesOf('{}') }).evaluate('a/p', bytesOf('{}')).value).toEqual([1]);
    const { v0: _, ...unsaid } = old;
    expect((await faultsOf(toolchain.build([unsaid], { entrypoints: ['a/p'] }))).code).toBe('POLICY_COMPILE');
  });

  it('reports types and places of the source as written, whatever its calls are rewritten to', async () => {
    const text = 'package a\n\np if count(1) > 0\n\nr if startswith("a", 1)\n';
    expect((await faultsOf(toolchain.build([source(text)], { entrypoints: ['a/p'] }))).problems).toEqual([
      'a.rego:3:6 rego_type_error count: invalid argument(s)',
      'a.rego:5:6 rego_type_error startswith: invalid argument(s)',
    ]);
    const arity = 'package a\n\np if input.y\n\nq := to_number(input.x, 1, 2)\n';
    expect((await faultsOf(toolchain.build([source(arity)], { entrypoints: ['a/p'] }))).problems).toEqual([
      'a.rego:5:6 rego_type_error to_number: arity mismatch',
    ]);
  });

  it('keeps the package of the rewritten calls to itself', async () => {
    const own = source('package countersign.builtin\n\ncount_(at, x) := 0\n\np if count_("", [])');
    expect(
      (await faultsOf(toolchain.build([own], { entrypoints: ['countersign/builtin/p'] }))).problems,
    ).toEqual(['a.rego:1:1 package_name package "countersign.builtin" is reserved']);
  });

  it('does not take a rule or an import for the builtin of its name', async () => {
    const own = source(
      'package a\n\nimport data.lib.json\n\nallow if {\n\ttrace(json.patch)\n}\n\ntrace(x) if x',
    );
    const library = source('package lib.json\n\npatch := true', 'lib.rego');
    const { wasm } = await toolchain.build([own, library], { entrypoints: ['a/allow'] });
    expect(loadRego(wasm, { data: bytesOf('{}') }).evaluate('a/allow', bytesOf('{}')).value).toBe(true);
  });

  it('refuses an entrypoint that no rule has', async () => {
    expect(
      await faultsOf(toolchain.build([source('package a\n\np := 1')], { entrypoints: ['a/q'] })),
    ).toEqual({
      code: 'POLICY_COMPILE',
      problems: ['-:0:0 rego_error entrypoint "a/q" does not refer to a rule or policy decision'],
    });
  });
});

const TESTED = source('package a\n\np if input.x == 1\n\nq if {\n\tinput.y\n}\n');
const TESTS = `package a_test

import data.a

test_pass if {
	print("seen", 1)
	a.p with input as json.patch({"x": 0}, [{"op": "replace", "path": "/x", "value": 1}])
}

test_fail if a.q with input as {"y": false}

todo_test_later if false

test_error if {k: v | some v in [1, 2]; k := "a"} == {}

test_exact if data.n == 9007199254740991
`;

describe('test', () => {
  it('tells pass, fail, error and skip, what was printed and what is covered', async () => {
    const report = await toolchain.test([TESTED, source(TESTS, 'a_test.rego')], {
      data: { n: 9007199254740991 },
    });
    const test = { package: 'a_test', file: 'a_test.rego', fail: false, skip: false, output: '' };
    const durationNs = expect.any(Number);
    expect(report).toEqual({
      tests: [
        { ...test, name: 'test_pass', line: 5, output: 'seen 1\n', durationNs },
        { ...test, name: 'test_fail', line: 10, fail: true, durationNs },
        { ...test, name: 'todo_test_later', line: 12, skip: true, durationNs },
        {
          ...test,
          name: 'test_error',
          line: 14,
          error: 'a_test.rego:14: eval_conflict_error: object keys must be unique',
          durationNs,
        },
        { ...test, name: 'test_exact', line: 16, durationNs },
      ],
      coverage: [
        { file: 'a.rego', covered: 2, notCovered: [5] },
        { file: 'a_test.rego', covered: 6, notCovered: [10, 12, 14] },
      ],
      percent: expect.any(Number),
    });
  });

  it('finds no test where there is none', async () => {
    expect((await toolchain.test([TESTED], {})).tests).toEqual([]);
  });

  it('lets neither a policy nor a test read the world', async () => {
    const policy = source('package a\n\np if http.send({})');
    const tests = source('package a_test\n\ntest_p if opa.runtime().env', 'a_test.rego');
    expect((await faultsOf(toolchain.test([policy, tests], {}))).problems).toEqual([
      'a.rego:3:6 POLICY_BUILTIN builtin "http.send" is not available',
      'a_test.rego:3:11 POLICY_BUILTIN builtin "opa.runtime" is not available',
    ]);
  });

  it('reports what keeps tests from running', async () => {
    const tests = source('package a_test\n\ntest_p if data.a.nosuch(1)', 'a_test.rego');
    expect(await faultsOf(toolchain.test([TESTED, tests], {}))).toEqual({
      code: 'POLICY_COMPILE',
      problems: ['a_test.rego:3:11 rego_type_error undefined function data.a.nosuch'],
    });
  });
});
