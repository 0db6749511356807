// SPDX-License-Identifier: Apache-2.0
import { corrupt } from '../failure.ts';
import { neverUsed, type Row, type Rows } from '../reading/rows.ts';
import type { Identity, StoredCheckpoint } from '../store.ts';
import type { Ask, Columns, Database, Statement } from './connection.ts';

const statement = (name: string, text: string): Statement => ({ name: `countersign-${name}`, text });
const IDENTITY = statement('identity', 'SELECT origin, created, public_key FROM countersign.identity');
const SIZE = statement('size', 'SELECT coalesce(max(number) + 1, 0) AS size FROM countersign.entry');
const ENTRIES = statement(
  'entries',
  'SELECT number, payload_type, payload, signature, public_key FROM countersign.entry WHERE number >= $1 AND number < $2 ORDER BY number',
);
const NODES = statement(
  'nodes',
  'SELECT position, hash FROM countersign.node WHERE position = ANY($1::bigint[])',
);
const LAST = statement('last', 'SELECT size, note FROM countersign.checkpoint ORDER BY size DESC LIMIT 1');
const AFTER = statement(
  'after',
  'SELECT size, note FROM countersign.checkpoint WHERE size > $1 ORDER BY size LIMIT $2',
);

/** The rows of a ledger in PostgreSQL; closing them closes the database. */
export function rowsOver(database: Database): Rows {
  const checkpointsAfter = async (size: number, most: number): Promise<readonly StoredCheckpoint[]> =>
    (await database.ask(AFTER, [size, most])).map(checkpointOf);
  return {
    identity: async () => (await identityIn(database.ask)) ?? Promise.reject(neverUsed()),
    size: async () => numberOf((await database.ask(SIZE))[0]?.['size']),
    entries: async (from, to) => (await database.ask(ENTRIES, [from, to])).map(rowOf),
    nodes: (positions) => nodesIn(database.ask, positions),
    lastCheckpoint: async () => (await database.ask(LAST)).map(checkpointOf)[0],
    checkpointOver: async (index) => (await checkpointsAfter(index, 1))[0],
    checkpointsAfter,
    close: () => database.close(),
  };
}

/** Who the ledger is; undefined where it has no name yet. */
export async function identityIn(ask: Ask): Promise<Identity | undefined> {
  const [row] = await ask(IDENTITY);
  if (row === undefined) return undefined;
  return {
    origin: textOf(row['origin']),
    created: textOf(row['created']),
    publicKey: bytesOf(row['public_key']),
  };
}

/** Stored nodes by position. */
export async function nodesIn(
  ask: Ask,
  positions: readonly number[],
): Promise<ReadonlyMap<number, Uint8Array>> {
  if (positions.length === 0) return new Map();
  const rows = await ask(NODES, [positions]);
  return new Map(rows.map(({ position, hash }) => [numberOf(position), bytesOf(hash)]));
}

const rowOf = (row: Columns): Row => ({
  number: numberOf(row['number']),
  payloadType: textOf(row['payload_type']),
  payload: bytesOf(row['payload']),
  signature: bytesOf(row['signature']),
  publicKey: bytesOf(row['public_key']),
});

const checkpointOf = (row: Columns): StoredCheckpoint => ({
  size: numberOf(row['size']),
  note: textOf(row['note']),
});

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw corrupt('a column has the wrong type');
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw corrupt('a column has the wrong type');
  return value;
}

/** A bigint comes as text; ours are below 2^53. */
export function numberOf(value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number))
    throw corrupt('a column has the wrong type');
  return number;
}
