// SPDX-License-Identifier: Apache-2.0
import { readBody, rewriteBody } from './body.ts';
import { type Bytes, concat, type Reader, refuse, section, signed, unsigned } from './bytes.ts';
import { type Layout, openSection, readLayout, SECTION } from './layout.ts';
import { onCycles } from './recursion.ts';
import { ANY, OP } from './scan.ts';

const I32 = 0x7f;
const I64 = 0x7e;
const GLOBAL = 3;

/** What the start function may use, before a host can set a budget. */
const START_FUEL = 2 ** 31 - 1;
const START_DEPTH = 400;

/**
 * Rewrites a module so that it counts: exported mutable globals `fuel` (i64; every function entry and loop header subtracts what
 * can run from there, below zero traps), `depth` (i32; calls that may still stand on the stack of functions that can recurse) and
 * `mut0…` (the module's own mutable globals, so that a host can rewind the whole state). Deterministic; the count is the same on
 * every machine. Custom sections are dropped.
 * @throws {EngineError} POLICY_MODULE for anything that is not known
 */
export function meter(bytes: Uint8Array): Uint8Array {
  // A valid module cannot name the globals that are about to be added, so it cannot refill its own fuel.
  if (!WebAssembly.validate(bytes)) refuse('it is not a valid module');
  const layout = readLayout(bytes);
  const replaced = new Map<number, Uint8Array>([
    [SECTION.global, globalsWith(openSection(bytes, layout, SECTION.global))],
    [SECTION.export, exportsWith(openSection(bytes, layout, SECTION.export), layout)],
    [SECTION.code, codeOf(bytes, layout)],
  ]);
  const kept = layout.sections.filter(({ id }) => id !== SECTION.custom);
  return concat([
    bytes.subarray(0, 8),
    ...kept.map(({ id, start, end }) => replaced.get(id) ?? section(id, [bytes.subarray(start, end)])),
  ]);
}

/** Indexes, encoded, of the globals that are added behind the module's own. */
const fuelOf = ({ globals }: Layout): number[] => unsigned(globals.length);
const depthOf = ({ globals }: Layout): number[] => unsigned(globals.length + 1);

function codeOf(bytes: Uint8Array, layout: Layout): Uint8Array {
  const bodies = openSection(bytes, layout, SECTION.code).list(readBody);
  const { importedFunctions, signatures } = layout;
  if (bodies.length !== signatures.length) refuse('function and code sections differ');
  const recursive = onCycles(
    new Map([
      ...bodies.map((body, index) => [importedFunctions + index, body.calls] as const),
      [ANY, new Set(layout.table)] as const,
    ]),
  );
  const code = bodies.map((body, index) =>
    rewriteBody(bytes, body, {
      signature: signatures[index] ?? refuse('unknown type'),
      isRecursive: recursive.has(importedFunctions + index),
      fuel: fuelOf(layout),
      depth: depthOf(layout),
    }),
  );
  return section(SECTION.code, [unsigned(code.length), ...code]);
}

function globalsWith(reader: Reader): Uint8Array {
  return append(SECTION.global, reader, [
    [I64, 1, OP.i64Const, ...signed(START_FUEL), OP.end],
    [I32, 1, OP.i32Const, ...signed(START_DEPTH), OP.end],
  ]);
}

function exportsWith(reader: Reader, layout: Layout): Uint8Array {
  const exported = (name: string, index: readonly number[]): number[] => [
    name.length,
    ...Buffer.from(name),
    GLOBAL,
    ...index,
  ];
  const own = layout.globals.flatMap((isMutable, index) => (isMutable ? [index] : []));
  return append(SECTION.export, reader, [
    exported('fuel', fuelOf(layout)),
    exported('depth', depthOf(layout)),
    ...own.map((index, order) => exported(`mut${order}`, unsigned(index))),
  ]);
}

function append(id: number, reader: Reader, extra: readonly Bytes[]): Uint8Array {
  const count = reader.u32();
  return section(id, [
    unsigned(count + extra.length),
    reader.bytes.subarray(reader.position, reader.end),
    ...extra,
  ]);
}
