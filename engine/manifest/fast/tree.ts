// SPDX-License-Identifier: Apache-2.0
import type { TreeEntry, TreeNode } from '../syntax.ts';

interface Open {
  readonly node: TreeNode;
  readonly entries: TreeEntry[];
  readonly items: TreeNode[];
  /** The key that waits for its value. */
  key: { readonly text: string; readonly offset: number } | undefined;
}

/** Makes the syntax tree of a document while it is read; `place` turns a byte of the text into an offset in UTF-16 code units. */
export class TreeBuilder {
  readonly #place: (at: number) => number;
  readonly #open: Open[] = [];
  root: TreeNode | undefined;

  constructor(place: (at: number) => number) {
    this.#place = place;
  }

  open(kind: 'map' | 'seq', at: number): void {
    const [entries, items]: [TreeEntry[], TreeNode[]] = [[], []];
    const node: TreeNode = {
      offset: this.#place(at),
      kind,
      entries: () => entries,
      items: () => items,
      target: () => node,
    };
    this.#open.push({ node, entries, items, key: undefined });
  }

  close(): void {
    const closed = this.#open.pop();
    if (closed !== undefined) this.#add(closed.node);
  }

  key(text: string, at: number): void {
    const open = this.#open.at(-1);
    if (open !== undefined) open.key = { text, offset: this.#place(at) };
  }

  scalar(at: number): void {
    const node: TreeNode = {
      offset: this.#place(at),
      kind: 'scalar',
      entries: () => [],
      items: () => [],
      target: () => node,
    };
    this.#add(node);
  }

  #add(node: TreeNode): void {
    const open = this.#open.at(-1);
    if (open === undefined) this.root = node;
    else if (open.key === undefined) open.items.push(node);
    else {
      const { text, offset } = open.key;
      open.entries.push({ key: text, written: text, offset, isMerge: false, value: node });
      open.key = undefined;
    }
  }
}
