// SPDX-License-Identifier: Apache-2.0
// The file of a spool: envelopes in the order in which they came, each on disk before it is acknowledged. One process at a time has it:
// two that drain it would record everything twice.

import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AttestError } from '../../error.ts';
import { isBusy, toAttestError } from '../failure.ts';
import { asBytes, asNumber, asText, type StoredEntry } from '../store.ts';

const FILE = 'spool.sqlite3';
const FORMAT = 1;
const SCHEMA = `
  CREATE TABLE spooled (number INTEGER PRIMARY KEY AUTOINCREMENT, payload_type TEXT NOT NULL, payload BLOB NOT NULL, signature BLOB NOT NULL, public_key BLOB NOT NULL, since INTEGER NOT NULL) STRICT;
  PRAGMA user_version = ${FORMAT};`;

/** An entry that waits for the ledger. */
export interface Spooled extends StoredEntry {
  readonly number: number;
  /** How many entries the ledger had at least when this was first tried: if it is there already, then from here on. */
  readonly since: number;
}

/** @throws {AttestError} LEDGER_UNAVAILABLE | LEDGER_FULL | LEDGER_CORRUPT from all of these */
export interface SpoolStore {
  readonly count: () => number;
  /** Adds an entry; it is on disk when this returns, and has this number. */
  readonly add: (entry: Omit<Spooled, 'number'>) => number;
  /** The oldest entries, in order. */
  readonly first: (most: number) => readonly Spooled[];
  /** Forgets all entries up to this number. */
  readonly drop: (number: number) => void;
  readonly close: () => void;
}

/** Opens the spool of a folder, and makes both where there is none. @param maxBytes largest size of its file */
export function openSpoolStore(directory: string, maxBytes: number): SpoolStore {
  let database: DatabaseSync | undefined;
  try {
    const file = join(directory, FILE);
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    database = new DatabaseSync(file, { timeout: 1_000, allowExtension: false });
    prepare(database, maxBytes);
    return storeOver(database);
  } catch (cause) {
    if (database?.isOpen) database.close();
    if (isBusy(cause))
      throw new AttestError(
        'LEDGER_UNAVAILABLE',
        `another process has the spool in ${JSON.stringify(directory)}`,
        {
          hint: 'give each server a spool of its own',
          cause,
        },
      );
    throw toAttestError(cause, 'open');
  }
}

function prepare(database: DatabaseSync, maxBytes: number): void {
  // EXCLUSIVE keeps the lock of the first write for as long as the process has the file open; it ends with the process.
  database.exec(
    'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA trusted_schema = OFF',
  );
  const pageSize = Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
  database.exec(`PRAGMA max_page_count = ${Math.max(8, Math.floor(maxBytes / pageSize))}`);
  const format = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (format !== 0 && format !== FORMAT)
    throw new AttestError(
      'LEDGER_UNAVAILABLE',
      `the spool has format ${format}, this program knows ${FORMAT}`,
      {
        hint: 'use the version of countersign that wrote it, or a newer one',
      },
    );
  if (format === 0) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`);
  else database.exec('BEGIN IMMEDIATE; COMMIT');
}

function storeOver(database: DatabaseSync): SpoolStore {
  const count = database.prepare('SELECT count(*) AS count FROM spooled');
  const add = database.prepare(
    'INSERT INTO spooled (payload_type, payload, signature, public_key, since) VALUES (?, ?, ?, ?, ?)',
  );
  const first = database.prepare('SELECT * FROM spooled ORDER BY number LIMIT ?');
  const drop = database.prepare('DELETE FROM spooled WHERE number <= ?');
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw toAttestError(cause, 'write');
    }
  };
  return {
    count: () => guarded(() => asNumber(count.get()?.['count'])),
    add: ({ payloadType, payload, signature, publicKey, since }) =>
      guarded(() => Number(add.run(payloadType, payload, signature, publicKey, since).lastInsertRowid)),
    first: (most) =>
      guarded(() =>
        first.all(most).map((row) => ({
          number: asNumber(row['number']),
          payloadType: asText(row['payload_type']),
          payload: asBytes(row['payload']),
          signature: asBytes(row['signature']),
          publicKey: asBytes(row['public_key']),
          since: asNumber(row['since']),
        })),
      ),
    drop: (number) => guarded(() => void drop.run(number)),
    close: () => database.close(),
  };
}
