// SPDX-License-Identifier: Apache-2.0
// That a tree has only grown: RFC 6962 §2.1.2, and its verification as RFC 9162 §2.1.4.2 writes it down.

import { frontierOf, type Hash, hashChildren, type NodeReader, rootOf } from './tree.ts';

/**
 * Proves that the first `earlier` leaves of the tree of `size` leaves are those of the tree of that size; empty where there is nothing
 * to prove: the sizes are equal, or the earlier tree has no leaves.
 * @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1.2
 */
export function consistencyProof(earlier: number, size: number, read: NodeReader): Hash[] {
  if (earlier <= 0 || earlier >= size) return [];
  const hashes: Hash[] = [];
  let [start, end] = [0, size];
  let isWhole = true;
  // Down to the subtree that ends where the earlier tree did; what is left aside on the way is the proof, from below.
  while (earlier < end) {
    const middle = start + halfOf(end - start);
    if (earlier <= middle) {
      hashes.push(hashOf(middle, end, read));
      end = middle;
    } else {
      hashes.push(hashOf(start, middle, read));
      start = middle;
      isWhole = false;
    }
  }
  // Whoever checks knows the root of the earlier tree: where that is the subtree itself it is not sent.
  if (!isWhole) hashes.push(hashOf(start, end, read));
  return hashes.reverse();
}

/** The largest power of two below `width`. */
function halfOf(width: number): number {
  let half = 1;
  while (half * 2 < width) half *= 2;
  return half;
}

/** The hash of the leaves from `start` to `end`, where `start` is the border of a subtree as wide as that or wider. */
function hashOf(start: number, end: number, read: NodeReader): Hash {
  const nodes = frontierOf(end - start).map(({ level, index }) => ({
    level,
    index: index + start / 2 ** level,
  }));
  return nodes.map(read).reduceRight((right, left) => hashChildren(left, right));
}

/** Two states of one log, the earlier first, as their checkpoints say. */
export interface Growth {
  readonly earlier: { readonly size: number; readonly root: Hash };
  readonly later: { readonly size: number; readonly root: Hash };
}

/** Whether a proof shows that the later tree holds the earlier one unchanged. Never throws for anything that `hashes` holds. */
export function isConsistent({ earlier, later }: Growth, hashes: readonly Hash[]): boolean {
  if (earlier.size > later.size) return false;
  if (earlier.size === later.size) return hashes.length === 0 && same(earlier.root, later.root);
  // Every tree has grown from nothing; but the root of nothing is known.
  if (earlier.size === 0) return hashes.length === 0 && same(earlier.root, rootOf(0, noNode));
  const roots = rootsFrom({ earlier, later }, hashes);
  return roots !== undefined && same(roots[0], earlier.root) && same(roots[1], later.root);
}

const same = (a: Hash, b: Hash): boolean => Buffer.compare(a, b) === 0;
const noNode: NodeReader = () => Buffer.alloc(0);
const half = (value: number): number => Math.floor(value / 2);

/** The two roots that a proof leads to, or undefined where it has the wrong number of hashes. */
function rootsFrom({ earlier, later }: Growth, hashes: readonly Hash[]): [Hash, Hash] | undefined {
  let [node, last] = [earlier.size - 1, later.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  const [first, ...rest] = node === 0 ? [earlier.root, ...hashes] : hashes;
  if (first === undefined) return undefined;
  let [old, grown] = [first, first];
  for (const hash of rest) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      [old, grown] = [hashChildren(hash, old), hashChildren(hash, grown)];
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else grown = hashChildren(grown, hash);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 ? [old, grown] : undefined;
}
