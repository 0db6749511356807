// SPDX-License-Identifier: Apache-2.0
// Modules from elsewhere: cut short, damaged, of another ABI, with imports or exports that no policy has.
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { loadRego } from '../../../engine/rego/index.ts';
import { openRegoToolchain } from '../../../engine/toolchain/rego.ts';
import { seededRandom } from '../../bench/corpus/random.ts';
import { expectThrown } from '../../expect.ts';
import { type Assembly, assemble, type Code, I32, imported, MEMORY } from './assemble.ts';

const DATA = Buffer.from('{}');
const load = (bytes: Uint8Array): unknown => loadRego(bytes, { data: DATA });

const CALLS =
  'opa_malloc opa_free opa_heap_ptr_get opa_heap_ptr_set opa_json_parse opa_value_parse opa_value_dump builtins opa_eval_ctx_new opa_eval_ctx_set_input opa_eval_ctx_set_data opa_eval_ctx_set_entrypoint eval opa_eval_ctx_get_result entrypoints'.split(
    ' ',
  );
const constant = (value: number): Code => [I32, 0, 0x41, value, 0x0b];

/** A module that looks like a policy's: every function of OPA's interface is one and the same. */
const lookalike = (code: Code, change: Partial<Assembly> = {}): Uint8Array =>
  assemble({
    types: [[[], [I32]]],
    functions: [{ type: 0, code }],
    globals: [constant(1), constant(3)],
    exports: [
      ...CALLS.map((name) => [name, 0, 0] as const),
      ['opa_wasm_abi_version', 3, 0],
      ['opa_wasm_abi_minor_version', 3, 1],
    ],
    ...change,
  });

const ZERO: Code = [0x41, 0, 0x0b];
const LOOP: Code = [0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0, 0x0b];
const ITSELF: Code = [0x10, 0, 0x0b];
const EXPORTS_WITHOUT_EVAL = CALLS.filter((name) => name !== 'eval').map((name) => [name, 0, 0] as const);

const STRANGE: readonly (readonly [string, Uint8Array, RegExp])[] = [
  [
    'a major version to come',
    lookalike(ZERO, { globals: [constant(2), constant(0)] }),
    /its ABI is 2\.0, and only 1\.2 and 1\.3/,
  ],
  ['a minor version to come', lookalike(ZERO, { globals: [constant(1), constant(4)] }), /its ABI is 1\.4/],
  [
    'a minor version of long ago',
    lookalike(ZERO, { globals: [constant(1), constant(1)] }),
    /its ABI is 1\.1/,
  ],
  [
    'no version',
    lookalike(ZERO, { exports: CALLS.map((name) => [name, 0, 0] as const) }),
    /exports no global "opa_wasm_abi_version"/,
  ],
  [
    'no evaluation',
    lookalike(ZERO, {
      exports: [
        ...EXPORTS_WITHOUT_EVAL,
        ['opa_wasm_abi_version', 3, 0],
        ['opa_wasm_abi_minor_version', 3, 1],
      ],
    }),
    /exports no function "eval"/,
  ],
  [
    'an import of its own',
    lookalike(ZERO, { imports: [MEMORY, imported('env', 'fetch', [0, 0])], exports: [] }),
    /imports "env\.fetch"/,
  ],
  [
    'an import of a system',
    lookalike(ZERO, {
      imports: [MEMORY, imported('wasi_snapshot_preview1', 'fd_write', [0, 0])],
      exports: [],
    }),
    /imports "wasi_snapshot_preview1\.fd_write"/,
  ],
  [
    'a builtin by the name of a member of every object',
    lookalike(ZERO, { imports: [MEMORY, imported('env', 'toString', [0, 0])], exports: [] }),
    /imports "env\.toString"/,
  ],
  [
    'a memory that is too large',
    lookalike(ZERO, { imports: [imported('env', 'memory', [2, 0, 0x80, 0x80, 4])] }),
    /memory/,
  ],
  [
    "the limiter's fuel",
    lookalike(ZERO, { exports: [['fuel', 0, 0]] }),
    /export "fuel" has a name that is needed/,
  ],
  [
    "the limiter's depth",
    lookalike(ZERO, { exports: [['depth', 0, 0]] }),
    /export "depth" has a name that is needed/,
  ],
  [
    "the limiter's globals",
    lookalike(ZERO, { exports: [['mut17', 3, 0]] }),
    /export "mut17" has a name that is needed/,
  ],
  [
    'a start that traps',
    lookalike([0x00, 0x0b], {
      start: 1,
      functions: [
        { type: 0, code: ZERO },
        { type: 1, code: [0x00, 0x0b] },
      ],
      types: [
        [[], [I32]],
        [[], []],
      ],
    }),
    /unreachable/,
  ],
  ['functions that never end', lookalike(LOOP), /unreachable/],
  ['functions that call themselves', lookalike(ITSELF), /unreachable/],
  ['functions that answer nothing', lookalike(ZERO), /./],
];

describe('a module from elsewhere', () => {
  it.each(STRANGE)('with %s is refused', (_name, bytes, why) => {
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(() => load(bytes)).toThrow(EngineError);
    expectThrown(() => load(bytes), EngineError, 'POLICY_MODULE');
    expect(() => load(bytes)).toThrow(why);
  });

  it('with more locals than the engine takes, once it is charged, is refused', () => {
    const most = (count: number): Code => [
      0x80 | (count & 0x7f),
      0x80 | ((count >> 7) & 0x7f),
      count >> 14,
      I32,
    ];
    const bytes = lookalike(ZERO, { functions: [{ type: 0, locals: [most(50_000)], code: ZERO }] });
    expect(WebAssembly.validate(bytes)).toBe(true);
    expectThrown(() => load(bytes), EngineError, 'POLICY_MODULE');
  });
});

describe("a policy's module", () => {
  const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 60_000 });
  let wasm: Uint8Array;
  beforeAll(async () => {
    const text = 'package main\n\nimport rego.v1\n\ndeny contains x if some x in input.items\n';
    ({ wasm } = await toolchain.build([{ file: 'main.rego', text }], { entrypoints: ['main/deny'] }));
  });
  afterAll(() => toolchain.close());

  it('is refused when cut short anywhere', () => {
    const random = seededRandom(20_261_124);
    const cuts = [
      ...Array.from({ length: 40 }, () => random.whole(wasm.length)),
      ...Array.from({ length: 60 }, (_, at) => at),
    ];
    for (const cut of cuts) expectThrown(() => load(wasm.subarray(0, cut)), EngineError, 'POLICY_MODULE');
  });

  it('is refused, ends or answers with a byte changed', () => {
    const random = seededRandom(20_261_125);
    const ends = new Map<string, number>();
    for (let round = 0; round < 40; round++) {
      const bytes = Uint8Array.from(wasm);
      bytes[random.whole(bytes.length)] = random.whole(256);
      const end = endOf(bytes);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    const codes =
      'answer POLICY_MODULE POLICY_BUILTIN POLICY_DATA POLICY_LIMIT POLICY_EVALUATION POLICY_RESULT INPUT_SYNTAX';
    expect(codes.split(' ')).toEqual(expect.arrayContaining([...ends.keys()]));
    expect(ends.get('POLICY_MODULE')).toBeGreaterThan(0);
  });

  function endOf(bytes: Uint8Array): string {
    try {
      const program = loadRego(bytes, { data: DATA, limits: { steps: 1e7, memoryBytes: 2 ** 22 } });
      program.setData(['a', 'b'], Buffer.from('{"c":1}'));
      program.evaluate('main/deny', Buffer.from('{"items":["a","b"]}'));
      return 'answer';
    } catch (error) {
      if (error instanceof EngineError) return error.code;
      throw error;
    }
  }
});
