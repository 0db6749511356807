// SPDX-License-Identifier: Apache-2.0
import { canonicalQuantity } from './quantity.ts';
import { type Alternative, type Field, type FieldType, type Struct, structOf } from './table.ts';
import { canonicalTime } from './time.ts';

/** One value that strict decoding refuses. */
export interface Fault {
  readonly is: 'field' | 'type';
  /** RFC 6901 pointer to the field or the value. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
  /** The fields that there are where one is unknown. */
  readonly known?: ReadonlySet<string>;
}

/** An object as its Go type reads and writes it. */
export interface Typed {
  /** In the order of the type's fields; empty where strict decoding accepts the object. */
  readonly faults: readonly Fault[];
  /** Canonical JSON of what the type writes; of no use where there are faults. */
  readonly text: string;
}

/** Thrown for an integer that a double may not hold. */
class Inexact extends Error {}

const NOTHING: ReadonlySet<string> = new Set();

interface Reading {
  readonly faults: Fault[];
  readonly path: (string | number)[];
  /** Below a schema that stands for another, Kubernetes drops unknown fields without a word. */
  isLenient: boolean;
}

const INT64_LIMIT = 2n ** 63n;
const INT32 = [-(2 ** 31), 2 ** 31 - 1] as const;

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
  let text = '';
  let seen = 0;
  for (const field of struct.fields) {
    const item = value[field.name];
    if (item !== undefined) seen++;
    reading.path.push(field.name);
    const written = item === undefined || item === null ? absent(field) : present(field, item, reading);
    reading.path.pop();
    if (written !== '' && !leaveOut.has(field.name))
      text += `${text === '' ? '' : ','}"${field.name}":${written}`;
  }
  if (!reading.isLenient && seen < Object.keys(value).length) refuseUnknown(struct, value, reading);
  return `{${text}}`;
}

function refuseUnknown(struct: Struct, value: object, reading: Reading): void {
  for (const key of Object.keys(value)) {
    if (struct.names.has(key)) continue;
    reading.faults.push({
      is: 'field',
      pointer: pointerOf([...reading.path, key]),
      message: `unknown field ${JSON.stringify(key)}`,
      known: struct.names,
    });
  }
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
    case 'string':
      return typeof value === 'string' ? JSON.stringify(value) : refuse(reading, 'text', value);
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : refuse(reading, 'true or false', value);
    case 'int32':
    case 'int64':
      return writeInteger(type.is, value, reading);
    case 'number':
      return isNumber(value) ? numberText(value) : refuse(reading, 'a number', value);
    case 'pointer':
      return write(type.item, value, reading);
    case 'list':
      return writeList(type.item, value, reading);
    case 'map':
      return writeMap(type.item, value, reading);
    case 'struct':
      return writeStruct(structOf(type.struct), value, reading);
    case 'raw':
      return rawText(value);
    case 'schemaOrBoolean':
    case 'schemaOrList':
    case 'schemaOrNames':
      return writeAlternative(type, value, reading);
    default:
      return writeSpecial(type.is, value, reading);
  }
}

function writeInteger(is: 'int32' | 'int64', value: unknown, reading: Reading): string {
  if (!isNumber(value) || (typeof value === 'number' && !Number.isInteger(value)))
    return refuse(reading, 'a whole number', value);
  if (is === 'int32' && (value < INT32[0] || value > INT32[1]))
    return refuse(reading, 'a whole number of 32 bits', value);
  if (value >= INT64_LIMIT || value < -INT64_LIMIT)
    return refuse(reading, 'a whole number of 64 bits', value);
  return numberText(value);
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
  const texts = Object.keys(value)
    .sort()
    .map((key) => {
      reading.path.push(key);
      const written = writeItem(item, value[key], reading);
      reading.path.pop();
      return `${JSON.stringify(key)}:${written}`;
    });
  return `{${texts.join(',')}}`;
}

type Special = 'quantity' | 'intOrString' | 'time' | 'microTime' | 'bytes';

function writeSpecial(is: Special, value: unknown, reading: Reading): string {
  switch (is) {
    case 'quantity': {
      const text = typeof value === 'string' ? value : isNumber(value) ? numberText(value) : '';
      const canonical = canonicalQuantity(text);
      return canonical === undefined
        ? refuse(reading, 'a quantity, such as 500m or 1Gi', value)
        : JSON.stringify(canonical);
    }
    case 'intOrString':
      if (typeof value === 'string') return JSON.stringify(value);
      return isNumber(value)
        ? writeInteger('int32', value, reading)
        : refuse(reading, 'a whole number or text', value);
    case 'time':
    case 'microTime': {
      const text = typeof value === 'string' ? canonicalTime(value, is === 'microTime') : undefined;
      return text ?? refuse(reading, 'a time of RFC 3339', value);
    }
    case 'bytes':
      return writeBytes(value, reading);
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Go reads a list of numbers as bytes, too. */
function writeBytes(value: unknown, reading: Reading): string {
  if (Array.isArray(value)) {
    const isBytes = value.every(
      (one: unknown) => one === null || (Number.isInteger(one) && Number(one) >= 0 && Number(one) < 256),
    );
    if (isBytes) return JSON.stringify(Buffer.from(value.map(Number)).toString('base64'));
  }
  const text = typeof value === 'string' ? value.replaceAll(/[\r\n]/g, '') : undefined;
  if (text === undefined || !BASE64.test(text)) return refuse(reading, 'base64', value);
  return JSON.stringify(Buffer.from(text, 'base64').toString('base64'));
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

/** A value that the type keeps as it is, canonically. */
function rawText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(rawText).join(',')}]`;
  if (isNumber(value)) return numberText(value);
  if (!isRecord(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${rawText(value[key])}`).join(',')}}`;
}

function numberText(value: number | bigint): string {
  if (typeof value === 'bigint') return value.toString();
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new Inexact();
  return JSON.stringify(value);
}

const isNumber = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function refuse(reading: Reading, expected: string, value: unknown): string {
  const message = `expected ${expected}, found ${kindOfValue(value)}`;
  const isUnquoted = expected === 'text' && (isNumber(value) || typeof value === 'boolean');
  const isQuoted = typeof value === 'string' && /^(?:a whole number|a number|true or false)/.test(expected);
  reading.faults.push({
    is: 'type',
    pointer: pointerOf(reading.path),
    message,
    ...(isUnquoted ? { hint: 'quote it' } : isQuoted ? { hint: 'write it without quotes' } : {}),
  });
  return 'null';
}

/** Never the value, which may be secret. */
function kindOfValue(value: unknown): string {
  if (typeof value === 'string') return 'text';
  if (isNumber(value)) return 'a number';
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : 'a mapping';
}

const pointerOf = (path: readonly (string | number)[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
