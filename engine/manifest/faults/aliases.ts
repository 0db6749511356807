// SPDX-License-Identifier: Apache-2.0
import { type Place, regionOf } from '../region.ts';
import { tokensOf } from '../syntax.ts';

const ALIAS_MAX = 100;
const STAR = 0x2a;

/** The place of the alias of a YAML document that is one too many, if there are more than 100. */
export function aliasTooMany(
  bytes: Uint8Array,
  range: readonly [start: number, end: number],
): Place | undefined {
  if (!mayHaveMoreAliases(bytes.subarray(...range))) return undefined;
  const region = regionOf(bytes, range);
  let count = 0;
  for (const { type, offset } of tokensOf(region.text)) {
    if (type === 'alias' && ++count > ALIAS_MAX) return region.place(offset);
  }
  return undefined;
}

/** An upper bound that costs nothing where there are few stars: `*` before a character that is no space. */
function mayHaveMoreAliases(bytes: Uint8Array): boolean {
  let count = 0;
  for (let at = bytes.indexOf(STAR); at >= 0 && count <= ALIAS_MAX; at = bytes.indexOf(STAR, at + 1)) {
    if ((bytes[at + 1] ?? 0x20) > 0x20) count++;
  }
  return count > ALIAS_MAX;
}
