// SPDX-License-Identifier: Apache-2.0
// Data changed in place: whatever the history, an evaluation gives the same value in the same number of steps as in a program that
// was loaded with the final data.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EngineError } from '../../../engine/error.ts';
import { Area } from '../../../engine/rego/data/area.ts';
import type { Leaf } from '../../../engine/rego/data/directory.ts';
import { Store } from '../../../engine/rego/data/index.ts';
import { checkLayout } from '../../../engine/rego/data/layout.ts';
import { loadRego, meter, type RegoProgram } from '../../../engine/rego/index.ts';
import { startMachine } from '../../../engine/rego/machine.ts';
import { openRegoToolchain } from '../../../engine/toolchain/rego.ts';
import { expectThrown } from '../../expect.ts';

/** Reads data in every way that could show how it lies in memory, and hands it to what could write to it. */
const RULES = `package main

import rego.v1

all := data.tree

order := [path | walk(data.tree, [path, _])]

names := concat(",", [name | some name, _ in data.tree])

paths := [path | walk(data.tree, [path, _])]

changed := value if value := paths with data.tree.a.b as {"c": [1, 2]}

replaced := value if value := all with data.tree.a as "other"

merged := object.union(data.tree, {"a": {"zz": 1}, "b": 2})

united := object.union_n([data.tree, data.more, data.tree])

less := object.remove(data.tree, ["a", "c"])

kept := object.filter(data.tree, ["a", "d"])

filtered := json.filter(data.tree, ["a", "b/c"])

without := json.remove(data.tree, ["a/b", "d"])

text := json.marshal(data.tree)

again := json.unmarshal(text) == data.tree

sorted := sort([value | some value in data.tree])

sum_of := sum([value | walk(data.tree, [_, value]); is_number(value)])

longest := max([count(value) | walk(data.tree, [_, value]); is_string(value)])

trimmed := {trim(value, " ab") | walk(data.tree, [_, value]); is_string(value)}

split_up := {split(upper(value), "A") | walk(data.tree, [_, value]); is_string(value)}

matched := {value | walk(data.tree, [_, value]); is_string(value); regex.match("^[a-c]+", value)}

globbed := {value | walk(data.tree, [_, value]); is_string(value); glob.match("a*", [], value)}

formatted := sprintf("%v", [data.tree])

reached := graph.reachable({"a": data.more.list, "x": ["y"]}, {"a"})

sliced := [array.slice(data.more.list, 0, 2), array.concat(data.more.list, data.more.list), array.reverse(data.more.list)]

union_of := {x | some x in data.more.list} | {x | some x in data.tree}

probe := input.x == data.more.x

deny := {
	"all": all, "order": order, "names": names, "changed": changed, "replaced": replaced, "merged": merged, "united": united,
	"less": less, "kept": kept, "filtered": filtered, "without": without, "text": text, "again": again, "sorted": sorted,
	"formatted": formatted, "sum": sum_of, "trimmed": trimmed, "split": split_up, "matched": matched, "globbed": globbed,
	"union": union_of,
}
`;
const MORE: Json = { x: 7, list: ['a', 'x', 'c', { d: [1, 2.5, -3e10, 1.5e300] }] };
const text = (value: unknown): string =>
  JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? Number(item) : item));
const bytes = (value: unknown): Uint8Array => Buffer.from(text(value));
const INPUT = bytes({ x: 7, y: ['a', { b: null }] });

const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 60_000 });
let wasm: Uint8Array;
beforeAll(async () => {
  const extra = 'main/longest main/reached main/sliced main/probe'.split(' ');
  ({ wasm } = await toolchain.build([{ file: 'main.rego', text: RULES }], {
    entrypoints: ['main/deny', ...extra],
  }));
});
afterAll(() => toolchain.close());

const load = (data: unknown): RegoProgram => loadRego(wasm, { data: bytes(data) });
const ENTRYPOINTS = ['main/deny', 'main/longest', 'main/reached', 'main/sliced', 'main/probe'];
const answers = (program: RegoProgram, entrypoints = ENTRYPOINTS): unknown =>
  entrypoints.map((entrypoint) => program.evaluate(entrypoint, INPUT));
/** Of what does not dump all data, for data that is large. */
const brief = (program: RegoProgram): unknown => answers(program, ENTRYPOINTS.slice(1));

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Change = { readonly path: readonly string[]; readonly value?: Json };
type Tree = { [key: string]: Json | Tree };

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same change on plain JavaScript; false where it is refused. */
function changeTree(tree: Tree, { path, value }: Change): boolean {
  const way = path.slice(0, -1);
  const last = path.at(-1) ?? '';
  let reached: Tree | undefined = tree;
  for (const name of way) {
    const next: unknown = Object.hasOwn(reached, name) ? reached[name] : undefined;
    if (next !== undefined && !isTree(next)) return value === undefined;
    reached = next;
    if (reached === undefined) break;
  }
  if (value === undefined) {
    if (reached !== undefined) delete reached[last];
    return true;
  }
  let parent = tree;
  for (const name of way) {
    const next: unknown = Object.hasOwn(parent, name) ? parent[name] : undefined;
    const child: Tree = isTree(next) ? next : {};
    parent[name] = child;
    parent = child;
  }
  parent[last] = structuredClone(value);
  return true;
}

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'd', '', 'ä', '\u{1f511}', 'é\u0000', '"', '~/'),
  fc.string({ unit: 'binary', maxLength: 12 }).filter((some) => some !== '__proto__'),
);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 })
      .map((some) => Number(some.toFixed(4)) || 0),
    fc.constantFrom('a', ' abba ', 'caba', 'ä "quoted" \\ \n', '\u{1f511}'),
    fc.array(tie('json'), { maxLength: 6 }),
    fc.dictionary(name, tie('json'), { maxKeys: 14 }),
  ),
}));
const path = fc
  .tuple(fc.constant('tree'), fc.array(name, { minLength: 1, maxLength: 4 }))
  .map(([first, rest]) => [first, ...rest]);
const change: fc.Arbitrary<Change> = fc.oneof(
  { arbitrary: fc.record({ path, value: json }), weight: 3 },
  { arbitrary: fc.record({ path }), weight: 2 },
);

function applyTo(program: RegoProgram, { path: at, value }: Change): boolean {
  try {
    if (value === undefined) program.removeData(at);
    else program.setData(at, bytes(value));
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.code === 'POLICY_DATA') return false;
    throw error;
  }
}

const property = (run: (first: Tree, changes: readonly Change[]) => void, numRuns: number): void =>
  fc.assert(
    fc.property(fc.dictionary(name, json, { maxKeys: 8 }), fc.array(change, { maxLength: 25 }), run),
    { seed: 20_261_124, numRuns },
  );

const wide = (count: number): Tree =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index * index}`, index]));

describe('data in place', () => {
  it('gives the values and the steps of a program that was loaded with the final data', () => {
    const program = load({});
    property((first, changes) => {
      const data: Tree = { tree: structuredClone(first), more: structuredClone(MORE) };
      program.setData([], bytes(data));
      for (const each of changes) expect(applyTo(program, each)).toBe(changeTree(data, each));
      expect(answers(program)).toEqual(answers(load(data)));
    }, 15);
  });

  it('holds where an object grows and shrinks over the limits of its table', () => {
    const program = load({ tree: {}, more: MORE });
    for (const count of [4, 5, 6, 5, 12, 11, 10, 12, 5, 6, 23, 22, 46, 0, 1]) {
      const wanted = wide(count);
      for (const index of Array.from({ length: 50 }, (_, at) => at)) {
        if (index < count) program.setData(['tree', `k${index * index}`], bytes(index));
        else program.removeData(['tree', `k${index * index}`]);
      }
      expect(answers(program)).toEqual(answers(load({ tree: wanted, more: MORE })));
    }
  });

  it('is never written to by an evaluation', () => {
    property((first, changes) => {
      const module = new WebAssembly.Module(meter(wasm));
      const store = new Store(
        { start: (size) => startMachine(module, { pages: 256, dataPages: size / 65_536 }), max: 2 ** 24 },
        bytes({ tree: first, more: MORE }),
      );
      for (const { path: at, value } of changes)
        if (value !== undefined && at.length === 2) store.set(at, bytes(value));
      const { machine } = store;
      const area = (): string =>
        createHash('sha256')
          .update(machine.memory().subarray(machine.dataStart, machine.dataStart + store.capacity))
          .digest('hex');
      const before = area();
      machine.keep(machine.dataStart);
      for (const id of machine.entrypoints.values()) {
        machine.rewind(10n ** 9n, 400);
        machine.evaluate(id, machine.readInput(INPUT), store.root);
      }
      expect(area()).toBe(before);
    }, 6);
  });

  it('takes the memory of what is gone for what comes, and grows where it must', () => {
    const limits = { dataBytes: 4 * 1024 * 1024 };
    const program = loadRego(wasm, { data: bytes({ tree: {}, more: MORE }), limits });
    const document = (seed: number): Tree => ({
      text: 'x'.repeat(1_000 + (seed % 7) * 10),
      list: [seed, seed],
    });
    for (let round = 0; round < 6_000; round++)
      program.setData(['tree', `k${round % 200}`], bytes(document(round)));
    for (let index = 0; index < 200; index++) program.setData(['tree', `k${index}`], bytes(document(index)));
    const tree = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`k${index}`, document(index)]),
    );
    expect(brief(program)).toEqual(brief(load({ tree, more: MORE })));
  });

  it('refuses data beyond its limit and keeps what was', () => {
    const limits = { dataBytes: 1024 * 1024 };
    const program = loadRego(wasm, { data: bytes({ tree: { a: 1 }, more: MORE }), limits });
    const before = answers(program);
    const large = bytes('y'.repeat(2 * 1024 * 1024));
    expectThrown(() => program.setData(['tree', 'b'], large), EngineError, 'POLICY_LIMIT');
    expectThrown(() => program.setData(['tree', 'b', 'c'], large), EngineError, 'POLICY_LIMIT');
    expect(answers(program)).toEqual(before);
    expectThrown(
      () => loadRego(wasm, { data: bytes({ a: 'y'.repeat(2 * 1024 * 1024) }), limits }),
      EngineError,
      'POLICY_LIMIT',
      "the policy's data passes its limit of 1048576 bytes",
    );
  });

  it('is the same for an input that needs a larger instance', () => {
    const program = load({ tree: {}, more: MORE });
    const large = bytes({ x: 7, pad: 'z'.repeat(100_000) });
    const evaluate = (one: RegoProgram): unknown => one.evaluate('main/longest', large);
    for (const value of [1, { b: 'abba' }, 'w'.repeat(300_000), [[['a']]], 'v'.repeat(3_000_000)]) {
      program.setData(['tree', 'a'], bytes(value));
      program.setData(['tree', 'z', 'c'], bytes({ value }));
      expect(evaluate(program)).toEqual(
        evaluate(load({ tree: { a: value, z: { c: { value } } }, more: MORE })),
      );
    }
  });

  it('leaves evaluations the memory they have without data', () => {
    const hungry = (program: RegoProgram): unknown => program.evaluate('main/longest', INPUT);
    const program = loadRego(wasm, {
      data: bytes({ tree: {}, more: MORE }),
      limits: { memoryBytes: 2 ** 20 },
    });
    program.setData(['tree', 'a'], bytes('u'.repeat(5_000_000)));
    expect(hungry(program)).toEqual(hungry(load({ tree: { a: 'u'.repeat(5_000_000) }, more: MORE })));
  });

  const NO_DATA: readonly (readonly [string, readonly string[], string])[] = [
    ['nothing', ['tree', 'b'], ''],
    ['no JSON', ['tree', 'b'], '{"a":'],
    ['more than JSON', ['tree', 'b'], '{"a":1} {"b":2}'],
    ['half a surrogate', ['tree', 'b'], '"\\ud83d"'],
    ['a name of half a surrogate', ['tree', '\ud83d'], '1'],
    ['a path through a number', ['tree', 'a', 'b'], '1'],
    ['a path through an array', ['more', 'list', '0'], '1'],
    ['all data that is no object', [], '[1]'],
    ['a path of a thousand names', Array.from({ length: 1_000 }, () => 'a'), '1'],
    ['nesting without end', ['tree', 'b'], `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ];
  it.each(NO_DATA)('refuses %s and keeps what was', (_name, at, json_) => {
    const program = load({ tree: { a: 1 }, more: MORE });
    const before = answers(program, ['main/deny']);
    expectThrown(() => program.setData(at, Buffer.from(json_)), EngineError, 'POLICY_DATA');
    expect(answers(program, ['main/deny'])).toEqual(before);
  });

  it('takes away what is there, and nothing else', () => {
    const program = load({ tree: { a: { b: 1, c: 2 }, d: [1] }, more: MORE });
    for (const at of [['no'], ['tree', 'x'], ['tree', 'd', '0'], ['tree', 'a', 'b', 'c'], ['tree', 'a', 'b']])
      program.removeData(at);
    expect(answers(program)).toEqual(answers(load({ tree: { a: { c: 2 }, d: [1] }, more: MORE })));
    expectThrown(() => program.removeData([]), EngineError, 'POLICY_DATA');
  });

  it.each(['', '[]', 'null', '{"a":1} x', '{"a":'])('refuses to load the data %p', (data) => {
    expectThrown(() => loadRego(wasm, { data: Buffer.from(data) }), EngineError, 'POLICY_DATA');
  });
});

describe('memory that another evaluator laid out', () => {
  /** A leaf at 64 in an area from 64 to 1,088, with these words. */
  const laid = (words: Readonly<Record<number, number>>): { area: Area; leaf: Leaf } => {
    const memory = new Uint8Array(4_096);
    const view = new DataView(memory.buffer);
    for (const [address, word] of Object.entries(words)) view.setUint32(Number(address), word, true);
    const area = new Area(() => memory, 64, 1_024);
    const address = area.take(1_000);
    return { area, leaf: { value: address, segment: { address, bytes: 1_000, uses: 1 } } };
  };
  const object = { 64: 6, 68: 100, 72: 1, 76: 1 };
  const element = { 100: 120, 120: 140, 124: 1, 140: 4, 144: 2, 148: 160 };
  const LAID: readonly (readonly [string, Readonly<Record<number, number>>])[] = [
    ['nothing', {}],
    ['another type', { 64: 5 }],
    ['a table outside', { ...object, 68: 3_000 }],
    ['more buckets than there is room', { ...object, 72: 2 ** 31 }],
    ['an element outside', { ...object, ...element, 100: 4_095 }],
    ['a key outside', { ...object, ...element, 120: 8 }],
    ['a text outside', { ...object, ...element, 148: 2_000 }],
    ['a text without end', { ...object, ...element, 144: 2 ** 32 - 1 }],
    ['a circle', { ...object, ...element, 128: 120 }],
    ['one member, where there should be twenty', { ...object, ...element }],
  ];
  it.each(LAID)('is refused: %s', (_name, words) => {
    const { area, leaf } = laid(words);
    expectThrown(() => checkLayout(area, leaf), EngineError, 'POLICY_MODULE');
  });
});
