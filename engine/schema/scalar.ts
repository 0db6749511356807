// SPDX-License-Identifier: Apache-2.0
import { canonicalQuantity } from './quantity.ts';
import { isNumber, isRecord, numberText, type Reading, refuse } from './reading.ts';
import type { Scalar } from './table.ts';
import { canonicalTime } from './time.ts';

const INT64_LIMIT = 2n ** 63n;
const INT32 = [-(2 ** 31), 2 ** 31 - 1] as const;

/** A value of a type that has no fields and no items, as Go reads it and writes it again. */
export function writeScalar(is: Scalar, value: unknown, reading: Reading): string {
  switch (is) {
    case 'string':
      return typeof value === 'string' ? JSON.stringify(value) : refuse(reading, 'text', value);
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : refuse(reading, 'true or false', value);
    case 'int32':
    case 'int64':
      return writeInteger(is, value, reading);
    case 'number':
      return isNumber(value) ? numberText(value) : refuse(reading, 'a number', value);
    case 'raw':
      return rawText(value);
    default:
      return writeSpecial(is, value, reading);
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

/** A value that the type keeps as it is, canonically. */
function rawText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(rawText).join(',')}]`;
  if (isNumber(value)) return numberText(value);
  if (!isRecord(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${rawText(value[key])}`).join(',')}}`;
}
