// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../../error.ts';
import type { Hash } from '../../log/index.ts';
import type { Identity, StoredCheckpoint, StoredEntry } from '../store.ts';

/** One row of the ledger; `number` is what the row itself says, from 0. */
export interface Row extends StoredEntry {
  readonly number: number;
}

/**
 * The rows of a ledger as they are stored, whatever the store is; nothing here is proved. Rejects with {AttestError}
 * LEDGER_UNAVAILABLE | LEDGER_CORRUPT
 */
export interface Rows {
  identity(): Promise<Identity>;
  /** One more than the number of the last row. */
  size(): Promise<number>;
  /** The rows from number `from` to before `to`, in order; a row that is gone is left out. */
  entries(from: number, to: number): Promise<readonly Row[]>;
  /** The stored nodes at these positions; one that is gone is left out. */
  nodes(positions: readonly number[]): Promise<ReadonlyMap<number, Hash>>;
  lastCheckpoint(): Promise<StoredCheckpoint | undefined>;
  /** The first checkpoint that covers leaf `index`. */
  checkpointOver(index: number): Promise<StoredCheckpoint | undefined>;
  /** The first checkpoints over more than `size` leaves, in order, at most `most`. */
  checkpointsAfter(size: number, most: number): Promise<readonly StoredCheckpoint[]>;
  close(): Promise<void>;
}

/** A ledger that was made but holds no name yet: whoever makes it has not finished, or never will. */
export function neverUsed(): AttestError {
  return new AttestError('LEDGER_UNAVAILABLE', 'this ledger was never used, its creation did not finish');
}
