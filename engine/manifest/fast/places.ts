// SPDX-License-Identifier: Apache-2.0
import type { TreeNode } from '../syntax.ts';
import { writeDocument } from './block.ts';
import { isOrdinary } from './chunks.ts';
import { CHAR, NotOrdinary, type Scan } from './scan.ts';
import { TreeBuilder } from './tree.ts';
import { JsonWriter } from './writer.ts';

/**
 * The syntax tree of one document's bytes, with offsets into its text in UTF-16 code units; undefined when it is not ordinary.
 * Only for what `readFast` or the reader has read: it tells places, never values.
 */
export function readFastTree(bytes: Uint8Array): TreeNode | undefined {
  const content = behindSeparator(bytes);
  if (content === undefined || !isOrdinary(bytes)) return undefined;
  const tree = new TreeBuilder(offsets(bytes));
  const scan: Scan = {
    bytes,
    end: bytes.length,
    out: new JsonWriter(bytes.length),
    tree,
    at: content,
    lineStart: 0,
    indent: 0,
    depth: 0,
  };
  try {
    writeDocument(scan, { at: 0 });
  } catch (error) {
    if (error instanceof NotOrdinary) return undefined;
    throw error;
  }
  return tree.root;
}

const SEPARATOR = Buffer.from('---');

/** `---#` begins a document for the one that splits, and a scalar for the one that reads. */
function behindSeparator(bytes: Uint8Array): number | undefined {
  if (!SEPARATOR.equals(bytes.subarray(0, SEPARATOR.length))) return 0;
  const next = bytes[SEPARATOR.length];
  if (next !== undefined && next !== CHAR.newline && next !== CHAR.space) return undefined;
  const newline = bytes.indexOf(CHAR.newline);
  return newline < 0 ? bytes.length : newline + 1;
}

/** From bytes to UTF-16 code units: the bytes themselves for ASCII, and else counted from the last place that was asked for. */
function offsets(bytes: Uint8Array): (at: number) => number {
  let from = 0;
  let units = 0;
  return (at) => {
    if (at < from) [from, units] = [0, 0];
    for (; from < at; from++) units += unitsOf(bytes[from] ?? 0);
    return units;
  };
}

/** Continuation bytes stand for nothing of their own, the first of four for a surrogate pair. */
function unitsOf(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc0) return 0;
  return byte < 0xf0 ? 1 : 2;
}
