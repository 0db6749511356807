// SPDX-License-Identifier: Apache-2.0
import type { YamlFault } from '../toolchain/yaml.ts';
import { mergedMaps } from './locate.ts';
import { type Place, type Region, regionOf } from './region.ts';
import { deepestAt, type TreeEntry, type TreeNode, tokensOf } from './syntax.ts';

const DEPTH_MAX = 100;

/** The fault with the place, and for keys the name, that Kubernetes' reader does not tell. */
export function refine(fault: YamlFault, bytes: Uint8Array): YamlFault {
  const region = regionOf(bytes, [fault.start, fault.end]);
  switch (fault.code) {
    case 'INPUT_DUPLICATE_KEY':
      return refineKey(fault, region);
    case 'INPUT_NUMBER':
      return placed(fault, region, firstNumber(region.tree()));
    case 'INPUT_TOO_DEEP':
      return placed(fault, region, deepestAt(region.text, DEPTH_MAX));
    case 'INPUT_SYNTAX':
      return fault.message.startsWith('a second document')
        ? placed(fault, region, afterDocumentEnd(region.text))
        : fault;
    default:
      return fault;
  }
}

const placed = (fault: YamlFault, region: Region, offset: number | undefined): YamlFault =>
  offset === undefined ? fault : { ...fault, ...region.place(offset) };

function refineKey(fault: YamlFault, region: Region): YamlFault {
  const root = region.tree();
  const found = root === undefined ? undefined : firstDuplicate(root);
  if (found === undefined) return fault;
  const message = `key ${JSON.stringify(found.key)} is set twice${found.byMerge ? ', once by a merge' : ''}`;
  return { ...placed(fault, region, found.offset), message };
}

interface Duplicate {
  readonly key: string;
  readonly offset: number;
  readonly byMerge: boolean;
}

function firstDuplicate(node: TreeNode): Duplicate | undefined {
  const own = node.kind === 'map' ? duplicateIn(node.entries()) : undefined;
  if (own !== undefined) return own;
  for (const child of childrenOf(node)) {
    const found = firstDuplicate(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

const childrenOf = (node: TreeNode): readonly TreeNode[] =>
  node.kind === 'map'
    ? node.entries().flatMap(({ value }) => (value === undefined ? [] : [value]))
    : node.items();

function duplicateIn(entries: readonly TreeEntry[]): Duplicate | undefined {
  const seen = new Map<string, boolean>();
  for (const entry of entries) {
    const keys = entry.isMerge
      ? [...new Set(mergedMaps(entry).flatMap((map) => keysOf(map, DEPTH_MAX)))]
      : [entry.key];
    for (const key of keys) {
      const byMerge = seen.get(key);
      if (byMerge !== undefined) return { key, offset: entry.offset, byMerge: byMerge || entry.isMerge };
    }
    for (const key of keys) seen.set(key, entry.isMerge);
  }
  return undefined;
}

const keysOf = (map: TreeNode, depth: number): readonly string[] =>
  depth === 0
    ? []
    : map
        .entries()
        .flatMap((entry) =>
          entry.isMerge ? mergedMaps(entry).flatMap((merged) => keysOf(merged, depth - 1)) : [entry.key],
        );

const INT64_LIMIT = 2n ** 63n;

function firstNumber(node: TreeNode | undefined): number | undefined {
  if (node === undefined) return undefined;
  if (isBeyond(node.value)) return node.offset;
  for (const child of childrenOf(node)) {
    const found = firstNumber(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isBeyond = (value: unknown): boolean =>
  typeof value === 'bigint'
    ? value >= INT64_LIMIT || value < -INT64_LIMIT
    : typeof value === 'number' && !(Math.abs(value) < 2 ** 63);

/** The first content after a line of `...`. */
function afterDocumentEnd(text: string): number | undefined {
  let hasEnded = false;
  for (const { type, offset } of tokensOf(text)) {
    if (type === 'doc-end') hasEnded = true;
    else if (hasEnded && type !== 'newline' && type !== 'space' && type !== 'comment') return offset;
  }
  return undefined;
}

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
