// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  frontierOf,
  type Hash,
  hashChildren,
  hashLeaf,
  inclusionProof,
  type NodeReader,
  nodesOfLeaf,
  positionOf,
  rootFromProof,
  rootOf,
} from '../../../attest/log/index.ts';

/** The definition of RFC 6962 §2.1, word for word: slow, and what ours must agree with. */
function treeHash(leaves: readonly Hash[]): Hash {
  const [first] = leaves;
  if (first === undefined) return rootOf(0, () => Buffer.alloc(0));
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return hashChildren(treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

/** PATH(m, D[n]) of RFC 6962 §2.1.1. */
function path(index: number, leaves: readonly Hash[]): Hash[] {
  if (leaves.length <= 1) return [];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return index < split
    ? [...path(index, leaves.slice(0, split)), treeHash(leaves.slice(split))]
    : [...path(index - split, leaves.slice(split)), treeHash(leaves.slice(0, split))];
}

/** A tree that grows leaf by leaf, as the ledger's does. */
function grown(bodies: readonly Uint8Array[]): {
  read: NodeReader;
  leaves: Hash[];
  stored: Map<number, Hash>;
} {
  const stored = new Map<number, Hash>();
  const read: NodeReader = (id) => {
    const hash = stored.get(positionOf(id));
    if (hash === undefined) throw new Error(`node ${id.level}/${id.index} is not stored`);
    return hash;
  };
  const leaves = bodies.map(hashLeaf);
  for (const [index, leaf] of leaves.entries())
    for (const [id, hash] of nodesOfLeaf(index, leaf, read)) {
      expect(stored.has(positionOf(id))).toBe(false);
      stored.set(positionOf(id), hash);
    }
  return { read, leaves, stored };
}

const hex = (hash: Hash | undefined): string => Buffer.from(hash ?? []).toString('hex');
const numbered = (size: number): Buffer[] =>
  Array.from({ length: size }, (_, index) => Buffer.from(`leaf ${index}`));

describe('the tree of RFC 6962', () => {
  // Leaves and roots of the reference vectors of certificate transparency (merkle_tree_test).
  const VECTORS = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ];
  const ROOTS = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];

  it('has the roots of the published vectors', () => {
    const { read } = grown(VECTORS.map((leaf) => Buffer.from(leaf, 'hex')));
    expect(ROOTS.map((_, size) => hex(rootOf(size, read)))).toEqual(ROOTS);
  });

  it('has the proofs of the published vectors', () => {
    const { read } = grown(VECTORS.map((leaf) => Buffer.from(leaf, 'hex')));
    expect(inclusionProof(0, 8, read).map(hex)).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(inclusionProof(2, 3, read).map(hex)).toEqual([
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    ]);
  });

  it('agrees with the definition for every size to 300, of earlier sizes too', () => {
    const { read, leaves } = grown(numbered(300));
    for (let size = 0; size <= 300; size++)
      expect(hex(rootOf(size, read))).toBe(hex(treeHash(leaves.slice(0, size))));
  });

  it('proves every leaf of every size to 300 as the definition does (property)', () => {
    const { read, leaves } = grown(numbered(300));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (size, seed) => {
        const index = seed % size;
        const proof = inclusionProof(index, size, read);
        const leaf = leaves[index] ?? Buffer.alloc(0);
        expect(proof.map(hex)).toEqual(path(index, leaves.slice(0, size)).map(hex));
        expect(hex(rootFromProof(leaf, index, size, proof))).toBe(hex(rootOf(size, read)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('leads nowhere near the root with another index, size, leaf, or one hash more or less (property)', () => {
    const { read, leaves } = grown(numbered(300));
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), (size, seed, other) => {
        const index = seed % size;
        const leaf = leaves[index] ?? Buffer.alloc(0);
        const root = hex(rootOf(size, read));
        const proof = inclusionProof(index, size, read);
        const wrong = other % size;
        if (wrong !== index) {
          expect(hex(rootFromProof(leaf, wrong, size, proof))).not.toBe(root);
          expect(hex(rootFromProof(leaves[wrong] ?? leaf, index, size, proof))).not.toBe(root);
        }
        expect(rootFromProof(leaf, index, size, proof.slice(1))).toBeUndefined();
        expect(rootFromProof(leaf, index, size, [...proof, leaf])).toBeUndefined();
        expect(rootFromProof(leaf, size, size, proof)).toBeUndefined();
        expect(rootFromProof(leaf, -1, size, proof)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('stores less than two nodes a leaf, each in a place of its own', () => {
    const { stored } = grown(numbered(300));
    expect(stored.size).toBe(2 * 300 - frontierOf(300).length);
  });

  it('reads few nodes for a proof in a tree of 2^40 leaves', () => {
    let reads = 0;
    const read: NodeReader = () => {
      reads++;
      return Buffer.alloc(32);
    };
    const size = 2 ** 40 + 12_345;
    const proof = inclusionProof(2 ** 40 + 7, size, read);
    expect(reads).toBeLessThan(64);
    expect(rootFromProof(Buffer.alloc(32), 2 ** 40 + 7, size, proof)).toHaveLength(32);
  });
});
