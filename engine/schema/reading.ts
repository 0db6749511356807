// SPDX-License-Identifier: Apache-2.0
// What a reading of an object keeps on its way: the faults, and where it is.

/** One value that strict decoding refuses. */
export interface Fault {
  readonly is: 'field' | 'type' | 'value';
  /** RFC 6901 pointer to the field or the value. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
  /** The fields that there are where one is unknown. */
  readonly known?: readonly string[];
}

/** Thrown for an integer that a double may not hold. */
export class Inexact extends Error {}

export interface Reading {
  readonly faults: Fault[];
  readonly path: (string | number)[];
  /** Below a schema that stands for another, Kubernetes drops unknown fields without a word. */
  isLenient: boolean;
}

/** Notes a value of a wrong type; what it returns stands for the value in text that nobody uses. */
export function refuse(reading: Reading, expected: string, value: unknown): string {
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

/** RFC 6901. */
export const pointerOf = (path: readonly (string | number)[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** JSON of a number. @throws {Inexact} */
export function numberText(value: number | bigint): string {
  if (typeof value === 'bigint') return value.toString();
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new Inexact();
  return JSON.stringify(value);
}

export const isNumber = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
