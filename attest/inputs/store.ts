// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { AttestError } from '../error.ts';
import { inTransaction } from '../transaction.ts';

/** One thing to keep. A `policy` goes by a digest of its own, which whoever reads it checks; an `input` by that of its bytes. */
export interface Item {
  readonly kind: 'input' | 'policy';
  /** SHA-256, lower-case hex. */
  readonly digest: string;
  readonly bytes: Uint8Array;
  /** Whose rules of retention hold for it. */
  readonly environment?: string;
  /** RFC 3339 in UTC. */
  readonly time: string;
}

/** What is kept of one evaluation. */
export type KeptRow = Pick<Item, 'digest' | 'environment' | 'time'>;

/** A store of inputs. Every call may throw {AttestError} INPUTS_UNAVAILABLE. */
export interface Inputs {
  /** Keeps all of them in one commit, or none; returns when it is on disk. What is there already stays. */
  put(items: readonly Item[]): void;
  /** The bytes; undefined where they are not there, or no longer. @throws {AttestError} INPUTS_CORRUPT */
  get(kind: Item['kind'], digest: string): Uint8Array | undefined;
  /** Every input that is kept, oldest first. */
  rows(): readonly KeptRow[];
  /** Deletes these evaluations, and what no other one is kept for; how many inputs went. */
  remove(rows: readonly KeptRow[]): number;
  close(): void;
}

const FILE = 'inputs.sqlite3';
const FORMAT = 1;
/** Largest thing that is read back, in bytes: a set is 64 MiB at most, and its text is escaped. */
const MAX_BYTES = 512 * 1024 * 1024;
const TIMEOUT_MS = 7_500;

const SCHEMA = `
  CREATE TABLE item (kind TEXT NOT NULL, digest TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (kind, digest)) STRICT, WITHOUT ROWID;
  CREATE TABLE kept (number INTEGER PRIMARY KEY, digest TEXT NOT NULL, environment TEXT, time TEXT NOT NULL) STRICT;
  CREATE INDEX kept_digest ON kept (digest);
  PRAGMA user_version = ${FORMAT};`;

/**
 * Opens the store of a state folder.
 * @throws {AttestError} INPUTS_UNAVAILABLE
 */
export function openInputs(directory: string, { create }: { readonly create: boolean }): Inputs {
  const file = join(directory, FILE);
  return attempt('open', () => {
    if (!existsSync(file)) {
      if (!create) throw missing(directory);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      // Made before SQLite opens it, which would let others read it.
      closeSync(openSync(file, 'a', 0o600));
    }
    const database = new DatabaseSync(file, { timeout: TIMEOUT_MS, allowExtension: false });
    try {
      prepare(database);
      return storeOver(database);
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

const missing = (directory: string): AttestError =>
  new AttestError('INPUTS_UNAVAILABLE', `no inputs are kept in ${JSON.stringify(directory)}`, {
    hint: 'name the state folder with --state; a Project with inputs: none keeps none',
  });

function prepare(database: DatabaseSync): void {
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA trusted_schema = OFF;',
  );
  const format = (): number => Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (format() === 0) inTransaction(database, () => format() === 0 && database.exec(SCHEMA));
  if (format() === FORMAT) return;
  throw new AttestError(
    'INPUTS_UNAVAILABLE',
    `the inputs have format ${format()}, this program knows ${FORMAT}`,
    {
      hint: 'use the version of countersign that wrote it, or a newer one',
    },
  );
}

function storeOver(database: DatabaseSync): Inputs {
  const has = database.prepare('SELECT 1 FROM item WHERE kind = ? AND digest = ?');
  const add = database.prepare('INSERT INTO item VALUES (?, ?, ?)');
  const note = database.prepare('INSERT INTO kept (digest, environment, time) VALUES (?, ?, ?)');
  const read = database.prepare('SELECT bytes FROM item WHERE kind = ? AND digest = ?');
  const all = database.prepare('SELECT digest, environment, time FROM kept ORDER BY time, number');
  const drop = database.prepare('DELETE FROM kept WHERE digest = ? AND environment IS ? AND time = ?');
  const sweep = database.prepare(
    "DELETE FROM item WHERE kind = 'input' AND digest = ? AND NOT EXISTS (SELECT 1 FROM kept WHERE kept.digest = item.digest)",
  );
  const keep = ({ kind, digest, bytes, environment, time }: Item): void => {
    if (has.get(kind, digest) === undefined) add.run(kind, digest, compress(bytes));
    if (kind === 'input') note.run(digest, environment ?? null, time);
  };
  return {
    put: (items) => attempt('write', () => inTransaction(database, () => items.forEach(keep))),
    get: (kind, digest) =>
      attempt('read', () => {
        const bytes = read.get(kind, digest)?.['bytes'];
        return bytes instanceof Uint8Array ? restored(kind, digest, bytes) : undefined;
      }),
    rows: () => attempt('read', () => all.all().map(rowOf)),
    remove: (rows) =>
      attempt('write', () =>
        inTransaction(database, () => {
          for (const { digest, environment, time } of rows) drop.run(digest, environment ?? null, time);
          return rows.reduce((sum, { digest }) => sum + Number(sweep.run(digest).changes), 0);
        }),
      ),
    close: () => database.close(),
  };
}

const rowOf = (row: Readonly<Record<string, unknown>>): KeptRow => {
  const { digest, environment, time } = row;
  return {
    digest: String(digest),
    time: String(time),
    ...(typeof environment === 'string' ? { environment } : {}),
  };
};

const compress = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });

/** What the file has is believed as far as its digest goes: whoever edits it changes nothing that is evaluated again. */
function restored(kind: Item['kind'], digest: string, compressed: Uint8Array): Uint8Array {
  const bytes = attemptTo(() => zstdDecompressSync(compressed, { maxOutputLength: MAX_BYTES }));
  if (bytes !== undefined && (kind === 'policy' || hash('sha256', bytes, 'hex') === digest)) return bytes;
  throw new AttestError('INPUTS_CORRUPT', `what is kept as ${kind} sha256:${digest} is not that`, {
    hint: 'restore inputs.sqlite3 from a backup; the records themselves are in the ledger',
  });
}

function attemptTo<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function attempt<T>(deed: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AttestError) throw cause;
    const words: unknown = Reflect.get(Object(cause), 'errstr') ?? Reflect.get(Object(cause), 'code');
    if (typeof words !== 'string') throw cause;
    throw new AttestError('INPUTS_UNAVAILABLE', `cannot ${deed} the kept inputs: ${words}`, {
      hint: 'check that the state folder can be written and has room',
      cause,
    });
  }
}
