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
 * The value with its members in order, so that JSON.stringify, which is fast, has nothing more to know; itself where it is so already.
 * Undefined where an object would not keep that order (keys that are array indexes come first), where a key sets the prototype
 * instead, and, with `isExact`, where an integer may not be the one that was written.
 */
function inOrder(value: JsonValue, isExact: boolean): JsonValue | undefined {
  if (typeof value === 'number') return isExact && !isSure(value) ? undefined : value;
  if (Array.isArray(value)) return itemsInOrder(value, isExact);
  return isObject(value) ? membersInOrder(value, isExact) : value;
}

function itemsInOrder(value: readonly JsonValue[], isExact: boolean): JsonValue | undefined {
  let items: JsonValue[] | undefined;
  for (const [index, item] of value.entries()) {
    const ordered = inOrder(item, isExact);
    if (ordered === undefined) return undefined;
    if (ordered !== item) items ??= value.slice(0, index);
    items?.push(ordered);
  }
  return items ?? value;
}

function membersInOrder(value: JsonObject, isExact: boolean): JsonValue | undefined {
  const keys = Object.keys(value);
  let isSame = isAscending(keys);
  if (!isSame) keys.sort();
  const items: JsonValue[] = [];
  for (const key of keys) {
    const item = value[key] ?? null;
    const ordered = inOrder(item, isExact);
    const first = key.charCodeAt(0);
    if ((first >= DIGIT_0 && first <= DIGIT_9) || key === '__proto__' || ordered === undefined)
      return undefined;
    isSame &&= ordered === item;
    items.push(ordered);
  }
  return isSame ? value : withMembers(keys, items);
}

function withMembers(keys: readonly string[], items: readonly JsonValue[]): JsonValue {
  const members: Record<string, JsonValue> = {};
  for (const [index, key] of keys.entries()) members[key] = items[index] ?? null;
  return members;
}

function isAscending(keys: readonly string[]): boolean {
  let last = '';
  for (const key of keys) {
    if (key < last) return false;
    last = key;
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
