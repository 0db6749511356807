// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import type { JsonValue } from '../manifest/index.ts';
import { isCanonical } from './is_canonical.ts';
import { reorder } from './reorder.ts';

/**
 * JSON by RFC 8785 for values whose numbers JavaScript holds exactly: keys by UTF-16 code units (§3.2.3), no white space.
 * Objects from manifests may hold larger integers and go through `canonicalBytes`.
 */
export function canonicalText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonicalText(item)}`).join(',')}}`;
}

/** A number as written in JSON, kept as text so that int64 stays exact. */
const NUMBER = /^-?\d+$/;

const hasRawSource = (context: unknown): context is { source: string } =>
  typeof context === 'object' &&
  context !== null &&
  'source' in context &&
  typeof context.source === 'string';

/**
 * RFC 8785 with integers kept exact to int64 (reference: set digest `k8s-set-v1` §3); other numbers as ECMAScript prints them.
 * @throws {EngineError} INPUT_NUMBER for one that no double can hold: it would be printed as null
 */
export function canonicalBytes(json: Uint8Array): Uint8Array {
  // What the readers write nearly always is canonical, and what API servers send lacks only the order.
  const quick = isCanonical(json) ? json : reorder(json);
  if (quick !== undefined) return quick;
  const exact: unknown = JSON.parse(Buffer.from(json).toString('utf8'), reviveNumbers);
  return Buffer.from(exactText(exact));
}

/** Integers that a double cannot hold become bigints. */
function reviveNumbers(this: unknown, _key: string, value: unknown, context?: unknown): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  if (hasRawSource(context) && NUMBER.test(context.source)) return BigInt(context.source);
  if (Number.isFinite(value)) return value;
  throw new EngineError('INPUT_NUMBER', 'a number is too large', { hint: 'write it smaller, or as text' });
}

function exactText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(exactText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${exactText(item)}`).join(',')}}`;
}
