// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../../engine/error.ts';
import { type BuiltinServer, loadRego, type RegoProgram } from '../../../../engine/rego/index.ts';
import { openRegoBuiltins, openRegoToolchain } from '../../../../engine/toolchain/index.ts';
import { expectThrown } from '../../../expect.ts';

const BUILT = resolve('engine/toolchain/built');
const toolchain = openRegoToolchain({ directory: BUILT, deadlineMs: 60_000 });
const builtins = openRegoBuiltins(BUILT);
afterAll(() => toolchain.close());

const TIME = new Date('2026-01-02T03:04:05.678Z');

async function program(rules: string, server: BuiltinServer | undefined = builtins): Promise<RegoProgram> {
  const source = { file: 'main.rego', text: `package main\n\n${rules}\n` };
  const { wasm } = await toolchain.build([source], { entrypoints: ['main/deny'] });
  return loadRego(wasm, {
    data: Buffer.from('{}'),
    limits: { memoryBytes: 32 * 1024 * 1024 },
    ...(server === undefined ? {} : { builtins: server }),
  });
}

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const at = (line: number, column: number) => ({ file: 'main.rego', line, column });

describe('strict errors', () => {
  it("show a native builtin that fails, in OPA's words and with the place in the source", async () => {
    const rego = await program(
      'deny contains "prio" if to_number(input.prio) > 5\n\ndeny contains "many" if {\n\tcount(input.items) - 1 > 2\n}',
    );
    const fine = bytes({ prio: '6', items: [1] });
    expect(rego.evaluate('main/deny', fine, { isStrict: true })).toMatchObject({
      value: ['prio'],
      failures: [],
    });
    const broken = bytes({ prio: 'high', items: 4 });
    expect(rego.evaluate('main/deny', broken)).toMatchObject({ value: [], failures: [] });
    expect(rego.evaluate('main/deny', broken, { isStrict: true }).failures).toEqual([
      {
        name: 'to_number',
        code: 'eval_builtin_error',
        message: 'to_number: strconv.ParseFloat: parsing "high": invalid syntax',
        location: at(3, 25),
      },
      {
        name: 'count',
        code: 'eval_type_error',
        message: 'count: operand 1 must be one of {array, object, set, string} but got number',
        location: at(6, 2),
      },
    ]);
  });

  it('give the same value and take the same steps every time', async () => {
    const rego = await program('deny contains x if x := count(input.a) + count(input.b)');
    const input = bytes({ a: [1], b: {} });
    const first = rego.evaluate('main/deny', input, { isStrict: true });
    expect(first.value).toEqual([1]);
    rego.evaluate('main/deny', bytes({ a: 1 }), { isStrict: true });
    expect(rego.evaluate('main/deny', input, { isStrict: true })).toEqual(first);
    expect(rego.evaluate('main/deny', input)).toEqual(first);
  });

  it('take undefined for no failure where OPA does', async () => {
    const rego = await program(
      'deny contains x if x := max(input.items)\n\ndeny contains x if x := count(input.nosuch)',
    );
    expect(rego.evaluate('main/deny', bytes({ items: [] }), { isStrict: true })).toMatchObject({
      value: [],
      failures: [],
    });
  });

  it('show a served builtin that fails, and a twin', async () => {
    const rego = await program(
      'deny contains json.patch({}, [{"op": "remove", "path": input.path}])\n\ndeny contains sprintf(input.path, [1])',
    );
    expect(rego.evaluate('main/deny', bytes({ path: '/a' }), { isStrict: true })).toMatchObject({
      value: ['/a%!(EXTRA int64=1)'],
      failures: [{ name: 'json.patch', code: 'eval_builtin_error', location: at(3, 15) }],
    });
    expect(rego.evaluate('main/deny', bytes({ path: 1 }), { isStrict: true }).failures.slice(-1)).toEqual([
      {
        name: 'sprintf',
        code: 'eval_type_error',
        message: 'sprintf: operand 1 must be string but got number',
        location: at(5, 15),
      },
    ]);
  });

  it('are kept where `with` replaces a builtin, without a place, and the replacement is what is called', async () => {
    const rego = await program(
      'one(_) := 1\n\na := count(input.x)\n\ndeny contains n if n := a with count as one\n\ndeny contains {a}\n\nf(x) := x\n\ndeny contains n if n := f(input.y) with f as to_number',
    );
    expect(rego.evaluate('main/deny', bytes({ x: [1, 2, 3], y: '5' }), { isStrict: true })).toMatchObject({
      value: [1, 5, [3]],
      failures: [],
    });
    const { failures } = rego.evaluate('main/deny', bytes({ x: 1, y: 'y' }), { isStrict: true });
    expect(failures.map(({ name, location }) => ({ name, location }))).toEqual([
      { name: 'count', location: undefined },
      { name: 'to_number', location: undefined },
    ]);
  });

  it("leave rules of a builtin's name alone", async () => {
    const rego = await program('count(x) := x\n\ndeny contains count(input.x)');
    expect(rego.evaluate('main/deny', bytes({ x: 7 }), { isStrict: true })).toMatchObject({
      value: [7],
      failures: [],
    });
  });

  it('keep some failures of very many', async () => {
    const rego = await program(
      'deny contains x if {\n\tsome i in numbers.range(1, 500)\n\tx := to_number(sprintf("x%d", [i]))\n}',
    );
    const { failures } = rego.evaluate('main/deny', bytes({}), { isStrict: true });
    expect(failures).toHaveLength(20);
  });

  it("are failures even where nobody knows OPA's words", async () => {
    const source = { file: 'main.rego', text: 'package main\n\ndeny contains 1 if count(input.x) > 1' };
    const { wasm } = await toolchain.build([source], { entrypoints: ['main/deny'] });
    const rego = loadRego(wasm, { data: Buffer.from('{}') });
    expect(rego.evaluate('main/deny', bytes({ x: 3 }), { isStrict: true }).failures).toEqual([
      { name: 'count', code: 'eval_builtin_error', message: 'count: it failed', location: at(3, 20) },
    ]);
  });
});

describe('served builtins', () => {
  it('answer with sets, exact numbers and keys of any type', async () => {
    const rego = await program(
      'deny contains x if x := net.cidr_expand("10.0.0.0/30")\n\ndeny contains x if x := json.patch({1: {2, 3}}, [{"op": "add", "path": "a", "value": 9007199254740993}])\n\ndeny contains format_int(18446744073709551617, 16)',
    );
    expect(rego.evaluate('main/deny', bytes({})).value).toEqual([
      '10000000000000001',
      new Map<unknown, unknown>([
        [1, [2, 3]],
        ['a', 9007199254740993n],
      ]),
      ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3'],
    ]);
  });

  it('see the clock of the evaluation, and none without one', async () => {
    const rego = await program('deny contains time.now_ns()\n\ndeny contains time.format(time.now_ns())');
    expect(rego.evaluate('main/deny', bytes({}), { time: TIME }).value).toEqual([
      1767323045678000000n,
      '2026-01-02T03:04:05.678Z',
    ]);
    expectThrown(
      () => rego.evaluate('main/deny', bytes({})),
      EngineError,
      'POLICY_EVALUATION',
      'builtin this evaluation has no time',
    );
  });

  it('pass a bound as a limit, which is never undefined', async () => {
    const rego = await program('deny contains "x" if not net.cidr_expand(input.cidr)');
    expect(rego.evaluate('main/deny', bytes({ cidr: '10.0.0.0/30' })).value).toEqual([]);
    for (const isStrict of [false, true])
      expectThrown(
        () => rego.evaluate('main/deny', bytes({ cidr: '10.0.0.0/8' }), { isStrict }),
        EngineError,
        'POLICY_LIMIT',
        'builtin net.cidr_expand: it would make more than 65536 addresses',
      );
    expect(rego.evaluate('main/deny', bytes({ cidr: '10.0.0.0/30' })).value).toEqual([]);
  });

  it('pay for what goes in and out', async () => {
    const rego = await program(
      'deny contains x if {\n\tsome i in numbers.range(1, 1000000)\n\tx := crypto.sha256(input.text)\n\ti < 0\n}',
    );
    expectThrown(
      () => rego.evaluate('main/deny', bytes({ text: 'x'.repeat(100_000) })),
      EngineError,
      'POLICY_LIMIT',
    );
  });

  it('are an error when they break, and serve the next evaluation', async () => {
    const rego = await program('deny contains x if x := yaml.unmarshal(input.text)');
    // Deeper than the program's stack, in a form that no bracket shows.
    expectThrown(
      () => rego.evaluate('main/deny', bytes({ text: '- '.repeat(3_000) })),
      EngineError,
      'TOOLCHAIN_FAILED',
    );
    expect(rego.evaluate('main/deny', bytes({ text: '- 0777' })).value).toEqual([[511]]);
  });

  it('give an error where their answer is no text', async () => {
    const rego = await program('deny contains x if x := hex.decode(input.hex)');
    expect(rego.evaluate('main/deny', bytes({ hex: 'c3a9' })).value).toEqual(['é']);
    expect(() => rego.evaluate('main/deny', bytes({ hex: 'ff' }))).toThrow(EngineError);
  });

  it('are refused where nobody serves them', async () => {
    const source = { file: 'main.rego', text: 'package main\n\ndeny contains x if x := hex.decode("ff")' };
    const { wasm } = await toolchain.build([source], { entrypoints: ['main/deny'] });
    expectThrown(
      () => loadRego(wasm, { data: Buffer.from('{}') }),
      EngineError,
      'POLICY_BUILTIN',
      'builtin "hex.decode" is not available',
    );
  });

  it('are refused by the import list of a module from elsewhere, whatever its source was', async () => {
    const source = {
      file: 'main.rego',
      text: 'package main\n\ndeny contains x if x := http.send({"url": "", "method": "get"})',
    };
    const { wasm } = await toolchain.build([source], { entrypoints: ['main/deny'], extra: ['http.send'] });
    expectThrown(
      () => loadRego(wasm, { data: Buffer.from('{}'), builtins }),
      EngineError,
      'POLICY_BUILTIN',
      'builtin "http.send" is not available',
    );
  });
});
