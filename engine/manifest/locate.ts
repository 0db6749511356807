// SPDX-License-Identifier: Apache-2.0
import type { Location } from '../error.ts';
import type { Document, Source } from './document.ts';
import { regionOf } from './region.ts';
import type { TreeEntry, TreeNode } from './syntax.ts';

/**
 * Where in its file the value at `pointer` (RFC 6901, inside the Document) is written.
 *
 * The place of a member is its key, that of an item is the item's first character: where one would go to change it. What
 * stands behind an alias or a merge is where it is written, not where it is used. The nearest ancestor that is written stands for what
 * is not; the Document's first line, column 1, for a text that npm's yaml cannot read. Columns are UTF-16 code units.
 */
export function locate(source: Source, document: Document, pointer: string): Location {
  const region = regionOf(source.bytes, document.range ?? [0, source.bytes.length]);
  const root = region.tree();
  const place =
    root === undefined
      ? { line: document.line, column: 1 }
      : region.place(offsetOf(root, stepsOf(document.pointer + pointer)));
  return withOrigin({ file: source.name, ...place }, source);
}

/** A place in a rendered stream, with the template or resource file that its line came from. */
export function withOrigin(location: Location, { origins = [] }: Source): Location {
  let low = 0;
  let high = origins.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((origins[middle]?.line ?? 0) <= location.line) low = middle + 1;
    else high = middle;
  }
  const origin = origins[low - 1];
  return origin === undefined ? location : { ...location, source: origin.file };
}

/** The unescaped reference tokens of a pointer; one that does not begin with `/` has none. */
const stepsOf = (pointer: string): readonly string[] =>
  pointer.startsWith('/')
    ? pointer
        .slice(1)
        .split('/')
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    : [];

function offsetOf(root: TreeNode, steps: readonly string[]): number {
  let at = root.offset;
  let node: TreeNode | undefined = root;
  for (const step of steps) {
    const holder: TreeNode | undefined = node?.target();
    if (holder === undefined) break;
    const found: Child | undefined =
      holder.kind === 'map' ? memberOf(holder, step, MERGE_MAX_DEPTH) : itemAt(holder, step);
    if (found === undefined) break;
    at = found.offset;
    node = found.value;
  }
  return at;
}

type Child = Pick<TreeEntry, 'offset' | 'value'>;

/** A merge may merge what merges itself. */
const MERGE_MAX_DEPTH = 100;

function memberOf(map: TreeNode, key: string, depth: number): Child | undefined {
  const entries = map.entries();
  const own =
    entries.find((entry) => !entry.isMerge && entry.key === key) ??
    entries.find((entry) => !entry.isMerge && entry.written === key);
  if (own !== undefined || depth === 0) return own;
  for (const merged of entries.flatMap(mergedMaps)) {
    const found = memberOf(merged, key, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function itemAt(sequence: TreeNode, step: string): Child | undefined {
  const item = /^(?:0|[1-9]\d*)$/.test(step) ? sequence.items()[Number(step)] : undefined;
  return item === undefined ? undefined : { offset: item.offset, value: item };
}

/** The mappings that a merge key brings; none for other entries. */
export function mergedMaps(entry: TreeEntry): readonly TreeNode[] {
  if (!entry.isMerge) return [];
  const value = entry.value?.target();
  const sources = value === undefined ? [] : value.kind === 'seq' ? value.items() : [value];
  return sources.flatMap((source) => {
    const target = source.target();
    return target?.kind === 'map' ? [target] : [];
  });
}
