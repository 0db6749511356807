// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { type Hash, isSignedBy, positionOf, readCheckpoint } from '../../log/index.ts';
import type { Reader, SignedCheckpoint } from '../reading/reader.ts';
import type { Rows } from '../reading/rows.ts';
import { alignRows, type RowFault } from './align.ts';
import { growingTree, rootOver } from './roots.ts';
import { type Leaves, type Walk, walkRows } from './walk.ts';

/** One thing that does not hold; `index` is an entry, `size` that of a checkpoint, `to` the end of a range of entries (exclusive). */
export type Fault =
  | RowFault
  | { readonly what: 'signature'; readonly index: number }
  | { readonly what: 'node'; readonly level: number; readonly index: number }
  | { readonly what: 'checkpoint'; readonly size: number }
  | { readonly what: 'entries'; readonly index: number; readonly to: number }
  | { readonly what: 'uncovered'; readonly index: number; readonly to: number }
  | { readonly what: 'shrunk'; readonly size: number; readonly to: number }
  | { readonly what: 'rewritten'; readonly size: number };

/** What an audit found. */
export interface Audit {
  /** How many rows there are, and how many the newest checkpoint covers. */
  readonly entries: number;
  readonly size: number;
  readonly checkpoints: number;
  readonly root: Hash | undefined;
  readonly faults: readonly Fault[];
}

/** What is audited: `since` is a checkpoint that was kept elsewhere, and already held against the log's key. */
export interface AuditQuestion {
  readonly reader: Reader;
  readonly since?: SignedCheckpoint;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Makes the whole tree again from the rows, holds it against every checkpoint that was signed, and says which row was deleted, changed,
 * reordered or inserted. A ledger that was cut back together with its checkpoints is found out only by `since`.
 * Rejects with {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT
 */
export async function auditLedger({ reader, since, onProgress }: AuditQuestion): Promise<Audit> {
  const { rows, origin, publicKey } = reader;
  const newest = await rows.lastCheckpoint();
  const size = newest?.size ?? 0;
  const entries = await rows.size();
  const walk = await walkRows(rows, Math.max(size, entries), onProgress);
  const read = newest === undefined ? undefined : readCheckpoint(newest.note);
  // The leaves that were stored are the log's own where they lead to the root that it signed: then each row can be held against them.
  const root = rootOver(walk.stored, size);
  const isProved = root !== undefined && read?.size === size && isSameHash(root, read.root);
  const leaves = isProved ? walk.stored : rowsInPlace(walk);
  const tree = await treeFaults({ rows, origin, publicKey, leaves, size });
  return {
    entries: walk.numbers.length,
    size,
    checkpoints: tree.checkpoints,
    root: read?.root,
    faults: [
      ...(isProved ? alignRows(walk, size) : []),
      ...beyond(walk, size, isProved),
      ...walk.unsigned.map((index): Fault => ({ what: 'signature', index })),
      ...tree.faults,
      ...(since === undefined ? [] : sinceFaults(since, leaves, size)),
    ],
  };
}

const isSameHash = (a: Hash, b: Hash): boolean => Buffer.compare(a, b) === 0;

/** The rows by their number, where nothing says what else belongs there. */
function rowsInPlace({ numbers, rows, stored }: Walk): Leaves {
  const places = new Map(numbers.map((number, at) => [number, at]));
  return {
    count: stored.count,
    at: (index) => {
      const at = places.get(index);
      return at === undefined ? undefined : rows.at(at);
    },
  };
}

/** Rows that no checkpoint covers; `alignRows` has named them already where it could. */
function beyond({ numbers }: Walk, size: number, isProved: boolean): Fault[] {
  const last = numbers.at(-1) ?? -1;
  return isProved || last < size ? [] : [{ what: 'uncovered', index: size, to: last + 1 }];
}

interface Tree {
  readonly rows: Rows;
  readonly origin: string;
  readonly publicKey: KeyObject;
  readonly leaves: Leaves;
  readonly size: number;
}

const CHECKPOINTS_AT_ONCE = 512;

/** Every checkpoint against the tree that these leaves make, and every stored node. */
async function treeFaults(
  parts: Tree,
): Promise<{ readonly checkpoints: number; readonly faults: readonly Fault[] }> {
  const { rows, origin, publicKey, leaves, size } = parts;
  const faults: Fault[] = [];
  const tree = growingTree();
  let [checkpoints, covered, isWhole] = [0, 0, true];
  for (let after = 0; ; ) {
    const stored = await rows.checkpointsAfter(after, CHECKPOINTS_AT_ONCE);
    if (stored.length === 0) return { checkpoints, faults };
    for (const { size: to, note } of stored) {
      const read = readCheckpoint(note);
      const isOwn = read?.size === to && read.origin === origin && isSignedBy(read, origin, publicKey);
      if (!isOwn) faults.push({ what: 'checkpoint', size: to });
      const grown: [number, Hash][] = [];
      for (let index = tree.size(); isWhole && index < Math.min(to, size); index++) {
        const leaf = leaves.at(index);
        if (leaf === undefined) isWhole = false;
        else grown.push(...tree.add(leaf).map(([id, hash]): [number, Hash] => [positionOf(id), hash]));
      }
      const isRooted = isWhole && read !== undefined && isSameHash(tree.root(), read.root);
      // Only the first: whatever follows from a wrong leaf is wrong too.
      if (isOwn && !isRooted && !faults.some(({ what }) => what === 'entries'))
        faults.push({ what: 'entries', index: covered, to });
      if (isRooted) faults.push(...(await nodeFaults(rows, grown)));
      covered = to;
      checkpoints++;
    }
    after = covered;
  }
}

async function nodeFaults(rows: Rows, grown: readonly [number, Hash][]): Promise<Fault[]> {
  const stored = await rows.nodes(grown.map(([position]) => position));
  return grown.flatMap(([position, hash]): Fault[] => {
    const there = stored.get(position);
    return there !== undefined && isSameHash(there, hash) ? [] : [{ what: 'node', ...idOf(position) }];
  });
}

/** The node at a position of the tree; see `positionOf`. */
function idOf(position: number): { readonly level: number; readonly index: number } {
  let [level, rest] = [0, position + 1];
  for (; rest % 2 === 0; level++) rest /= 2;
  return { level, index: (rest - 1) / 2 };
}

function sinceFaults(since: SignedCheckpoint, leaves: Leaves, size: number): Fault[] {
  if (since.size > size) return [{ what: 'shrunk', size, to: since.size }];
  const root = rootOver(leaves, since.size);
  return root !== undefined && isSameHash(root, since.root) ? [] : [{ what: 'rewritten', size: since.size }];
}
