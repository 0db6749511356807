// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';

/** What became of one path: the digest of what was put there, or that it is gone, or that it is an object made on the way. */
type Change = string | 'gone' | 'made';

interface Node {
  change?: Change;
  readonly below: Map<string, Node>;
}

const BUCKETS = 256;

/**
 * What was changed of a document, and its digest. Changes are those of paths; applied from the outermost inwards they make the data
 * of now out of that of the beginning, so equal digests mean equal data. The same documents at the same paths have the same digest,
 * in whatever order they came. One change costs the same however many there were before: lines are hashed by bucket.
 */
export class Changes {
  readonly #root: Node = { below: new Map() };
  readonly #lines: readonly Map<string, Change>[] = Array.from({ length: BUCKETS }, () => new Map());
  readonly #digests: (string | undefined)[] = Array.from({ length: BUCKETS }, () => undefined);
  #count = 0;

  /** Undefined where nothing differs from the beginning. */
  digest(): string | undefined {
    if (this.#count === 0) return undefined;
    const buckets = this.#lines.map((lines, index) => {
      this.#digests[index] ??= hash('sha256', textOf(lines), 'hex');
      return this.#digests[index];
    });
    return hash('sha256', buckets.join('\n'), 'hex');
  }

  /**
   * A document is at a path; objects on the way were made where `isMade` says that the beginning had none.
   * @param digest of the document
   */
  put(path: readonly string[], digest: string, isMade: (path: readonly string[]) => boolean): void {
    let node = this.#root;
    for (const [index, name] of path.entries()) {
      const here = path.slice(0, index + 1);
      const next = node.below.get(name) ?? { below: new Map() };
      node.below.set(name, next);
      node = next;
      const isWay = index < path.length - 1;
      if (isWay && (node.change === 'gone' || (node.change === undefined && isMade(here))))
        this.#note(node, here, 'made');
    }
    this.#forgetBelow(node, path);
    this.#note(node, path, digest);
  }

  /** Nothing is at a path any more; `isKnown` where the beginning had something there. */
  remove(path: readonly string[], isKnown: boolean): void {
    const { node, isCovered } = this.#find(path);
    if (node === undefined && !isKnown && !isCovered) return;
    const gone = node ?? this.#grow(path);
    this.#forgetBelow(gone, path);
    this.#note(gone, path, isKnown || isCovered ? 'gone' : undefined);
  }

  /** The node of a path, and whether a document that was put further out may hold it. */
  #find(path: readonly string[]): { readonly node: Node | undefined; readonly isCovered: boolean } {
    let node: Node | undefined = this.#root;
    let isCovered = false;
    for (const name of path) {
      isCovered ||= node?.change !== undefined && node.change !== 'made' && node.change !== 'gone';
      node = node?.below.get(name);
    }
    return { node, isCovered };
  }

  #grow(path: readonly string[]): Node {
    return path.reduce((node, name) => {
      const next = node.below.get(name) ?? { below: new Map() };
      node.below.set(name, next);
      return next;
    }, this.#root);
  }

  #forgetBelow(node: Node, path: readonly string[]): void {
    for (const [name, next] of node.below) {
      const there = [...path, name];
      this.#forgetBelow(next, there);
      this.#note(next, there, undefined);
    }
    node.below.clear();
  }

  #note(node: Node, path: readonly string[], change: Change | undefined): void {
    if (node.change === change) return;
    const key = JSON.stringify(path);
    const index = hash('sha256', key, 'buffer')[0] ?? 0;
    const lines = this.#lines[index];
    if (node.change !== undefined) this.#count--;
    if (change === undefined) {
      lines?.delete(key);
      delete node.change;
    } else {
      lines?.set(key, change);
      node.change = change;
      this.#count++;
    }
    this.#digests[index] = undefined;
  }
}

const textOf = (lines: ReadonlyMap<string, Change>): string =>
  [...lines]
    .map(([path, change]) => `${change}  ${path}\n`)
    .sort()
    .join('');
