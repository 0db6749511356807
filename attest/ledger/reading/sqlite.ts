// SPDX-License-Identifier: Apache-2.0
// The rows of a ledger file, read without its key and without a right to write: an auditor may have no more.

import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { toAttestError } from '../failure.ts';
import { databaseFile } from '../files.ts';
import { asBytes, asNumber, asText, FORMAT, formatOf, refuseFormat } from '../store.ts';
import { neverUsed, type Row, type Rows } from './rows.ts';

const TIMEOUT_MS = 5_000;
type Columns = Record<string, SQLOutputValue>;

/**
 * Opens the ledger of a folder for reading.
 * @throws {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT
 */
export function openFileRows(directory: string): Rows {
  const database = openDatabase(databaseFile(directory, false));
  const all = (sql: string, ...values: SQLInputValue[]): Columns[] => {
    try {
      return database.prepare(sql).all(...values);
    } catch (cause) {
      throw toAttestError(cause, 'use');
    }
  };
  const checkpoints = (sql: string, ...values: SQLInputValue[]) =>
    all(sql, ...values).map((row) => ({ size: asNumber(row['size']), note: asText(row['note']) }));
  return {
    identity: async () => {
      const [row] = all('SELECT origin, created, public_key FROM identity');
      if (row === undefined) throw neverUsed();
      return {
        origin: asText(row['origin']),
        created: asText(row['created']),
        publicKey: asBytes(row['public_key']),
      };
    },
    size: async () => {
      const last = all('SELECT max(number) AS last FROM entry')[0]?.['last'] ?? null;
      return last === null ? 0 : asNumber(last) + 1;
    },
    entries: async (from, to) =>
      all('SELECT * FROM entry WHERE number >= ? AND number < ? ORDER BY number', from, to).map(rowOf),
    nodes: async (positions) =>
      new Map(
        positions.flatMap((position) =>
          all('SELECT hash FROM node WHERE position = ?', position).map(
            ({ hash }) => [position, asBytes(hash)] as const,
          ),
        ),
      ),
    lastCheckpoint: async () =>
      checkpoints('SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1')[0],
    checkpointOver: async (index) =>
      checkpoints('SELECT size, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT 1', index)[0],
    checkpointsAfter: async (size, most) =>
      checkpoints('SELECT size, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT ?', size, most),
    close: async () => database.close(),
  };
}

function openDatabase(file: string): DatabaseSync {
  try {
    return checked(new DatabaseSync(file, { readOnly: true, timeout: TIMEOUT_MS, allowExtension: false }));
  } catch (cause) {
    // A copy in a folder that cannot be written: SQLite wants to make its companions there, unless told that nobody writes.
    if (existsSync(`${file}-wal`)) throw toAttestError(cause, 'open');
    const url = pathToFileURL(file);
    url.searchParams.set('immutable', '1');
    try {
      return checked(new DatabaseSync(url, { readOnly: true, allowExtension: false }));
    } catch {
      throw toAttestError(cause, 'open');
    }
  }
}

function checked(database: DatabaseSync): DatabaseSync {
  try {
    const format = formatOf(database);
    if (format === 0) throw neverUsed();
    if (format !== FORMAT) refuseFormat(format);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const rowOf = (row: Columns): Row => ({
  number: asNumber(row['number']),
  payloadType: asText(row['payload_type']),
  payload: asBytes(row['payload']),
  signature: asBytes(row['signature']),
  publicKey: asBytes(row['public_key']),
});
