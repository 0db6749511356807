// SPDX-License-Identifier: Apache-2.0
// A few hand-made WebAssembly modules' worth of assembler: sections in, bytes out. Nothing is checked, so that what no compiler would
// write can be written.

export type Code = readonly number[];

export const I32 = 0x7f;
export const I64 = 0x7e;

/** A module as data; every list is in the binary format's order. */
export interface Assembly {
  readonly types?: readonly (readonly [parameters: Code, results: Code])[];
  /** Whole entries: see `imported`. */
  readonly imports?: readonly Code[];
  /** Type, groups of locals (count and type), instructions with their last `end`. */
  readonly functions?: readonly {
    readonly type: number;
    readonly locals?: readonly Code[];
    readonly code: Code;
  }[];
  /** Whole entries. */
  readonly tables?: readonly Code[];
  readonly memories?: readonly Code[];
  readonly globals?: readonly Code[];
  /** Name, kind (0 function, 2 memory, 3 global), index. */
  readonly exports?: readonly (readonly [name: string, kind: number, index: number])[];
  readonly start?: number;
  readonly elements?: readonly Code[];
  readonly data?: readonly Code[];
  /** Name of a custom section at the end. */
  readonly custom?: string;
}

export function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

export const text = (name: string): number[] => [...unsigned(Buffer.byteLength(name)), ...Buffer.from(name)];
const list = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()];

export const imported = (module: string, name: string, kind: Code): number[] => [
  ...text(module),
  ...text(name),
  ...kind,
];
/** The memory that every policy imports. */
export const MEMORY = imported('env', 'memory', [0x02, 0x00, 0x01]);

export function assemble(module: Assembly): Uint8Array {
  const functions = module.functions ?? [];
  const sections: (readonly [number, Code])[] = [
    [
      1,
      list(
        (module.types ?? [[[], []]]).map(([from, to]) => [
          0x60,
          ...unsigned(from.length),
          ...from,
          ...unsigned(to.length),
          ...to,
        ]),
      ),
    ],
    [2, list(module.imports ?? [MEMORY])],
    [3, list(functions.map(({ type }) => unsigned(type)))],
    ...(module.tables === undefined ? [] : [[4, list(module.tables)] as const]),
    ...(module.memories === undefined ? [] : [[5, list(module.memories)] as const]),
    [6, list(module.globals ?? [])],
    [
      7,
      list(
        (module.exports ?? [['run', 0, 0]]).map(([name, kind, index]) => [
          ...text(name),
          kind,
          ...unsigned(index),
        ]),
      ),
    ],
    ...(module.start === undefined ? [] : [[8, unsigned(module.start)] as const]),
    ...(module.elements === undefined ? [] : [[9, list(module.elements)] as const]),
    [10, list(functions.map(({ locals = [], code }) => sized([...list(locals), ...code])))],
    ...(module.data === undefined ? [] : [[11, list(module.data)] as const]),
    ...(module.custom === undefined ? [] : [[0, text(module.custom)] as const]),
  ];
  return Uint8Array.from([
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...sections.flatMap(([id, body]) => [id, ...sized(body)]),
  ]);
}

const sized = (body: Code): number[] => [...unsigned(body.length), ...body];
