// SPDX-License-Identifier: Apache-2.0
import { type Fault, Inexact, isRecord, pointerOf, type Reading, refuse } from './reading.ts';
import { writeScalar } from './scalar.ts';
import { type Alternative, type Field, type FieldType, type Struct, structOf } from './table.ts';

/** An object as its Go type reads and writes it. */
export interface Typed {
  /** In the order of the type's fields; empty where strict decoding accepts the object. */
  readonly faults: readonly Fault[];
  /** Canonical JSON of what the type writes; of no use where there are faults. */
  readonly text: string;
}

const NOTHING: ReadonlySet<string> = new Set();

/** What `readTyped` reads. */
export interface Subject {
  readonly value: unknown;
  /** The same with integers beyond 2^53 as bigints; asked for where there is one. */
  readonly exact: () => unknown;
}

/**
 * Reads a JSON value into a Go struct as the API server's strict decoding does, and writes it as encoding/json would: absent fields
 * get the zero values that are written, empty ones are left out. `leaveOut` are fields of the value itself that are not written.
 *
 * Nesting is the caller's to bound.
 */
export function readTyped(struct: number, subject: Subject, leaveOut: ReadonlySet<string> = NOTHING): Typed {
  try {
    return readValue(struct, subject.value, leaveOut);
  } catch (error) {
    if (!(error instanceof Inexact)) throw error;
    return readValue(struct, subject.exact(), leaveOut);
  }
}

function readValue(struct: number, value: unknown, leaveOut: ReadonlySet<string>): Typed {
  const reading: Reading = { faults: [], path: [], isLenient: false };
  const text = writeStruct(structOf(struct), value, reading, leaveOut);
  return { faults: reading.faults, text };
}

function writeStruct(
  struct: Struct,
  value: unknown,
  reading: Reading,
  leaveOut: ReadonlySet<string> = NOTHING,
): string {
  if (!isRecord(value)) return refuse(reading, 'an object', value);
  const always = alwaysOf(struct);
  let text = '';
  let next = 0;
  const add = (member: string): void => {
    text = text === '' ? member : `${text},${member}`;
  };
  for (const key of sortedKeys(value)) {
    const field = struct.fields.get(key);
    if (field === undefined) refuseUnknown(struct, key, reading);
    else {
      for (let due = always[next]; due !== undefined && due.name <= key; due = always[++next])
        if (due.name !== key && !leaveOut.has(due.name)) add(due.text);
      const item = value[key];
      reading.path.push(key);
      const written = item === null ? absent(field) : present(field, item, reading);
      reading.path.pop();
      if (written !== '' && !leaveOut.has(key)) add(`"${key}":${written}`);
    }
  }
  for (let due = always[next]; due !== undefined; due = always[++next])
    if (!leaveOut.has(due.name)) add(due.text);
  return `{${text}}`;
}

/** By UTF-16 code units, as canonical JSON wants them and our readers give them. */
function sortedKeys(value: object): readonly string[] {
  const keys = Object.keys(value);
  for (let at = 1; at < keys.length; at++) if ((keys[at - 1] ?? '') > (keys[at] ?? '')) return keys.sort();
  return keys;
}

/** What is written of a field that the object does not have. */
interface Due {
  readonly name: string;
  /** The member. */
  readonly text: string;
}

const dues = new WeakMap<Struct, readonly Due[]>();

/** The fields that are written whether the object has them or not, by name. */
function alwaysOf(struct: Struct): readonly Due[] {
  const known = dues.get(struct);
  if (known !== undefined) return known;
  const found: Due[] = [];
  for (const field of struct.fields.values()) {
    const text = absent(field);
    if (text !== '') found.push({ name: field.name, text: `"${field.name}":${text}` });
  }
  dues.set(struct, found);
  return found;
}

function refuseUnknown(struct: Struct, key: string, reading: Reading): void {
  if (reading.isLenient) return;
  reading.faults.push({
    is: 'field',
    pointer: pointerOf([...reading.path, key]),
    message: `unknown field ${JSON.stringify(key)}`,
    known: [...struct.fields.keys()],
  });
}

/** What is written of a field that is absent or null; an empty text where nothing is. */
function absent(field: Field): string {
  const { is } = field.type;
  if (is === 'struct' || is === 'quantity' || is === 'intOrString') return zeroOf(field.type);
  if (is === 'time' || is === 'microTime' || is === 'raw') return field.omitsZero ? '' : 'null';
  return field.omitsEmpty ? '' : zeroOf(field.type);
}

const ZEROS: Readonly<Partial<Record<FieldType['is'], string>>> = {
  string: '""',
  boolean: 'false',
  int32: '0',
  int64: '0',
  number: '0',
  quantity: '"0"',
  intOrString: '0',
};

const zeroStructs = new Map<number, string>();

/** What Go writes of a zero value. */
function zeroOf(type: FieldType): string {
  if (type.is !== 'struct') return ZEROS[type.is] ?? 'null';
  const known = zeroStructs.get(type.struct);
  if (known !== undefined) return known;
  const text = writeStruct(structOf(type.struct), {}, { faults: [], path: [], isLenient: true });
  zeroStructs.set(type.struct, text);
  return text;
}

function present(field: Field, value: unknown, reading: Reading): string {
  const { type, omitsEmpty, omitsZero } = field;
  const written = write(type, value, reading);
  if (omitsZero && written === 'null') return '';
  return omitsEmpty && isEmpty(type, written) ? '' : written;
}

/** What `omitempty` leaves out: structs never, and a pointer not for what it points to. */
function isEmpty({ is }: FieldType, written: string): boolean {
  if (is === 'list' || is === 'map' || is === 'bytes')
    return written === '[]' || written === '{}' || written === '""';
  const isPlain = is === 'string' || is === 'boolean' || is === 'int32' || is === 'int64' || is === 'number';
  return isPlain && written === ZEROS[is];
}

/** A value inside a list or a map, which may be null as one of a field may. */
const writeItem = (type: FieldType, value: unknown, reading: Reading): string =>
  value === null || value === undefined ? zeroOf(type) : write(type, value, reading);

function write(type: FieldType, value: unknown, reading: Reading): string {
  switch (type.is) {
    case 'pointer':
      return write(type.item, value, reading);
    case 'list':
      return writeList(type.item, value, reading);
    case 'map':
      return writeMap(type.item, value, reading);
    case 'struct':
      return writeStruct(structOf(type.struct), value, reading);
    case 'schemaOrBoolean':
    case 'schemaOrList':
    case 'schemaOrNames':
      return writeAlternative(type, value, reading);
    default:
      return writeScalar(type.is, value, reading);
  }
}

function writeList(item: FieldType, value: unknown, reading: Reading): string {
  if (!Array.isArray(value)) return refuse(reading, 'a list', value);
  const texts = value.map((one: unknown, index) => {
    reading.path.push(index);
    const written = writeItem(item, one, reading);
    reading.path.pop();
    return written;
  });
  return `[${texts.join(',')}]`;
}

function writeMap(item: FieldType, value: unknown, reading: Reading): string {
  if (!isRecord(value)) return refuse(reading, 'a mapping', value);
  const texts = sortedKeys(value).map((key) => {
    reading.path.push(key);
    const written = writeItem(item, value[key], reading);
    reading.path.pop();
    return `${JSON.stringify(key)}:${written}`;
  });
  return `{${texts.join(',')}}`;
}

/** A schema, or what may stand for one; Kubernetes reads what is below without strictness, and much of what is neither as nothing. */
function writeAlternative(
  { is, struct }: { readonly is: Alternative; readonly struct: number },
  value: unknown,
  reading: Reading,
): string {
  const wasLenient = reading.isLenient;
  reading.isLenient = true;
  try {
    if (is === 'schemaOrBoolean' && typeof value === 'boolean') return String(value);
    if (isRecord(value)) return writeStruct(structOf(struct), value, reading);
    if (is === 'schemaOrBoolean') return refuse(reading, 'true, false or a schema', value);
    if (!Array.isArray(value) || value.length === 0) return 'null';
    return writeList(is === 'schemaOrList' ? { is: 'struct', struct } : { is: 'string' }, value, reading);
  } finally {
    reading.isLenient = wasLenient;
  }
}
