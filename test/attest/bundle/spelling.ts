// SPDX-License-Identifier: Apache-2.0
// The other spellings of a bundle that mean the same, all of them: two bundles with the same text here are one bundle.
import type { Json } from './world.ts';

/** They select nothing and prove nothing: each key of the reader's is tried. */
const HINTS = ['hint', 'keyid'];
/** DSSE: either base64 alphabet, the second with or without padding. */
const ANY_BASE64 = ['payload', 'sig'];

const isEmpty = (value: Json): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/**
 * White space between tokens and the order of members are none of a bundle's meaning. What protobuf's JSON leaves out are members that
 * are null, empty or the number zero.
 */
export function meaning(json: string): string | undefined {
  try {
    return JSON.stringify(sorted(JSON.parse(json)));
  } catch {
    return undefined;
  }
}

function sorted(value: Json, name = ''): Json {
  if (typeof value === 'string' && ANY_BASE64.includes(name))
    return Buffer.from(value, 'base64').toString('base64');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => sorted(item));
  const members = Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key], key)] as const)
    .filter(([key, member]) => member !== null && member !== '0' && !isEmpty(member) && !HINTS.includes(key));
  return Object.fromEntries(members);
}
