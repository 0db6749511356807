// SPDX-License-Identifier: Apache-2.0
import { type Hash, hashChildren, type NodeId, rootOf } from '../../log/index.ts';
import type { Leaves } from './walk.ts';

/** A tree that is built leaf by leaf, and keeps no more than O(log n) of it. */
export interface Growing {
  /** How many leaves it has. */
  readonly size: () => number;
  /** Adds a leaf and returns the subtrees that it completes, itself first. */
  readonly add: (leaf: Hash) => readonly (readonly [NodeId, Hash])[];
  readonly root: () => Hash;
}

export function growingTree(): Growing {
  const complete: Hash[] = [];
  let size = 0;
  return {
    size: () => size,
    add: (leaf) => {
      const made: [NodeId, Hash][] = [[{ level: 0, index: size }, leaf]];
      let [own, level, index] = [leaf, 0, size];
      for (; index % 2 === 1; level++, index = (index - 1) / 2) {
        own = hashChildren(complete.pop() ?? leaf, own);
        made.push([{ level: level + 1, index: (index - 1) / 2 }, own]);
      }
      complete.push(own);
      size++;
      return made;
    },
    root: () =>
      size === 0
        ? rootOf(0, () => Buffer.alloc(0))
        : complete.reduceRight((right, left) => hashChildren(left, right)),
  };
}

/** The root of the first `size` of these leaves; undefined where one of them is not there. */
export function rootOver(leaves: Leaves, size: number): Hash | undefined {
  const tree = growingTree();
  for (let index = 0; index < size; index++) {
    const leaf = leaves.at(index);
    if (leaf === undefined) return undefined;
    tree.add(leaf);
  }
  return tree.root();
}
