// SPDX-License-Identifier: Apache-2.0
// A query on its module says what OPA's evaluator says of it.
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { openRegoBuiltins } from '../../../engine/toolchain/builtins.ts';
import { evaluateOnModule } from '../../../engine/toolchain/rego/rego_query.ts';
import {
  openRegoToolchain,
  type RegoEvalOptions,
  type RegoEvaluation,
} from '../../../engine/toolchain/rego.ts';

const BUILT = resolve('engine/toolchain/built');
const toolchain = openRegoToolchain({ directory: BUILT, deadlineMs: 60_000 });
const builtins = openRegoBuiltins(BUILT);
afterAll(() => toolchain.close());

const TEXT = `package main

import rego.v1

deny contains msg if {
	some c in input.containers
	c.n > data.most
	msg := sprintf("%s has %d", [c.name, c.n])
}

sets := {{1, "a"}, {"b"}}

keys := {1: "one", [2, "x"]: {"two"}, "z": null}

twice(x) := x * 2

both := 1 if input.containers

both := 2 if input.conflict

bad := to_number(input.text)
`;
const sources = [{ file: 'main.rego', text: TEXT }];
const input = JSON.stringify({
  containers: [
    { name: 'a', n: 5 },
    { name: 'b', n: 1 },
    { name: 'c', n: 9 },
  ],
  text: 'x',
});
const data = { most: 3, big: 12345678901234567000, tree: { a: [1, 2], b: { c: '\u2028 <é>' } } };

const QUERIES = [
  'data.main.deny',
  'data.main',
  'input.containers[i].n',
  'some i; input.containers[i].n > 4; name := input.containers[i].name',
  'x := data.main.twice(3); x > 5; x == 6',
  'x := 1; x > 2',
  '1 > 2',
  'data.main.twice(2, x)',
  'result := 1; data.tree[result_of]',
  'result = 2; y = result',
  'data.nothing',
  'not data.nothing',
  'some x in [1, 2, 2]',
  'every x in [1] { x == 1 }',
  '[x | x := data.tree.a[_]]',
  'x = data.tree.a[_]',
  'data.main.deny with input as {"containers": [{"name": "q", "n": 4}]}',
  'count(data.main.deny) == 2',
  'time.parse_rfc3339_ns("2026-11-24T12:00:00Z")',
  'time.now_ns()',
  'walk(data.tree, [path, value])',
  '_ = data.most',
  'false',
  'x := [false]; x[_]',
  '{"a", 1, null}',
  'data.main.bad',
  'data.main.keys[k]',
  'data.tree.b.c',
  'sprintf("%v", [data.main.sets])',
];

const ask = (query: string): RegoEvalOptions => ({
  query,
  data,
  input,
  time: new Date('2026-11-24T12:00:00Z'),
});
const onModule = (options: RegoEvalOptions) => evaluateOnModule(sources, toolchain, { ...options, builtins });
/** Answers of an iteration have no order that means anything. */
const settled = ({ result }: RegoEvaluation): unknown =>
  result
    .map((answer) => JSON.stringify({ ...answer, bindings: Object.entries(answer.bindings ?? {}).sort() }))
    .sort();

describe('a query on its module', () => {
  it.each(QUERIES)('answers as OPA does: %s', async (query) => {
    expect(settled(await onModule(ask(query)))).toEqual(settled(await toolchain.eval(sources, ask(query))));
  });

  it.each([
    ['data.main.both', { input: '{"containers": [], "conflict": 1}' }, 'POLICY_EVALUATION'],
    ['data.main.bad', { strictBuiltinErrors: true }, 'POLICY_EVALUATION'],
    ['x > 1', {}, 'POLICY_COMPILE'],
    ['x :=', {}, 'POLICY_COMPILE'],
    ['http.send({})', {}, 'POLICY_BUILTIN'],
    ['1', { data: { main: { deny: 1 } } }, 'POLICY_COMPILE'],
  ] as const)('fails where OPA does: %s', async (query, more, code) => {
    for (const run of [onModule, (options: RegoEvalOptions) => toolchain.eval(sources, options)]) {
      const error = await run({ ...ask(query), ...more }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(EngineError);
      expect(error).toMatchObject({ code });
    }
  });

  it('says of a builtin that fails what and where', async () => {
    const strict = { ...ask('data.main.bad'), strictBuiltinErrors: true } as const;
    const problems = [
      {
        code: 'eval_builtin_error',
        message: 'to_number: strconv.ParseFloat: parsing "x": invalid syntax',
        location: { file: 'main.rego', line: 21, column: 8 },
      },
    ];
    await expect(onModule(strict)).rejects.toMatchObject({ problems });
    await expect(toolchain.eval(sources, strict)).rejects.toMatchObject({ problems });
  });

  it('refuses all of data, where a module has more than the policy', async () => {
    const problem = {
      code: 'query',
      message: 'all of data is no document of a module: name a path in it',
      location: { file: '<query>', line: 1, column: 6 },
    };
    await expect(onModule(ask('x := data'))).rejects.toMatchObject({
      code: 'POLICY_COMPILE',
      problems: [problem],
    });
  });

  it('ends at the limit of a policy', async () => {
    const query =
      'count([1 | some a in numbers.range(1, 30000); some b in numbers.range(1, 30000); a * b == 7])';
    await expect(onModule({ query })).rejects.toMatchObject({ code: 'POLICY_LIMIT' });
  });
});
