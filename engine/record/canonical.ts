// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import { isObject, type JsonObject, type JsonValue } from '../manifest/document.ts';
import { isCanonical } from './is_canonical.ts';

/**
 * JSON by RFC 8785 for values whose numbers JavaScript holds exactly: keys by UTF-16 code units (§3.2.3), no white space.
 * Objects from manifests may hold larger integers and go through `canonicalBytes`.
 */
export function canonicalText(value: JsonValue): string {
  const ordered = inOrder(value, false);
  return ordered === undefined ? exactText(value) : JSON.stringify(ordered);
}

/**
 * The value with its members in order, so that JSON.stringify, which is fast, has nothing more to know. Undefined where an object
 * would not keep that order (keys that are array indexes come first), where a key sets the prototype instead, and, with `isExact`,
 * where an integer may not be the one that was written.
 */
function inOrder(value: JsonValue, isExact: boolean): JsonValue | undefined {
  if (typeof value === 'number') return isExact && !isSure(value) ? undefined : value;
  if (Array.isArray(value)) {
    const items: JsonValue[] = [];
    for (const item of value) {
      const ordered = inOrder(item, isExact);
      if (ordered === undefined) return undefined;
      items.push(ordered);
    }
    return items;
  }
  return isObject(value) ? membersInOrder(value, isExact) : value;
}

function membersInOrder(value: JsonObject, isExact: boolean): JsonValue | undefined {
  const entries = Object.entries(value);
  if (!isAscending(entries)) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const members: Record<string, JsonValue> = {};
  for (const [key, item] of entries) {
    const first = key.charCodeAt(0);
    const ordered = inOrder(item, isExact);
    if ((first >= DIGIT_0 && first <= DIGIT_9) || key === '__proto__' || ordered === undefined)
      return undefined;
    members[key] = ordered;
  }
  return members;
}

function isAscending(entries: readonly (readonly [string, JsonValue])[]): boolean {
  let before = '';
  for (const [key] of entries) {
    if (key < before) return false;
    before = key;
  }
  return true;
}

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** Whether no integer beyond a double's can have been read as this. */
const isSure = (value: number): boolean =>
  Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));

/** A number as written in JSON, kept as text so that int64 stays exact. */
const NUMBER = /^-?\d+$/;

const hasRawSource = (context: unknown): context is { source: string } =>
  typeof context === 'object' &&
  context !== null &&
  'source' in context &&
  typeof context.source === 'string';

/**
 * RFC 8785 with integers kept exact to int64 (reference: set digest `k8s-set-v1` §3); other numbers as ECMAScript prints them.
 * @param value what JSON.parse makes of these bytes, where the caller has it already
 * @throws {EngineError} INPUT_NUMBER for one that no double can hold: it would be printed as null
 */
export function canonicalBytes(json: Uint8Array, value?: JsonValue): Uint8Array {
  // What the readers write is canonical; what API servers send lacks only the order.
  if (isCanonical(json)) return json;
  const ordered = inOrder(value ?? parse(json), true);
  return Buffer.from(ordered === undefined ? exactText(parseExact(json)) : JSON.stringify(ordered));
}

function parse(json: Uint8Array): JsonValue {
  const value: JsonValue = JSON.parse(Buffer.from(json).toString('utf8'));
  return value;
}

/** JSON as a value whose integers beyond a double are bigints. @throws {EngineError} INPUT_NUMBER */
export function parseExact(json: Uint8Array): unknown {
  return JSON.parse(Buffer.from(json).toString('utf8'), reviveNumbers);
}

/** Integers that a double cannot hold become bigints. */
function reviveNumbers(this: unknown, _key: string, value: unknown, context?: unknown): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  if (hasRawSource(context) && NUMBER.test(context.source)) return BigInt(context.source);
  if (Number.isFinite(value)) return value;
  throw new EngineError('INPUT_NUMBER', 'a number is too large', { hint: 'write it smaller, or as text' });
}

/** The text of what `parseExact` read, keys in order: equal where the values are. */
export function exactText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(exactText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${exactText(item)}`).join(',')}}`;
}
