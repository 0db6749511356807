// SPDX-License-Identifier: Apache-2.0
// The one file that knows SQLite. WAL with synchronous=FULL: COMMIT returns after the log is on disk, and what a crashed process
// left half-written is not there. Rows are only ever added; triggers keep it so.

import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { AttestError } from '../error.ts';
import { type Hash, type NodeId, positionOf } from '../log/index.ts';
import { inTransaction } from '../transaction.ts';
import { corrupt, isBusy, toAttestError } from './failure.ts';

/** What one leaf is made from. The leaf itself is not stored: it is made again and must have the hash that the tree has. */
export interface StoredEntry {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** DER. */
  readonly signature: Uint8Array;
  /** SPKI DER. */
  readonly publicKey: Uint8Array;
}

/** A checkpoint that was given out: the size of the tree and the signed note. */
export interface StoredCheckpoint {
  readonly size: number;
  readonly note: string;
}

/** What a ledger says of itself, written once. `publicKey` is SPKI DER. */
export interface Identity {
  readonly origin: string;
  readonly created: string;
  readonly publicKey: Uint8Array;
}

/** The tables of one ledger file. Everything but `transact` may be called at any time. @throws {AttestError} LEDGER_* */
export interface Store {
  identity(): Identity | undefined;
  size(): number;
  entry(index: number): StoredEntry | undefined;
  node(id: NodeId): Hash;
  lastCheckpoint(): StoredCheckpoint | undefined;
  /** The first checkpoint that covers leaf `index`: the one its record was given. */
  checkpointOver(index: number): StoredCheckpoint | undefined;
  addIdentity(identity: Identity): void;
  addEntry(index: number, entry: StoredEntry): void;
  addNode(id: NodeId, hash: Hash): void;
  addCheckpoint(checkpoint: StoredCheckpoint): void;
  /** Runs `work` in one write transaction; undefined where another process holds the write lock, and then nothing has run. */
  transact<T>(work: () => T): { readonly value: T } | undefined;
  /** Runs `work` on one state of the file, whatever other processes add meanwhile. */
  snapshot<T>(work: () => T): T;
  close(): void;
}

/** What a batch needs of a store while the tree grows; stores that are asked over a network hand in what they have read before. */
export type GrowingStore = Pick<Store, 'size' | 'node' | 'addEntry' | 'addNode' | 'addCheckpoint'>;

/** The version of the tables. */
export const FORMAT = 1;
const OPEN_TIMEOUT_MS = 5_000;
/** Short, as SQLite waits with the thread blocked; the ledger waits longer without. */
const WRITE_TIMEOUT_MS = 50;

const SCHEMA = `
  CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), origin TEXT NOT NULL, created TEXT NOT NULL, public_key BLOB NOT NULL) STRICT;
  CREATE TABLE entry (number INTEGER PRIMARY KEY, payload_type TEXT NOT NULL, payload BLOB NOT NULL, signature BLOB NOT NULL, public_key BLOB NOT NULL) STRICT;
  CREATE TABLE node (position INTEGER PRIMARY KEY, hash BLOB NOT NULL CHECK (length(hash) = 32)) STRICT;
  CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
  ${['identity', 'entry', 'node', 'checkpoint']
    .flatMap((table) => ['UPDATE', 'DELETE'].map((verb) => [table, verb] as const))
    .map(
      ([table, verb]) =>
        `CREATE TRIGGER ${table}_no_${verb} BEFORE ${verb} ON ${table} BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;`,
    )
    .join('\n  ')}
  PRAGMA user_version = ${FORMAT};`;

/**
 * Opens the file, which exists (it may be empty: then the tables are made).
 * @param maxBytes largest size of the file; none where undefined
 * @throws {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT | LEDGER_FULL
 */
export function openStore(file: string, maxBytes: number | undefined): Store {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: OPEN_TIMEOUT_MS, allowExtension: false });
    prepareDatabase(database, maxBytes);
    return storeOver(database);
  } catch (cause) {
    if (database?.isOpen) database.close();
    throw toAttestError(cause, 'open');
  }
}

function prepareDatabase(database: DatabaseSync, maxBytes: number | undefined): void {
  // fullfsync: on macOS a plain fsync returns before the disk has written.
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;' +
      'PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;',
  );
  if (maxBytes !== undefined) {
    const pageSize = Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
    database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`);
  }
  if (formatOf(database) === 0) createTables(database);
  const format = formatOf(database);
  if (format !== FORMAT) refuseFormat(format);
  database.exec(`PRAGMA busy_timeout = ${WRITE_TIMEOUT_MS}`);
}

/** Tables of another version are left alone: an older program would read them wrongly. */
export function refuseFormat(format: number): never {
  throw new AttestError(
    'LEDGER_UNAVAILABLE',
    `the ledger has format ${format}, this program knows ${FORMAT}`,
    { hint: 'use the version of countersign that wrote it, or a newer one' },
  );
}

/** The version of the tables in a file; 0 where there are none. */
export const formatOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.['user_version']);

function createTables(database: DatabaseSync): void {
  inTransaction(database, () => {
    // Asked again under the lock: another process may have been first.
    if (formatOf(database) === 0) database.exec(SCHEMA);
  });
}

type Row = Record<string, SQLOutputValue>;

function storeOver(database: DatabaseSync): Store {
  const one = (sql: string) => guarded(database.prepare(sql));
  const identity = one('SELECT origin, created, public_key FROM identity');
  const size = one('SELECT max(number) AS last FROM entry');
  const entry = one('SELECT payload_type, payload, signature, public_key FROM entry WHERE number = ?');
  const node = one('SELECT hash FROM node WHERE position = ?');
  const last = one('SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1');
  const over = one('SELECT size, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT 1');
  const addIdentity = one('INSERT INTO identity VALUES (1, ?, ?, ?)');
  const addEntry = one('INSERT INTO entry VALUES (?, ?, ?, ?, ?)');
  const addNode = one('INSERT INTO node VALUES (?, ?)');
  const addCheckpoint = one('INSERT INTO checkpoint VALUES (?, ?)');
  return {
    identity: () => map(identity.get(), readIdentity),
    size: () => map(size.get(), ({ last: number }) => (number === null ? 0 : asNumber(number) + 1)) ?? 0,
    entry: (index) => map(entry.get(index), readEntry),
    node: (id) => {
      const row = node.get(positionOf(id));
      if (row === undefined) throw corrupt(`node ${id.level}/${id.index} of the tree is missing`);
      return asBytes(row['hash']);
    },
    lastCheckpoint: () => map(last.get(), readStoredCheckpoint),
    checkpointOver: (index) => map(over.get(index), readStoredCheckpoint),
    addIdentity: ({ origin, created, publicKey }) => addIdentity.run(origin, created, publicKey),
    addEntry: (index, { payloadType, payload, signature, publicKey }) =>
      addEntry.run(index, payloadType, payload, signature, publicKey),
    addNode: (id, hash) => addNode.run(positionOf(id), hash),
    addCheckpoint: (checkpoint) => addCheckpoint.run(checkpoint.size, checkpoint.note),
    transact: (work) => transact(database, work),
    snapshot: (work) => attempted(database, 'BEGIN', work),
    close: () => database.close(),
  };
}

function guarded(statement: StatementSync): {
  get(...values: SQLInputValue[]): Row | undefined;
  run(...values: SQLInputValue[]): void;
} {
  const call = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw toAttestError(cause, 'use');
    }
  };
  return {
    get: (...values) => call(() => statement.get(...values)),
    run: (...values) => {
      call(() => statement.run(...values));
    },
  };
}

function transact<T>(database: DatabaseSync, work: () => T): { readonly value: T } | undefined {
  try {
    return { value: attempted(database, 'BEGIN IMMEDIATE', work) };
  } catch (error) {
    if (error instanceof AttestError && isBusy(error.cause)) return undefined;
    throw error;
  }
}

function attempted<T>(database: DatabaseSync, begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
  try {
    return inTransaction(database, work, begin);
  } catch (cause) {
    throw toAttestError(cause, 'write');
  }
}

const map = <T>(row: Row | undefined, read: (row: Row) => T): T | undefined =>
  row === undefined ? undefined : read(row);

const readIdentity = (row: Row): Identity => ({
  origin: asText(row['origin']),
  created: asText(row['created']),
  publicKey: asBytes(row['public_key']),
});

const readEntry = (row: Row): StoredEntry => ({
  payloadType: asText(row['payload_type']),
  payload: asBytes(row['payload']),
  signature: asBytes(row['signature']),
  publicKey: asBytes(row['public_key']),
});

const readStoredCheckpoint = (row: Row): StoredCheckpoint => ({
  size: asNumber(row['size']),
  note: asText(row['note']),
});

export function asBytes(value: SQLOutputValue | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw corrupt('a column has the wrong type');
  return value;
}

export function asText(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw corrupt('a column has the wrong type');
  return value;
}

export function asNumber(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number') throw corrupt('a column has the wrong type');
  return value;
}
