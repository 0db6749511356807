// SPDX-License-Identifier: Apache-2.0
import { readFastTree } from './fast/index.ts';
import { type TreeNode, treeOf } from './syntax.ts';

/** A place in a file: line and column are 1-based, and a column is a UTF-16 code unit, as editors count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One YAML document of a file as text, with its syntax tree. */
export interface Region {
  /** With a line feed for each character that ends a line in YAML 1.1 only. */
  readonly text: string;
  /** Undefined when it is not ordinary and npm's yaml cannot read it. */
  tree(): TreeNode | undefined;
  /** The place in the file of an offset in `text`. */
  place(offset: number): Place;
}

/** Findings come document by document, so few regions are asked for at a time. */
const KEEP_REGIONS = 16;
const NEWLINE = 10;

const kept = new WeakMap<Uint8Array, Map<string, Region>>();
const lineIndexes = new WeakMap<Uint8Array, readonly number[]>();

/** The region of a byte range of a file. A byte order mark at its beginning has no column. */
export function regionOf(bytes: Uint8Array, range: readonly [start: number, end: number]): Region {
  const regions = kept.get(bytes) ?? new Map<string, Region>();
  const key = range.join();
  const known = regions.get(key);
  if (known !== undefined) return known;
  if (regions.size >= KEEP_REGIONS) regions.clear();
  const region = makeRegion(bytes, range);
  kept.set(bytes, regions.set(key, region));
  return region;
}

/** What ends a line in YAML 1.1 and neither in YAML 1.2 nor for an editor: a comment ends there, and what follows counts. */
const BREAKS = /\r(?!\n)|[\x85\u2028\u2029]/g;

function makeRegion(bytes: Uint8Array, [start, end]: readonly [number, number]): Region {
  const written = new TextDecoder().decode(bytes.subarray(start, end));
  const text = written.replace(BREAKS, '\n');
  const before = linesBefore(bytes, start);
  const lineBegin = before === 0 ? 0 : (linesOf(bytes)[before - 1] ?? 0) + 1;
  const columnsBefore = new TextDecoder().decode(bytes.subarray(lineBegin, start)).length;
  const newlines = positionsOf(written);
  let tree: { readonly root: TreeNode | undefined } | undefined;
  return {
    text,
    tree: () => {
      tree ??= { root: readFastTree(bytes.subarray(start, end)) ?? treeOf(text) };
      return tree.root;
    },
    place: (offset) => {
      const line = countBelow(newlines, offset);
      const begin = line === 0 ? -columnsBefore : (newlines[line - 1] ?? 0) + 1;
      return { line: before + line + 1, column: offset - begin + 1 };
    },
  };
}

const linesBefore = (bytes: Uint8Array, at: number): number => countBelow(linesOf(bytes), at);

function linesOf(bytes: Uint8Array): readonly number[] {
  const known = lineIndexes.get(bytes);
  if (known !== undefined) return known;
  const lines: number[] = [];
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines.push(at);
  lineIndexes.set(bytes, lines);
  return lines;
}

function positionsOf(text: string): readonly number[] {
  const positions: number[] = [];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) positions.push(at);
  return positions;
}

/** How many of the ascending numbers are less than `limit`. */
function countBelow(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
