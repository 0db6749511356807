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
    case 'INPUT_ALIASES':
      return placed(fault, region, largestAlias(region.tree()));
    case 'INPUT_SYNTAX':
      if (fault.message.startsWith('a second document'))
        return placed(fault, region, afterDocumentEnd(region.text));
      if (fault.message.startsWith('control characters'))
        return placed(fault, region, controlIn(region.text));
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
  const message = `key ${JSON.stringify(found.key)} is set twice${MERGES[found.byMerge]}`;
  return { ...placed(fault, region, found.offset), message };
}

/** By how many of the two that set a key it came from a merge. */
const MERGES = ['', ', once by a merge', ', by two merges'] as const;

interface Duplicate {
  readonly key: string;
  readonly offset: number;
  readonly byMerge: keyof typeof MERGES & number;
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
  for (const { keys, offset, isMerge } of entries.flatMap(settersIn)) {
    for (const key of keys) {
      const before = seen.get(key);
      if (before !== undefined) return { key, offset, byMerge: before ? (isMerge ? 2 : 1) : isMerge ? 1 : 0 };
    }
    for (const key of keys) seen.set(key, isMerge);
  }
  return undefined;
}

/** What sets keys of a mapping, and where: a member, a merge, or one of the mappings that a merge lists. */
interface Setter {
  readonly keys: readonly string[];
  readonly offset: number;
  readonly isMerge: boolean;
}

function settersIn(entry: TreeEntry): readonly Setter[] {
  const { key, offset, isMerge, value } = entry;
  if (!isMerge) return [{ keys: [key], offset, isMerge }];
  if (value?.kind !== 'seq') {
    const keys = [...new Set(mergedMaps(entry).flatMap((map) => keysOf(map, DEPTH_MAX)))];
    return [{ keys, offset, isMerge }];
  }
  return value.items().map((item) => {
    const map = item.target();
    return {
      keys: map === undefined ? [] : [...new Set(keysOf(map, DEPTH_MAX))],
      offset: item.offset,
      isMerge,
    };
  });
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

/** The alias that stands for most, counted with all that the aliases in it stand for; the first of several. */
function largestAlias(root: TreeNode | undefined): number | undefined {
  const sizes = new Map<number, number>();
  let largest: { readonly offset: number; readonly size: number } | undefined;
  const sizeOf = (node: TreeNode): number => {
    const known = sizes.get(node.offset);
    if (known !== undefined && node.kind !== 'alias') return known;
    if (node.kind === 'alias') {
      const target = node.target();
      const size = target === undefined || target.kind === 'alias' ? 1 : sizeOf(target);
      if (size > (largest?.size ?? 0)) largest = { offset: node.offset, size };
      return size;
    }
    // One that holds itself is refused as such.
    sizes.set(node.offset, 1);
    const size = childrenOf(node).reduce((sum, child) => sum + sizeOf(child), 1);
    sizes.set(node.offset, size);
    return size;
  };
  if (root !== undefined) sizeOf(root);
  return largest?.offset;
}

/** What no YAML text may hold raw (YAML 1.2.2, 5.1). */
const NO_PRINTABLE = /[^\t\n\r\x20-\x7e\x85\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

function controlIn(text: string): number | undefined {
  const at = text.search(NO_PRINTABLE);
  return at < 0 ? undefined : at;
}
