// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { hashLeaf, positionOf } from '../../log/index.ts';
import { preAuthEncoding } from '../../sign/index.ts';
import { leafBody } from '../grow.ts';
import type { Row, Rows } from '../reading/rows.ts';

const ROWS_AT_ONCE = 512;
/** Bytes of a leaf's hash. */
export const HASH = 32;

/** A list of hashes, packed: those of a million rows take 32 MB. `undefined` where there is none. */
export interface Leaves {
  readonly count: number;
  at(index: number): Buffer | undefined;
}

/** All rows of a ledger as they are now, beside the leaves that the log stored when it added them. */
export interface Walk {
  /** The number of each row, ascending. */
  readonly numbers: readonly number[];
  /** The leaf of each row, made anew; in the order of `numbers`. */
  readonly rows: Leaves;
  /** The stored leaves, by number. */
  readonly stored: Leaves;
  /** Numbers of rows that are not signed by the key that they name. */
  readonly unsigned: readonly number[];
}

/** Reads every row. @param size how many leaves the log is said to have, by its rows or its checkpoints, whichever is more */
export async function walkRows(
  rows: Rows,
  size: number,
  onProgress?: (done: number, total: number) => void,
): Promise<Walk> {
  const numbers: number[] = [];
  const unsigned: number[] = [];
  const made = leavesOf(size);
  const stored = leavesOf(size);
  const isSigned = signatureCheck();
  for (let from = 0; from < size; from += ROWS_AT_ONCE) {
    const to = Math.min(size, from + ROWS_AT_ONCE);
    for (const row of await rows.entries(from, to)) {
      made.set(numbers.length, hashLeaf(leafBody(row)));
      numbers.push(row.number);
      if (!isSigned(row)) unsigned.push(row.number);
    }
    const positions = Array.from({ length: to - from }, (_, at) =>
      positionOf({ level: 0, index: from + at }),
    );
    const nodes = await rows.nodes(positions);
    for (const [at, position] of positions.entries()) {
      const hash = nodes.get(position);
      if (hash !== undefined) stored.set(from + at, hash);
    }
    onProgress?.(to, size);
  }
  return { numbers, rows: made, stored, unsigned };
}

function leavesOf(count: number): Leaves & { set(index: number, hash: Uint8Array): void } {
  const bytes = Buffer.alloc(count * HASH);
  const isThere = new Uint8Array(count);
  return {
    count,
    at: (index) => (isThere[index] === 1 ? bytes.subarray(index * HASH, (index + 1) * HASH) : undefined),
    set: (index, hash) => {
      bytes.set(hash, index * HASH);
      isThere[index] = 1;
    },
  };
}

/** Whose signature it is, and whether that counts, is for `verify record`; here only that it was not changed. */
function signatureCheck(): (row: Row) => boolean {
  const keys = new Map<string, KeyObject | undefined>();
  return ({ payloadType, payload, signature, publicKey }) => {
    const der = Buffer.from(publicKey);
    const id = der.toString('base64');
    if (!keys.has(id)) keys.set(id, readKey(der));
    const key = keys.get(id);
    return key !== undefined && verify('sha256', preAuthEncoding(payloadType, payload), key, signature);
  };
}

function readKey(der: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}
