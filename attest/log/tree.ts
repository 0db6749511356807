// SPDX-License-Identifier: Apache-2.0
// The Merkle tree of RFC 6962 §2.1 over stored nodes. Only complete subtrees are nodes; they never change once written, so any
// root and any proof, of this size or of an earlier one, is read from O(log n) of them. Sizes are numbers below 2^53.

import { hash } from 'node:crypto';

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array;

/** A complete subtree: `level` 0 is a leaf, `index` counts the subtrees of that level from the left. */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

/** Reads the hash of a complete subtree. */
export type NodeReader = (id: NodeId) => Hash;

/** The hash of a leaf. RFC 6962 §2.1: 0x00 and 0x01 keep a leaf from being passed off as an inner node. */
export function hashLeaf(leaf: Uint8Array): Hash {
  return prefixed(0, [leaf]);
}

/** The hash of two neighbours. */
export function hashChildren(left: Hash, right: Hash): Hash {
  return prefixed(1, [left, right]);
}

function prefixed(prefix: number, parts: readonly Uint8Array[]): Hash {
  return hash('sha256', Buffer.concat([Uint8Array.of(prefix), ...parts]), 'buffer');
}

/** The fewest complete subtrees that cover the first `size` leaves, from the left (the largest) to the right. */
export function frontierOf(size: number): NodeId[] {
  const nodes: NodeId[] = [];
  let start = 0;
  for (let level = levelsOf(size); level >= 0; level--) {
    const width = 2 ** level;
    if (size - start < width) continue;
    nodes.push({ level, index: start / width });
    start += width;
  }
  return nodes;
}

function levelsOf(size: number): number {
  let level = 0;
  while (2 ** (level + 1) <= size) level++;
  return level;
}

/** The root of the first `size` leaves; that of an empty tree is the hash of nothing. */
export function rootOf(size: number, read: NodeReader): Hash {
  return size === 0 ? hash('sha256', '', 'buffer') : foldFrom(0, size, read);
}

/** The hash of the leaves from `start` (the border of a subtree of the frontier) to `size`. */
function foldFrom(start: number, size: number, read: NodeReader): Hash {
  return frontierOf(size)
    .filter(({ level, index }) => index * 2 ** level >= start)
    .map(read)
    .reduceRight((right, left) => hashChildren(left, right));
}

/**
 * Proves that leaf `index` is in the tree of `size` leaves: the hashes of its siblings, from the leaf up.
 * @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1.1
 */
export function inclusionProof(index: number, size: number, read: NodeReader): Hash[] {
  const hashes: Hash[] = [];
  let [node, last, level] = [index, size - 1, 0];
  // Below the level where the way to the leaf and the way to the last leaf meet, every sibling but the topmost is complete.
  for (; node !== last; level++) {
    const sibling = node % 2 === 0 ? node + 1 : node - 1;
    const isComplete = (sibling + 1) * 2 ** level <= size;
    hashes.push(isComplete ? read({ level, index: sibling }) : foldFrom(sibling * 2 ** level, size, read));
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  for (; node > 0; level++, node = Math.floor(node / 2))
    if (node % 2 === 1) hashes.push(read({ level, index: node - 1 }));
  return hashes;
}

/** The root that a proof leads to, or undefined where it has the wrong number of hashes for this index and size. */
export function rootFromProof(
  leaf: Hash,
  index: number,
  size: number,
  hashes: readonly Hash[],
): Hash | undefined {
  if (index < 0 || index >= size) return undefined;
  const left = [...hashes];
  let [root, node, last] = [leaf, index, size - 1];
  for (; last > 0; node = Math.floor(node / 2), last = Math.floor(last / 2)) {
    if (node % 2 === 0 && node === last) continue;
    const sibling = left.shift();
    if (sibling === undefined) return undefined;
    root = node % 2 === 1 ? hashChildren(sibling, root) : hashChildren(root, sibling);
  }
  return left.length === 0 ? root : undefined;
}

/** The complete subtrees that come into being when leaf number `index` is added, the leaf first. */
export function nodesOfLeaf(index: number, leaf: Hash, read: NodeReader): (readonly [NodeId, Hash])[] {
  const nodes: [NodeId, Hash][] = [[{ level: 0, index }, leaf]];
  let [node, own, level] = [index, leaf, 0];
  while (node % 2 === 1) {
    own = hashChildren(read({ level, index: node - 1 }), own);
    node = (node - 1) / 2;
    nodes.push([{ level: ++level, index: node }, own]);
  }
  return nodes;
}

/** One number per node, in order of the tree: what is added together is stored together. */
export function positionOf({ level, index }: NodeId): number {
  return (2 * index + 1) * 2 ** level - 1;
}
