// SPDX-License-Identifier: Apache-2.0
// The limiter against modules that no compiler would write: every way of going on for ever must pass a charge, and whatever cannot
// be given one is refused.
import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EngineError } from '../../../engine/error.ts';
import { meter } from '../../../engine/rego/index.ts';
import { expectThrown, thrownBy } from '../../expect.ts';
import { type Assembly, assemble, type Code, I32, I64, imported, MEMORY } from './assemble.ts';

const FUEL = 10_000n;
const DEPTH = 100;
const NOTHING: readonly [Code, Code] = [[], []];
const I32_TO_I32: readonly [Code, Code] = [[I32], [I32]];
const FUNCREF_TABLE: Code = [0x70, 0x00, 0x02];
/** Table 0 from 0: function 0, function 1. */
const BOTH: Code = [0x00, 0x41, 0x00, 0x0b, 0x02, 0x00, 0x01];

interface Metered {
  readonly run: (...parameters: (number | bigint)[]) => unknown;
  readonly fuel: WebAssembly.Global;
  readonly depth: WebAssembly.Global;
  readonly exports: WebAssembly.Exports;
}

function instantiate(bytes: Uint8Array): Metered {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const { run, fuel, depth } = exports;
  if (
    typeof run !== 'function' ||
    !(fuel instanceof WebAssembly.Global) ||
    !(depth instanceof WebAssembly.Global)
  )
    throw new Error('an export is missing');
  fuel.value = FUEL;
  depth.value = DEPTH;
  return { run: (...parameters) => run(...parameters), fuel, depth, exports };
}

const metered = (module: Assembly): Metered => instantiate(meter(assemble(module)));
const simple = (code: Code): Assembly => ({ functions: [{ type: 0, code }] });

const ENDLESS: readonly (readonly [string, Assembly, 'fuel' | 'depth'])[] = [
  ['a loop', simple([0x03, 0x40, 0x0c, 0x00, 0x0b, 0x0b]), 'fuel'],
  [
    'nested loops left by br_if',
    simple([0x03, 0x40, 0x03, 0x40, 0x41, 1, 0x0d, 1, 0x0b, 0x0b, 0x0b]),
    'fuel',
  ],
  [
    'a loop from within blocks',
    simple([0x03, 0x40, 0x02, 0x40, 0x02, 0x40, 0x0c, 2, 0x0b, 0x0b, 0x0b, 0x0b]),
    'fuel',
  ],
  ['a loop by br_table', simple([0x03, 0x40, 0x41, 7, 0x0e, 2, 1, 1, 0, 0x0b, 0x0b]), 'fuel'],
  [
    'a loop in each arm of an if',
    simple([0x41, 0, 0x04, 0x40, 0x01, 0x05, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b, 0x0b]),
    'fuel',
  ],
  [
    'a loop with a parameter',
    {
      types: [NOTHING, I32_TO_I32],
      functions: [{ type: 0, code: [0x41, 5, 0x03, 1, 0x0c, 0, 0x0b, 0x1a, 0x0b] }],
    },
    'fuel',
  ],
  [
    'a loop of a type whose index takes two bytes',
    {
      types: [NOTHING, ...Array.from({ length: 199 }, () => I32_TO_I32)],
      functions: [{ type: 0, code: [0x41, 5, 0x03, 0xc7, 0x01, 0x0c, 0, 0x0b, 0x1a, 0x0b] }],
    },
    'fuel',
  ],
  [
    'calls that double',
    {
      functions: Array.from({ length: 41 }, (_, at) => ({
        type: 0,
        code: at === 40 ? [0x0b] : [0x10, at + 1, 0x10, at + 1, 0x0b],
      })),
    },
    'fuel',
  ],
  ['a call of itself', simple([0x10, 0, 0x0b]), 'depth'],
  [
    'a call of each other',
    {
      functions: [
        { type: 0, code: [0x10, 1, 0x0b] },
        { type: 0, code: [0x10, 0, 0x0b] },
      ],
    },
    'depth',
  ],
  [
    'a call through the table',
    {
      functions: [
        { type: 0, code: [0x41, 1, 0x11, 0, 0, 0x0b] },
        { type: 0, code: [0x10, 0, 0x0b] },
      ],
      tables: [FUNCREF_TABLE],
      elements: [BOTH],
    },
    'depth',
  ],
  [
    'a start function',
    {
      ...simple([0x0b]),
      functions: [
        { type: 0, code: [0x0b] },
        { type: 0, code: [0x03, 0x40, 0x0c, 0, 0x0b, 0x0b] },
      ],
      start: 1,
    },
    'fuel',
  ],
];

/** Valid modules that the limiter must not take, and why. */
const REFUSED: readonly (readonly [string, Assembly, RegExp])[] = [
  ['a memory of its own', { ...simple([0x0b]), imports: [], memories: [[0x00, 0x01]] }, /memory of its own/],
  [
    'a memory of 64 bits',
    { ...simple([0x0b]), imports: [imported('env', 'memory', [0x02, 0x04, 0x01])] },
    /unknown kind of memory/,
  ],
  [
    'a shared memory',
    { ...simple([0x0b]), imports: [imported('env', 'memory', [0x02, 0x03, 0x01, 0x02])] },
    /unknown kind of memory/,
  ],
  ['two memories', { ...simple([0x0b]), imports: [MEMORY, MEMORY] }, /several memories/],
  [
    'an imported table',
    { ...simple([0x0b]), imports: [imported('env', 't', [0x01, 0x70, 0x00, 0x01])] },
    /unknown kind of import/,
  ],
  [
    'an imported global',
    { ...simple([0x0b]), imports: [imported('env', 'g', [0x03, I64, 0x01])] },
    /unknown kind of import/,
  ],
  [
    'an exported global named fuel',
    {
      ...simple([0x0b]),
      globals: [[I64, 1, 0x42, 0, 0x0b]],
      exports: [
        ['run', 0, 0],
        ['fuel', 3, 0],
      ],
    },
    /"fuel" has a name that is needed/,
  ],
  [
    'a function named depth',
    { ...simple([0x0b]), exports: [['depth', 0, 0]] },
    /"depth" has a name that is needed/,
  ],
  [
    'an exported memory named mut0',
    { ...simple([0x0b]), exports: [['mut0', 2, 0]] },
    /"mut0" has a name that is needed/,
  ],
  ['a tail call', simple([0x12, 0, 0x0b]), /opcode 0x12/],
  [
    'a tail call through the table',
    { ...simple([0x41, 0, 0x13, 0, 0, 0x0b]), tables: [FUNCREF_TABLE] },
    /opcode 0x13/,
  ],
  ['a vector', simple([0xfd, 12, ...Array.from({ length: 16 }, () => 0), 0x1a, 0x0b]), /opcode 0xfd/],
  ['an exception handler', simple([0x1f, 0x40, 0, 0x0b, 0x0b]), /opcode 0x1f/],
  ['memory.copy', simple([0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 10, 0, 0, 0x0b]), /opcode 0xfc 10/],
  ['memory.fill', simple([0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0, 0x0b]), /opcode 0xfc 11/],
  ['table.set', { ...simple([0x41, 0, 0xd0, 0x70, 0x26, 0, 0x0b]), tables: [FUNCREF_TABLE] }, /opcode 0xd0/],
  ['table.get', { ...simple([0x41, 0, 0x25, 0, 0x1a, 0x0b]), tables: [FUNCREF_TABLE] }, /opcode 0x25/],
  ['select with a type', simple([0x41, 0, 0x41, 0, 0x41, 0, 0x1c, 1, I32, 0x1a, 0x0b]), /opcode 0x1c/],
  [
    'a reference to a function',
    { ...simple([0xd2, 0, 0x1a, 0x0b]), exports: [['run', 0, 0]] },
    /opcode 0xd2/,
  ],
  [
    'a local that is a reference',
    { functions: [{ type: 0, locals: [[1, 0x70]], code: [0x0b] }] },
    /type 0x70/,
  ],
  [
    'a parameter that is a reference',
    { types: [NOTHING, [[0x6f], []]], functions: [{ type: 0, code: [0x0b] }] },
    /type 0x6f/,
  ],
  ['a block of a reference type', simple([0x02, 0x70, 0x00, 0x0b, 0x1a, 0x0b]), /unknown kind of block/],
  ['two tables', { ...simple([0x0b]), tables: [FUNCREF_TABLE, FUNCREF_TABLE] }, /several tables/],
  [
    'a table of other references',
    { ...simple([0x0b]), tables: [[0x6f, 0x00, 0x01]] },
    /unknown kind of table/,
  ],
  ['a table of 64 bits', { ...simple([0x0b]), tables: [[0x70, 0x04, 0x01]] }, /unknown kind of table/],
  [
    'a table full of one function, which calls itself through it',
    { ...simple([0x41, 0, 0x11, 0, 0, 0x0b]), tables: [[0x40, 0x00, 0x70, 0x00, 0x01, 0xd2, 0x00, 0x0b]] },
    /unknown kind of table/,
  ],
  [
    'elements by expression',
    { ...simple([0x0b]), tables: [FUNCREF_TABLE], elements: [[0x04, 0x41, 0, 0x0b, 1, 0xd2, 0, 0x0b]] },
    /unknown kind of element/,
  ],
  [
    'a constant of several instructions',
    { ...simple([0x0b]), globals: [[I32, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b]] },
    /unknown kind of constant/,
  ],
  [
    'several results of a function that calls itself',
    { types: [[[], [I32, I32]]], functions: [{ type: 0, code: [0x10, 0, 0x0b] }] },
    /several results/,
  ],
  [
    'a loop behind the two bytes of a reference type',
    {
      types: Array.from({ length: 40 }, () => NOTHING),
      // To a reader that takes types for one byte, the first line opens a block too many, in code that never runs; in the second
      // the type's second byte (`local.get`) swallows the loop's opcode, whose `end` closes that block.
      functions: [
        {
          type: 0,
          code: [
            ...[0x02, 0x40, 0x0c, 0x00, 0x02, 0x64, 0x02, 0x41, 0x00, 0x1a, 0x00, 0x0b, 0x1a, 0x0b],
            ...[0x02, 0x64, 0x20, 0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00, 0x0b, 0x1a, 0x0b],
          ],
        },
      ],
    },
    /unknown kind of block/,
  ],
  [
    "a loop behind a memory's index",
    // The same by loads that name memory 0: to a reader that knows no such index, their offsets are `block` and `i32.const`.
    simple([
      ...[0x41, 0x00, 0x28, 0x42, 0x00, 0x02, 0x40, 0x00, 0x1a],
      ...[0x41, 0x00, 0x28, 0x42, 0x00, 0x41, 0x03, 0x40, 0x0c, 0x00, 0x0b, 0x1a, 0x0b],
    ]),
    /several memories/,
  ],
];

describe('the limiter', () => {
  it.each(ENDLESS)('ends %s', (_name, module, by) => {
    if (module.start !== undefined) {
      expect(() => metered(module)).toThrow(WebAssembly.RuntimeError);
      return;
    }
    const { run, fuel, depth } = metered(module);
    expect(() => run()).toThrow(new WebAssembly.RuntimeError('unreachable'));
    if (by === 'fuel') expect(BigInt(fuel.value)).toBeLessThan(0n);
    else expect([BigInt(fuel.value) > 0n, depth.value]).toEqual([true, -1]);
    if (by === 'fuel') expect(() => run()).toThrow(WebAssembly.RuntimeError);
  });

  it.each(REFUSED)('refuses %s', (_name, module, why) => {
    const bytes = assemble(module);
    expect(WebAssembly.validate(bytes)).toBe(true);
    expectThrown(() => meter(bytes), EngineError, 'POLICY_MODULE');
    expect(() => meter(bytes)).toThrow(why);
  });

  it('refuses sections and types of later versions', () => {
    const tag = assemble({ ...simple([0x0b]), imports: [] });
    const before = Buffer.from(tag).indexOf(Buffer.from([6, 1, 0])); // an empty global section
    const withTag = Buffer.concat([
      tag.subarray(0, before),
      Buffer.from([13, 3, 1, 0, 0]),
      tag.subarray(before),
    ]);
    expect(WebAssembly.validate(withTag)).toBe(true);
    expect(() => meter(withTag)).toThrow(/section 13/);
    const group = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 6, 1, 0x4e, 1, 0x60, 0, 0]);
    expect(WebAssembly.validate(group)).toBe(true);
    expect(() => meter(group)).toThrow(/unknown kind of type/);
  });

  it('refuses what names the globals that are to be added', () => {
    const bytes = assemble({ ...simple([0x42, 1, 0x24, 0, 0x0b]) });
    expect(() => meter(bytes)).toThrow(/not a valid module/);
  });

  it('gives the depth back on every way out of a function that calls itself', () => {
    const early: Code = [
      0x02,
      0x40,
      0x20,
      0,
      0x45,
      0x04,
      0x40,
      0x41,
      7,
      0x0f,
      0x0b,
      0x20,
      0,
      0x41,
      3,
      0x46,
      0x0d,
      0,
      0x0b, // n = 0: return 7 from within
      0x20,
      0,
      0x41,
      3,
      0x46,
      0x04,
      I32,
      0x41,
      0,
      0x10,
      0,
      0x05,
      0x20,
      0,
      0x41,
      1,
      0x6b,
      0x10,
      0,
      0x0b,
      0x0b,
    ];
    const table: Code = [
      0x20, 0, 0x45, 0x04, 0x40, 0x41, 9, 0x41, 0, 0x0e, 1, 1, 1, 0x0b, 0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x0b,
    ];
    for (const [code, result] of [
      [early, 7],
      [table, 9],
    ] as const) {
      const { run, depth } = metered({ types: [I32_TO_I32], functions: [{ type: 0, code }] });
      for (const from of [0, 1, 3, 50, 99]) {
        expect(run(from)).toBe(result);
        expect(depth.value).toBe(DEPTH);
      }
    }
  });

  it('counts exactly the calls that stand on the stack', () => {
    const down: Code = [0x20, 0, 0x04, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x1a, 0x0b, 0x41, 1, 0x0b];
    const { run, depth } = metered({ types: [I32_TO_I32], functions: [{ type: 0, code: down }] });
    expect(run(DEPTH - 1)).toBe(1);
    expect(() => run(DEPTH)).toThrow(WebAssembly.RuntimeError);
    expect(depth.value).toBe(-1);
  });

  it('charges what runs: a loop by its turns', () => {
    const turns: Code = [0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x0b];
    const used = (count: number): bigint => {
      const { run, fuel } = metered({ types: [[[I32], []]], functions: [{ type: 0, code: turns }] });
      run(count);
      return FUEL - BigInt(fuel.value);
    };
    expect([1, 2, 100].map(used)).toEqual([8n, 14n, 602n]);
  });

  it('exports the mutable globals of the module and drops custom sections', () => {
    const module: Assembly = {
      ...simple([0x0b]),
      globals: [
        [I32, 0, 0x41, 1, 0x0b],
        [I32, 1, 0x41, 2, 0x0b],
        [I64, 1, 0x42, 3, 0x0b],
      ],
      custom: 'name',
    };
    const { exports } = metered(module);
    expect(Object.keys(exports).sort()).toEqual(['depth', 'fuel', 'mut0', 'mut1', 'run']);
    expect(
      [exports['mut0'], exports['mut1']].map((one) => one instanceof WebAssembly.Global && one.value),
    ).toEqual([2, 3n]);
    const module_ = new WebAssembly.Module(meter(assemble(module)));
    expect(WebAssembly.Module.customSections(module_, 'name')).toEqual([]);
  });

  it('writes the same bytes every time', () => {
    const digests = ENDLESS.map(([, module]) => hash('sha256', meter(assemble(module))));
    expect(ENDLESS.map(([, module]) => hash('sha256', meter(assemble(module))))).toEqual(digests);
    expect(new Set(digests).size).toBe(ENDLESS.length);
  });
});

/** Refused as POLICY_MODULE, or metered so that every function ends; nothing else, whatever the bytes. */
function endsOrIsRefused(bytes: Uint8Array): 'refused' | 'ends' {
  let out: Uint8Array;
  try {
    out = meter(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: 'POLICY_MODULE' });
    return 'refused';
  }
  const module = new WebAssembly.Module(out);
  const names = WebAssembly.Module.exports(module).map((each) => each.name);
  expect(names).toEqual(expect.arrayContaining(['fuel', 'depth']));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  try {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    for (const each of Object.values(exports)) {
      if (typeof each !== 'function' || !(exports['fuel'] instanceof WebAssembly.Global)) continue;
      exports['fuel'].value = FUEL;
      thrownOrNot(() => each(3));
    }
  } catch {} // imports another memory, or traps at its start
  return 'ends';
}

function thrownOrNot(run: () => unknown): void {
  try {
    run();
  } catch {} // a trap is an end too
}

describe('any bytes', () => {
  const busy = assemble({
    types: [I32_TO_I32, NOTHING],
    functions: [
      {
        type: 0,
        locals: [
          [2, I32],
          [1, I64],
        ],
        code: [0x20, 0, 0x45, 0x04, 0x40, 0x41, 7, 0x0f, 0x0b, 0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x0b],
      },
      {
        type: 1,
        code: [0x03, 0x40, 0x02, 0x40, 0x41, 1, 0x28, 2, 0, 0x0e, 2, 0, 1, 1, 0x0b, 0x0c, 0, 0x0b, 0x0b],
      },
      { type: 1, code: [0x03, 0x40, 0x41, 0, 0x11, 1, 0, 0x0c, 0, 0x0b, 0x0b] },
    ],
    tables: [FUNCREF_TABLE],
    globals: [[I32, 1, 0x41, 2, 0x0b]],
    exports: [
      ['a', 0, 0],
      ['b', 0, 1],
      ['c', 0, 2],
    ],
    elements: [[0x00, 0x41, 0x00, 0x0b, 0x02, 0x01, 0x02]],
    data: [[0x00, 0x41, 0x08, 0x0b, 0x02, 0x61, 0x62]],
    custom: 'x',
  });

  it('are refused when cut short anywhere', () => {
    expect(endsOrIsRefused(busy)).toBe('ends');
    const ends = Array.from(busy.keys()).filter((end) => endsOrIsRefused(busy.subarray(0, end)) === 'ends');
    const custom = busy.length - 4; // whole without its custom section, and without the data before that
    expect(ends).toEqual([custom - 10, custom]);
  });

  it('end or are refused with any bit flipped', () => {
    const outcomes = Array.from({ length: busy.length * 8 }, (_, bit) => {
      const bytes = busy.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return endsOrIsRefused(bytes);
    });
    expect(outcomes.filter((outcome) => outcome === 'ends').length).toBeGreaterThan(100);
  });

  it('end or are refused with any bytes in a function', () => {
    const op = fc.oneof(
      fc.constantFrom(
        0x02,
        0x03,
        0x04,
        0x40,
        0x0b,
        0x0c,
        0x0d,
        0x41,
        0x20,
        0x21,
        0x10,
        0x64,
        0x28,
        0,
        1,
        0x1a,
      ),
      fc.nat(255),
    );
    fc.assert(
      fc.property(fc.array(op, { maxLength: 24 }), (code) => {
        endsOrIsRefused(
          assemble({
            ...simple([...code, 0x0b]),
            functions: [{ type: 0, locals: [[2, I32]], code: [...code, 0x0b] }],
          }),
        );
      }),
      { seed: 20_261_124, numRuns: 3_000 },
    );
  });

  it('that are no module are refused', () => {
    for (const bytes of [[], [0], [0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]])
      expect(thrownBy(() => meter(Uint8Array.from(bytes)))).toMatchObject({ code: 'POLICY_MODULE' });
  });
});
