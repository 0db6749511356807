// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../manifest/index.ts';
import { isCanonical } from './is_canonical.ts';

/**
 * JSON by RFC 8785 for values whose numbers JavaScript holds exactly: keys by UTF-16 code units (§3.2.3), no white space.
 * Objects from manifests may hold larger integers and go through `canonicalBytes`.
 */
export function canonicalText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonicalText(item)}`).join(',')}}`;
}

/** A number as written in JSON, kept as text so that int64 stays exact. */
const NUMBER = /^-?\d+$/;

const hasRawSource = (context: unknown): context is { source: string } =>
  typeof context === 'object' &&
  context !== null &&
  'source' in context &&
  typeof context.source === 'string';

/** RFC 8785 with integers kept exact to int64 (reference: set digest `k8s-set-v1` §3); other numbers as ECMAScript prints them. */
export function canonicalBytes(json: Uint8Array): Uint8Array {
  if (isCanonical(json)) return json; // what the readers write nearly always is
  const exact: unknown = JSON.parse(Buffer.from(json).toString('utf8'), reviveNumbers);
  return Buffer.from(exactText(exact));
}

/** Integers that a double cannot hold become bigints. */
function reviveNumbers(this: unknown, _key: string, value: unknown, context?: unknown): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return hasRawSource(context) && NUMBER.test(context.source) ? BigInt(context.source) : value;
}

function exactText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(exactText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${exactText(item)}`).join(',')}}`;
}
