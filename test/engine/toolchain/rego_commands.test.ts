// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { loadRego } from '../../../engine/rego/index.ts';
import { openRegoBuiltins } from '../../../engine/toolchain/builtins.ts';
import { readAnswer } from '../../../engine/toolchain/rego/rego_answer.ts';
import { openRegoToolchain, type RegoSource } from '../../../engine/toolchain/rego.ts';
import { readSchemas } from '../../../engine/toolchain/schemas.ts';
import { expectThrown } from '../../expect.ts';

const BUILT = join(import.meta.dirname, '../../../engine/toolchain/built');
const toolchain = openRegoToolchain({ directory: BUILT, deadlineMs: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'countersign-schemas-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await toolchain.close();
});

const source = (text: string, file = 'a.rego'): RegoSource => ({ file, text });
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

async function codesOf(request: Promise<unknown>): Promise<readonly string[]> {
  const error = await request.catch((thrown: unknown) => thrown);
  if (!(error instanceof EngineError)) throw new Error('expected an EngineError', { cause: error });
  return [error.code, ...error.problems.map(({ code, message }) => `${code} ${message}`)];
}

describe('format', () => {
  it('lays out each file in its own version of the language', async () => {
    const old: RegoSource = { ...source('package b\np[x] { x := 1 }', 'b.rego'), v0: true };
    expect(await toolchain.format([source('package a\np  if {  x }'), old])).toEqual([
      'package a\n\np if x\n',
      'package b\n\np[x] {\n\tx := 1\n}\n',
    ]);
  });

  it('refuses half a character before it becomes another', async () => {
    expect(await codesOf(toolchain.format([source('package a # \ud800')]))).toEqual(['POLICY_UNREADABLE']);
  });
});

describe('eval', () => {
  const policy = source(
    'package a\n\ndeny contains c.name if {\n\tsome c in input.list\n\tc.on\n\tnot c.limits\n}\n\nok if input.n == 9007199254740993\n\nboom := 1 / data.zero\n',
  );

  it('keeps every digit in and out', async () => {
    const { result } = await toolchain.eval([policy], {
      query: 'x := input.n; data.a.ok',
      input: '{"n": 9007199254740993}',
    });
    expect(result[0]?.bindings).toEqual({ x: '9007199254740993' });
  });

  it('is undefined where nothing holds', async () => {
    expect(await toolchain.eval([policy], { query: 'data.a.ok' })).toEqual({
      result: [],
      printed: '',
      rules: [],
    });
  });

  it('names the first expression that no value passed', async () => {
    const input = JSON.stringify({
      list: [
        { name: 'x', on: false },
        { name: 'y', on: true, limits: 1 },
        { name: 'z', on: false },
      ],
    });
    const { rules } = await toolchain.eval([policy], { query: 'data.a.deny', input, explain: true });
    expect(rules).toEqual([
      {
        path: 'data.a.deny',
        file: 'a.rego',
        line: 3,
        head: 'deny contains c.name if { …',
        fired: 0,
        stopped: { line: 6, column: 2, text: 'not c.limits' },
      },
    ]);
  });

  it('says which of several bodies fired, and where an else and a function stopped', async () => {
    const several = source(
      'package a\n\ngrade := "low" if input.n < 2\n\nelse := "mid" if near(input.n)\n\nelse := "high"\n\nnear(x) if {\n\tx > 2\n\tx < 5\n}\n',
    );
    const { rules } = await toolchain.eval([several], {
      query: 'data.a.grade',
      input: '{"n":7}',
      explain: true,
    });
    expect(rules.map(({ path, line, fired, stopped }) => [path, line, fired, stopped?.text])).toEqual([
      ['data.a.grade', 3, 0, 'input.n < 2'],
      ['data.a.grade', 5, 0, 'near(input.n) …'],
      ['data.a.grade', 7, 1, undefined],
      ['data.a.near', 9, 0, 'x < 5'],
    ]);
  });

  it('treats a failing builtin as undefined, or as an error', async () => {
    const options = { query: 'data.a.boom', data: { zero: 0 } };
    expect((await toolchain.eval([policy], options)).result).toEqual([]);
    expect(await codesOf(toolchain.eval([policy], { ...options, strictBuiltinErrors: true }))).toEqual([
      'POLICY_EVALUATION',
      'eval_builtin_error div: divide by zero',
    ]);
  });

  it('has the clock that it is given, and makes up no network or chance', async () => {
    const { result } = await toolchain.eval([], { query: 'time.now_ns()', time: new Date(1_000) });
    expect(result[0]?.expressions[0]?.value).toBe('1000000000');
    for (const query of ['http.send({})', 'rand.intn("a", 5)', 'opa.runtime()'])
      expect((await codesOf(toolchain.eval([], { query })))[0]).toBe('POLICY_BUILTIN');
    expect(
      await codesOf(toolchain.eval([source('package a\n\np := uuid.rfc4122("k")')], { query: '1' })),
    ).toEqual(['POLICY_BUILTIN', 'POLICY_BUILTIN builtin "uuid.rfc4122" is not available']);
  });

  it('refuses data that is no object, and data where rules are', async () => {
    expect(await codesOf(toolchain.eval([], { query: '1', data: [1] }))).toEqual(['POLICY_DATA']);
    expect((await codesOf(toolchain.eval([policy], { query: '1', data: { a: { ok: 1 } } })))[0]).toBe(
      'POLICY_COMPILE',
    );
  });
});

describe('deps', () => {
  it('tells documents from outside from rules', async () => {
    const policy = source('package a\n\np if q[input.x].y\n\nq[k] := data.t[k] if some k in data.keys');
    expect(await toolchain.deps([policy], 'data.a.p')).toEqual({
      base: ['data.keys', 'data.t', 'input.x'],
      virtual: ['data.a.p', 'data.a.q'],
    });
  });
});

describe('check with schemas', () => {
  it('takes one file for input and a folder by name', async () => {
    const schema = { type: 'object', properties: { kind: { type: 'string' } }, additionalProperties: false };
    writeFileSync(join(folder, 'pod.json'), JSON.stringify(schema));
    const one = readSchemas(join(folder, 'pod.json'));
    expect(
      await codesOf(toolchain.check([source('package a\n\np if input.knd')], { strict: true, schemas: one })),
    ).toEqual(['POLICY_COMPILE', 'rego_type_error undefined ref: input.knd']);
    const named = source(
      'package a\n\n# METADATA\n# schemas:\n# - input: schema.pod\np if input.kind == 1\n',
    );
    expect((await codesOf(toolchain.check([named], { strict: true, schemas: readSchemas(folder) })))[1]).toBe(
      'rego_type_error match error',
    );
    await expect(
      toolchain.check([source('package a\n\np if input.knd')], { strict: true }),
    ).resolves.toBeUndefined();
  });

  it('never asks another host for a schema', async () => {
    const schemas = [{ file: 's.json', path: [], schema: { $ref: 'https://schemas.invalid/pod.json' } }];
    const [code, problem] = await codesOf(
      toolchain.check([source('package a\n\np if input.kind')], { strict: true, schemas }),
    );
    expect([code, problem]).toEqual(['POLICY_COMPILE', expect.stringContaining('schemas.invalid')]);
  });

  it('refuses a schema that is not there or no JSON', () => {
    expectThrown(() => readSchemas(join(folder, 'none.json')), EngineError, 'POLICY_UNREADABLE');
    writeFileSync(join(folder, 'broken.json'), '{');
    expectThrown(() => readSchemas(join(folder, 'broken.json')), EngineError, 'POLICY_UNREADABLE');
    rmSync(join(folder, 'broken.json'));
  });
});

describe('build with optimisation', () => {
  const policy = source(
    'package a\n\nimport rego.v1\n\ndeny contains "listed" if data.blocked[input.name]\n\ndeny contains msg if {\n\tsmall\n\tmsg := "small"\n}\n\nsmall if input.size < data.limits.size\n\ncfg := data.a.extra',
  );

  it.each([0, 1, 2])(
    'gives the same answers at level %i, with data that is loaded later',
    async (optimise) => {
      const { wasm } = await toolchain.build([policy], { entrypoints: ['a/deny', 'a/cfg'], optimise });
      const data = { blocked: { x: true }, limits: { size: 5 }, a: { extra: 'kept' } };
      const program = loadRego(wasm, { data: bytesOf(data) });
      expect(program.evaluate('a/deny', bytesOf({ name: 'x', size: 3 })).value).toEqual(['listed', 'small']);
      expect(program.evaluate('a/deny', bytesOf({ name: 'y', size: 9 })).value).toEqual([]);
      expect(program.evaluate('a/cfg', bytesOf({})).value).toBe('kept');
    },
  );

  it.each([0, 1, 2])('lets the host see a builtin that fails at level %i', async (optimise) => {
    const failing = source(
      'package a\n\ndeny contains "constant" if to_number("x") > 1\n\ndeny contains "input" if to_number(input.x) > 1\n',
    );
    const { wasm } = await toolchain.build([failing], { entrypoints: ['a/deny'], optimise });
    const program = loadRego(wasm, { data: bytesOf({}), builtins: openRegoBuiltins(BUILT) });
    const { value, failures } = program.evaluate('a/deny', bytesOf({ x: 'y' }), { isStrict: true });
    expect(value).toEqual([]);
    expect(failures.map(({ name }) => name)).toEqual(['to_number', 'to_number']);
  });

  it('gives the same bytes each time', async () => {
    const build = async (optimise: number): Promise<Uint8Array> =>
      (await toolchain.build([policy], { entrypoints: ['a/deny', 'a/cfg'], optimise })).wasm;
    for (const level of [0, 2]) expect(Buffer.compare(await build(level), await build(level))).toBe(0);
  });

  it('builds what is written in both versions of the language', async () => {
    const old: RegoSource = {
      ...source('package old\n\ndeny[msg] { msg := input.x }', 'old.rego'),
      v0: true,
    };
    const fresh = source('package fresh\n\ndeny contains x if some x in data.old.deny', 'fresh.rego');
    for (const optimise of [0, 1]) {
      const { wasm } = await toolchain.build([old, fresh], { entrypoints: ['fresh/deny'], optimise });
      const program = loadRego(wasm, { data: bytesOf({}) });
      expect(program.evaluate('fresh/deny', bytesOf({ x: 'seen' })).value).toEqual(['seen']);
    }
  });
});

describe('an answer', () => {
  const reply = (answer: object): Uint8Array => {
    const text = Buffer.from(JSON.stringify(answer));
    const head = Buffer.alloc(4);
    head.writeUInt32LE(text.length);
    return Buffer.concat([head, text]);
  };

  it('is a fault of the toolchain where the program panicked', () => {
    const crash = reply({ problems: [{ code: 'crash', message: 'index out of range' }] });
    expectThrown(
      () => readAnswer(crash),
      EngineError,
      'TOOLCHAIN_FAILED',
      'OPA\'s compiler crashed over this policy: "index out of range"',
    );
  });
});

describe('many at once', () => {
  it('reads 5,000 files', async () => {
    const files = Array.from({ length: 5_000 }, (_, index) =>
      source(`package p${index}\n\np := ${index}\n`, `${index}.rego`),
    );
    expect(await toolchain.parse(files)).toHaveLength(5_000);
  });

  it('goes on after a request that was too much', async () => {
    const slow = source(
      'package a_test\n\ntest_a if {\n\tsome i in numbers.range(1, 100000)\n\tsome j in numbers.range(1, 100000)\n\ti * j < 0\n}',
      'a_test.rego',
    );
    expect((await codesOf(toolchain.test([slow], { deadlineMs: 1_500 })))[0]).toBe('POLICY_DEADLINE');
    expect((await toolchain.test([slow], { timeoutMs: 50 })).tests[0]?.error).toBe('not done after 50ms');
    expect((await toolchain.eval([], { query: '1 + 1' })).result[0]?.expressions[0]?.value).toBe('2');
  });
});
