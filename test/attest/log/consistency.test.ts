// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  consistencyProof,
  type Hash,
  hashChildren,
  hashLeaf,
  isConsistent,
  type NodeReader,
  nodesOfLeaf,
  positionOf,
  rootOf,
} from '../../../attest/log/index.ts';

const split = (size: number): number => {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
};

/** MTH of RFC 6962 §2.1, word for word. */
function treeHash(leaves: readonly Hash[]): Hash {
  const [first] = leaves;
  if (first === undefined) return rootOf(0, () => Buffer.alloc(0));
  if (leaves.length === 1) return first;
  const half = split(leaves.length);
  return hashChildren(treeHash(leaves.slice(0, half)), treeHash(leaves.slice(half)));
}

/** SUBPROOF(m, D[n], b) of RFC 6962 §2.1.2, word for word. */
function subproof(earlier: number, leaves: readonly Hash[], isWhole: boolean): Hash[] {
  if (earlier === leaves.length) return isWhole ? [] : [treeHash(leaves)];
  const half = split(leaves.length);
  return earlier <= half
    ? [...subproof(earlier, leaves.slice(0, half), isWhole), treeHash(leaves.slice(half))]
    : [...subproof(earlier - half, leaves.slice(half), false), treeHash(leaves.slice(0, half))];
}

const MOST = 260;
const leaves = Array.from({ length: MOST }, (_, index) => hashLeaf(Buffer.from(`leaf ${index}`)));
const stored = new Map<number, Hash>();
const read: NodeReader = (id) => {
  const hash = stored.get(positionOf(id));
  if (hash === undefined) throw new Error(`node ${id.level}/${id.index} is not stored`);
  return hash;
};
for (const [index, leaf] of leaves.entries())
  for (const [id, hash] of nodesOfLeaf(index, leaf, read)) stored.set(positionOf(id), hash);

const hex = (hash: Hash): string => Buffer.from(hash).toString('hex');
const stateOf = (size: number): { size: number; root: Hash } => ({ size, root: rootOf(size, read) });
const sizes = fc.tuple(fc.integer({ min: 1, max: MOST }), fc.nat()).map(([later, seed]) => ({
  earlier: 1 + (seed % later),
  later,
}));

describe('the consistency of RFC 6962', () => {
  it('is proved as the definition proves it, for every pair of sizes to 70', () => {
    for (let later = 1; later <= 70; later++)
      for (let earlier = 1; earlier <= later; earlier++) {
        const proof = consistencyProof(earlier, later, read);
        expect(proof.map(hex)).toEqual(subproof(earlier, leaves.slice(0, later), true).map(hex));
        expect(isConsistent({ earlier: stateOf(earlier), later: stateOf(later) }, proof)).toBe(true);
      }
  });

  it('is proved as the definition proves it (property)', () => {
    fc.assert(
      fc.property(sizes, ({ earlier, later }) => {
        const proof = consistencyProof(earlier, later, read);
        expect(proof.map(hex)).toEqual(subproof(earlier, leaves.slice(0, later), true).map(hex));
        expect(isConsistent({ earlier: stateOf(earlier), later: stateOf(later) }, proof)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  // RFC 6962 §2.1.3: the proofs of its example, a tree of seven leaves.
  it('has the shape of the example of the standard', () => {
    expect([3, 4, 6].map((earlier) => consistencyProof(earlier, 7, read).length)).toEqual([4, 1, 3]);
  });

  it('holds between nothing and anything, but only for the root of nothing', () => {
    expect(consistencyProof(0, 7, read)).toEqual([]);
    expect(isConsistent({ earlier: stateOf(0), later: stateOf(7) }, [])).toBe(true);
    expect(isConsistent({ earlier: { size: 0, root: Buffer.alloc(32) }, later: stateOf(7) }, [])).toBe(false);
  });

  it('does not hold for another root, another size, or with one hash more, less or changed (property)', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ({ earlier, later }, seed) => {
        const [before, after] = [stateOf(earlier), stateOf(later)];
        const proof = consistencyProof(earlier, later, read);
        const other = { size: before.size, root: hashLeaf(before.root) };
        expect(isConsistent({ earlier: other, later: after }, proof)).toBe(false);
        const forked = { size: after.size, root: hashLeaf(after.root) };
        expect(isConsistent({ earlier: before, later: forked }, proof)).toBe(false);
        expect(isConsistent({ earlier: before, later: after }, [...proof, before.root])).toBe(false);
        if (earlier < later) {
          expect(isConsistent({ earlier: after, later: before }, proof)).toBe(false);
          expect(isConsistent({ earlier: before, later: after }, proof.slice(1))).toBe(false);
          expect(isConsistent({ earlier: before, later: after }, proof.slice(0, -1))).toBe(false);
          const at = seed % proof.length;
          const changed = proof.map((hash, index) => (index === at ? hashLeaf(hash) : hash));
          expect(isConsistent({ earlier: before, later: after }, changed)).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not hold where any earlier leaf was changed, however the proof is made (property)', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ({ earlier, later }, seed) => {
        const at = seed % earlier;
        const rewritten = leaves.slice(0, later).map((leaf, index) => (index === at ? hashLeaf(leaf) : leaf));
        const proof = subproof(earlier, rewritten, true);
        const after = { size: later, root: treeHash(rewritten) };
        expect(isConsistent({ earlier: stateOf(earlier), later: after }, proof)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('reads few nodes in a tree of 2^40 leaves', () => {
    let reads = 0;
    const proof = consistencyProof(2 ** 39 + 12_345, 2 ** 40 + 7, () => {
      reads++;
      return Buffer.alloc(32);
    });
    expect(reads).toBeLessThan(90);
    expect(proof.length).toBeLessThan(64);
  });
});
