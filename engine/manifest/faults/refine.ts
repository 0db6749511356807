// SPDX-License-Identifier: Apache-2.0
import type { YamlFault } from '../../toolchain/yaml.ts';
import { mergedMaps } from '../locate.ts';
import { type Region, regionOf } from '../region.ts';
import { deepestAt, type TreeEntry, type TreeNode, tokensOf } from '../syntax.ts';
import { placeOfEscape, refineSurrogate } from './escapes.ts';

const DEPTH_MAX = 100;

/** The fault with the place, and for keys the name, that Kubernetes' reader does not tell. */
export function refine(fault: YamlFault, bytes: Uint8Array): YamlFault {
  const region = regionOf(bytes, [fault.start, fault.end]);
  switch (fault.code) {
    case 'INPUT_DUPLICATE_KEY':
      return refineKey(fault, region);
    case 'INPUT_KEY':
      return refineTextless(fault, region);
    case 'INPUT_NUMBER':
      return placed(fault, region, first(region.tree(), beyond));
    case 'INPUT_ENCODING':
      return placeOfEscape(fault, region);
    case 'INPUT_TOO_DEEP':
      return placed(fault, region, deepestAt(region.text, DEPTH_MAX));
    case 'INPUT_SYNTAX':
      if (fault.message.startsWith('a second document'))
        return placed(fault, region, afterDocumentEnd(region.text));
      return fault.message.includes('Unicode character escape') ? refineSurrogate(fault, region) : fault;
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

/** Where Kubernetes' reader gave the key's text and no place. */
function refineTextless(fault: YamlFault, region: Region): YamlFault {
  const found = first(region.tree(), (node) => node.entries().find(({ isNoText }) => isNoText !== undefined));
  if (found?.isNoText === undefined) return fault;
  const name = found.isNoText === 'a collection' ? 'a key' : `key ${JSON.stringify(found.written)}`;
  const message = `${name} is ${found.isNoText}, not text`;
  const becomes = found.isNoText === 'a boolean' || found.key !== found.written;
  return {
    ...placed(fault, region, found.offset),
    message,
    ...(becomes ? { hint: `quote it: kubectl would read it as ${JSON.stringify(found.key)}` } : {}),
  };
}

/** What `found` gives for the first node of a tree, in the order of the text, for which it gives anything. */
function first<T>(node: TreeNode | undefined, found: (node: TreeNode) => T | undefined): T | undefined {
  if (node === undefined) return undefined;
  const own = found(node);
  if (own !== undefined) return own;
  for (const child of childrenOf(node)) {
    const below = first(child, found);
    if (below !== undefined) return below;
  }
  return undefined;
}

const INT64_LIMIT = 2n ** 63n;

const beyond = ({ value, offset }: TreeNode): number | undefined => (isBeyond(value) ? offset : undefined);

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
