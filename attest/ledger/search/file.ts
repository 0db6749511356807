// SPDX-License-Identifier: Apache-2.0
// The index of a ledger in one SQLite file. All of it follows from the ledger: it is no proof, and may be deleted at any time.

import { closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { inTransaction } from '../../transaction.ts';
import { isDamaged } from '../failure.ts';
import { asBytes, asNumber } from '../store.ts';
import { BLOCK, extend, type Postings, pack } from './postings.ts';
import type { Query } from './terms.ts';

/** How many records one row of times covers. */
export const TIMES = 1_024;
/** Changes whenever the tables do; the terms have a version of their own. */
const FORMAT = 1;

const SCHEMA = `
  CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), about TEXT NOT NULL, indexed INTEGER NOT NULL) STRICT;
  CREATE TABLE posting (term INTEGER, block INTEGER, numbers BLOB NOT NULL, PRIMARY KEY (term, block)) STRICT, WITHOUT ROWID;
  CREATE TABLE times (block INTEGER PRIMARY KEY, first REAL, last REAL, times BLOB NOT NULL) STRICT;
  PRAGMA user_version = ${FORMAT};`;

/** Records that follow one another from number `first` on: their times, and of each term the numbers that have it, ascending. */
export interface IndexBatch {
  readonly first: number;
  readonly times: readonly (number | undefined)[];
  readonly numbers: ReadonlyMap<number, readonly number[]>;
}

/** The tables of an index. */
export interface IndexFile {
  /** How many records, from the first, are in it. */
  indexed(): number;
  /** Adds a batch, unless another process has added from `first` on meanwhile. */
  add(batch: IndexBatch): void;
  postings(term: number, block: number): Postings | undefined;
  /** The rows of times that may hold one of the asked time, from the last down. */
  timesWithin(query: Pick<Query, 'from' | 'to'>): readonly number[];
  /** The times of one row; NaN where a record has none. */
  times(block: number): Float64Array;
  close(): void;
}

/**
 * Opens an index; one that is about something else (another ledger, terms of another version, tables of another format) or that
 * is damaged is emptied first.
 * @param about names the ledger and the version of the terms
 * @throws whatever SQLite throws where the file cannot be written
 */
export function openIndexFile(file: string, about: string): IndexFile {
  try {
    return openSound(file, about);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    return openSound(file, about);
  }
}

function openSound(file: string, about: string): IndexFile {
  // Made before SQLite opens it, which would let others read it.
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: 30_000, allowExtension: false });
  try {
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -65536',
    );
    database.exec('BEGIN IMMEDIATE');
    if (!isAbout(database, about)) make(database, about);
    database.exec('COMMIT');
    return indexOver(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

function isAbout(database: DatabaseSync, about: string): boolean {
  if (database.prepare('PRAGMA user_version').get()?.['user_version'] !== FORMAT) return false;
  return database.prepare('SELECT about FROM state').get()?.['about'] === about;
}

function make(database: DatabaseSync, about: string): void {
  for (const table of ['state', 'posting', 'times']) database.exec(`DROP TABLE IF EXISTS ${table}`);
  database.exec(SCHEMA);
  database.prepare('INSERT INTO state VALUES (1, ?, 0)').run(about);
}

function indexOver(database: DatabaseSync): IndexFile {
  const count = database.prepare('SELECT indexed FROM state');
  const advance = database.prepare('UPDATE state SET indexed = ?');
  const posting = database.prepare('SELECT numbers FROM posting WHERE term = ? AND block = ?');
  const setPosting = database.prepare('INSERT OR REPLACE INTO posting VALUES (?, ?, ?)');
  const timesOf = database.prepare('SELECT times FROM times WHERE block = ?');
  const setTimes = database.prepare('INSERT OR REPLACE INTO times VALUES (?, ?, ?, ?)');
  const within = database.prepare(
    'SELECT block FROM times WHERE last >= ? AND first <= ? ORDER BY block DESC',
  );
  const indexed = (): number => asNumber(count.get()?.['indexed']);
  const postings = (term: number, block: number): Postings | undefined =>
    blobOf(posting.get(term, block), 'numbers');
  const times = (block: number): Float64Array => floats(blobOf(timesOf.get(block), 'times'));

  function addNumbers(term: number, numbers: readonly number[], isFresh: boolean): void {
    for (const [block, within] of byBlock(numbers)) {
      const there = isFresh ? undefined : postings(term, block);
      setPosting.run(term, block, there === undefined ? pack(within) : extend(there, within));
    }
  }

  function addTimes({ first, times: added }: IndexBatch): void {
    let at = 0;
    while (at < added.length) {
      const block = Math.floor((first + at) / TIMES);
      const more = added.slice(at, (block + 1) * TIMES - first).map((time) => time ?? Number.NaN);
      const all = Float64Array.from([...times(block).subarray(0, (first + at) % TIMES), ...more]);
      const known = all.filter((time) => !Number.isNaN(time));
      const [least, greatest] = known.length === 0 ? [null, null] : [min(known), max(known)];
      setTimes.run(block, least, greatest, Buffer.from(all.buffer));
      at += more.length;
    }
  }

  return {
    indexed,
    postings,
    times,
    add: (batch) =>
      inTransaction(database, () => {
        if (indexed() !== batch.first) return;
        const isFresh = batch.first % BLOCK === 0;
        // In the order of the table: neighbours go into one page.
        for (const [term, numbers] of [...batch.numbers].sort(([a], [b]) => a - b))
          addNumbers(term, numbers, isFresh);
        addTimes(batch);
        advance.run(batch.first + batch.times.length);
      }),
    timesWithin: ({ from = -Infinity, to = Infinity }) =>
      within.all(from, to).map(({ block }) => asNumber(block)),
    close: () => database.close(),
  };
}

const min = (times: Float64Array): number => times.reduce((a, b) => Math.min(a, b));
const max = (times: Float64Array): number => times.reduce((a, b) => Math.max(a, b));

/** Numbers by their block, as numbers within it. */
function byBlock(numbers: readonly number[]): ReadonlyMap<number, number[]> {
  const blocks = new Map<number, number[]>();
  for (const number of numbers) {
    const block = Math.floor(number / BLOCK);
    const within = blocks.get(block);
    if (within === undefined) blocks.set(block, [number % BLOCK]);
    else within.push(number % BLOCK);
  }
  return blocks;
}

const blobOf = (row: Record<string, SQLOutputValue> | undefined, column: string): Uint8Array | undefined =>
  row === undefined ? undefined : asBytes(row[column]);

/** SQLite's bytes need not begin where a number may. */
const floats = (bytes: Uint8Array | undefined): Float64Array =>
  bytes === undefined ? new Float64Array() : new Float64Array(Uint8Array.from(bytes).buffer);
