// SPDX-License-Identifier: Apache-2.0
// Which tokens were used, on disk. Not in the folder's index: who only verifies tokens loads no database.
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AttestError } from '../error.ts';
import { inTransaction } from '../transaction.ts';
import type { TokenUses } from './once.ts';

/** Uses of tokens in a file of their own. */
export interface KeptUses extends TokenUses {
  close(): void;
}

const FILE = 'tokens.sqlite3';
const FORMAT = 1;
/** Admissions wait meanwhile: a file that somebody else has locked is no use. */
const TIMEOUT_MS = 50;

/** Keys are bytes of one length; `until` is Unix time in milliseconds. */
const SCHEMA = `
  CREATE TABLE used (key TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX used_until ON used (until);
  PRAGMA user_version = ${FORMAT};`;

/**
 * Remembers at most so many used tokens in a state folder, each until it has expired: across a restart, and for every process that
 * shares the folder. Full, it refuses rather than forget. Opened with the first use.
 * Calls reject with {AttestError} TOKENS_UNAVAILABLE: a use that is not on disk is none.
 */
export function keptUses(directory: string, most = 100_000): KeptUses {
  let database: DatabaseSync | undefined;
  return {
    use: async (key, untilMs, nowMs) =>
      attempt(() => {
        database ??= open(directory);
        return useIn(database, most, { key, untilMs, nowMs });
      }),
    close: () => database?.close(),
  };
}

function open(directory: string): DatabaseSync {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, FILE);
  // Made before SQLite opens it, which would let others read it.
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: TIMEOUT_MS, allowExtension: false });
  try {
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA trusted_schema = OFF;',
    );
    const format = (): number => Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (format() === 0) inTransaction(database, () => format() === 0 && database.exec(SCHEMA));
    if (format() === FORMAT) return database;
    throw unavailable(`its format is ${format()}, this program knows ${FORMAT}`);
  } catch (error) {
    database.close();
    throw error;
  }
}

interface Use {
  readonly key: string;
  readonly untilMs: number;
  readonly nowMs: number;
}

function useIn(
  database: DatabaseSync,
  most: number,
  { key, untilMs, nowMs }: Use,
): 'first' | 'again' | 'full' {
  return inTransaction(database, () => {
    if (database.prepare('SELECT 1 FROM used WHERE key = ?').get(key) !== undefined) return 'again';
    database.prepare('DELETE FROM used WHERE until < ?').run(nowMs);
    const count = Number(database.prepare('SELECT count(*) AS n FROM used').get()?.['n']);
    if (count >= most) return 'full';
    database.prepare('INSERT INTO used VALUES (?, ?)').run(key, untilMs);
    return 'first';
  });
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AttestError) throw cause;
    const words: unknown = Reflect.get(Object(cause), 'errstr') ?? Reflect.get(Object(cause), 'code');
    if (typeof words !== 'string') throw cause;
    throw unavailable(words, cause);
  }
}

const unavailable = (why: string, cause?: unknown): AttestError =>
  new AttestError('TOKENS_UNAVAILABLE', `it cannot be remembered which tokens were used: ${why}`, {
    cause,
    hint: `check that the state folder can be written and has room, and its ${FILE}`,
  });
