// SPDX-License-Identifier: Apache-2.0
import { Reader, refuse } from './bytes.ts';
import { immediate, OP } from './scan.ts';

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  dataCount: 12,
} as const;

export interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

export interface Signature {
  readonly parameters: number;
  readonly results: readonly number[];
}

/** What rewriting needs to know of a module. */
export interface Layout {
  readonly sections: readonly Section[];
  readonly importedFunctions: number;
  /** One for each function with a body. */
  readonly signatures: readonly Signature[];
  /** Functions that a call through the table can reach. */
  readonly table: readonly number[];
  /** For each global whether it can change. */
  readonly globals: readonly boolean[];
}

const HEADER_BYTES = 8;
const FUNCTION_REFERENCE = 0x70;
/** Names that the meter gives to what it exports. */
const RESERVED = /^(?:fuel|depth|mut\d+)$/;

/**
 * Reads a valid module's layout. What OPA does not write is refused: a memory, table or global of another's, a memory of the
 * module's own (its maximum would be its own choice), types that are no numbers.
 * @throws {EngineError} POLICY_MODULE
 */
export function readLayout(bytes: Uint8Array): Layout {
  const sections = sectionsOf(bytes);
  const list = <T>(id: number, read: (reader: Reader) => T): readonly T[] => {
    const found = sections.find((one) => one.id === id);
    return found === undefined ? [] : new Reader(bytes, found.start, found.end).list(read);
  };
  if (list(SECTION.memory, () => undefined).length > 0) refuse('it has a memory of its own');
  if (list(SECTION.table, readTable).length > 1) refuse('it has several tables');
  const types = list(SECTION.type, readSignature);
  list(SECTION.export, refuseReserved);
  const imports = list(SECTION.import, readImport);
  if (imports.filter((kind) => kind === 'memory').length > 1) refuse('it has several memories');
  return {
    sections,
    importedFunctions: imports.filter((kind) => kind === 'function').length,
    signatures: list(SECTION.function, (reader) => types[reader.u32()] ?? refuse('unknown type')),
    table: list(SECTION.element, readElements).flat(),
    globals: list(SECTION.global, readGlobal),
  };
}

/** The content of a section that must be there. */
export function openSection(bytes: Uint8Array, layout: Layout, id: number): Reader {
  const found = layout.sections.find((one) => one.id === id) ?? refuse(`it has no section ${id}`);
  return new Reader(bytes, found.start, found.end);
}

function sectionsOf(bytes: Uint8Array): readonly Section[] {
  const reader = new Reader(bytes, HEADER_BYTES, bytes.length);
  const found: Section[] = [];
  while (reader.position < bytes.length) {
    const id = reader.byte();
    const size = reader.u32();
    if (id > SECTION.dataCount) refuse(`section ${id} is not known`);
    found.push({ id, start: reader.position, end: reader.position + size });
    reader.skip(size);
  }
  return found;
}

/** i32, i64, f32 or f64. Others can take several bytes, which would be read as something else here. */
export function readType(reader: Reader): number {
  const type = reader.byte();
  return type >= 0x7c && type <= 0x7f ? type : refuse(`type 0x${type.toString(16)} is not known`);
}

function readSignature(reader: Reader): Signature {
  if (reader.byte() !== 0x60) refuse('unknown kind of type');
  return { parameters: reader.list(readType).length, results: reader.list(readType) };
}

function readImport(reader: Reader): 'function' | 'memory' {
  reader.name();
  reader.name();
  const kind = reader.byte();
  if (kind === 0) {
    reader.u32();
    return 'function';
  }
  if (kind !== 2) return refuse('unknown kind of import');
  const flags = reader.byte();
  if (flags > 1) refuse('unknown kind of memory');
  reader.u32();
  if (flags === 1) reader.u32();
  return 'memory';
}

/** A table that starts full of one function would hide that function from the call graph. */
function readTable(reader: Reader): void {
  if (reader.byte() !== FUNCTION_REFERENCE) refuse('unknown kind of table');
  const flags = reader.byte();
  if (flags > 1) refuse('unknown kind of table');
  reader.u32();
  if (flags === 1) reader.u32();
}

function readElements(reader: Reader): readonly number[] {
  if (reader.u32() !== 0) refuse('unknown kind of element segment');
  readConstant(reader);
  return reader.list((item) => item.u32());
}

function readGlobal(reader: Reader): boolean {
  readType(reader);
  const isMutable = reader.byte() === 1;
  readConstant(reader);
  return isMutable;
}

/** Steps over a constant expression of one instruction. */
function readConstant(reader: Reader): void {
  immediate(reader, reader.byte());
  if (reader.byte() !== OP.end) refuse('unknown kind of constant');
}

function refuseReserved(reader: Reader): void {
  const name = reader.name();
  if (RESERVED.test(name)) refuse(`its export ${JSON.stringify(name)} has a name that is needed`);
  reader.skip(1);
  reader.u32();
}
