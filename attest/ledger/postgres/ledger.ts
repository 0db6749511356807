// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { AttestError } from '../../error.ts';
import { checkpointSigner, isOrigin, noteKeyId, type TrustedRoot, trustedRootOf } from '../../log/index.ts';
import type { Bundle } from '../bundle.ts';
import { createLogKey, readLogKey } from '../files.ts';
import type { Addition } from '../grow.ts';
import { additionOf, type Ledger } from '../ledger.ts';
import { openReader } from '../reading/reader.ts';
import type { Rows } from '../reading/rows.ts';
import type { Identity } from '../store.ts';
import { appendBatch } from './append.ts';
import { type Database, openDatabase } from './connection.ts';
import { openAsyncQueue } from './queue.ts';
import { identityIn, rowsOver } from './rows.ts';
import { migrate } from './schema.ts';

/** A ledger in PostgreSQL: several servers append to it at once, and the lock on its head is the order of the log. */
export interface PostgresLedger extends Pick<Ledger, 'append' | 'close'> {
  size(): Promise<number>;
  trustedRoot(): TrustedRoot;
}

/** How a ledger in PostgreSQL is opened. */
export interface PostgresOptions {
  /** `postgres://…`; shown nowhere. */
  readonly url: string;
  /** The folder of `ledger.key`, which every server of this ledger has a copy of. */
  readonly directory: string;
  readonly origin?: string;
  readonly now: () => Date;
  readonly create: boolean;
}

/** Queries of one server at a time; one of them at most appends. */
const CONNECTIONS = 4;

/**
 * Opens a ledger in PostgreSQL, and makes it where there is none and `create` is given.
 * Rejects with {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT | LEDGER_FULL | KEY_UNREADABLE | KEY_KIND | KEY_MISMATCH
 */
export async function openPostgresLedger(options: PostgresOptions): Promise<PostgresLedger> {
  if (options.origin !== undefined && !isOrigin(options.origin))
    throw new AttestError('LEDGER_UNAVAILABLE', `${JSON.stringify(options.origin)} is not a name for a log`, {
      hint: 'give a host name in lower case, such as ledger.example.org',
    });
  const database = await openDatabase(options.url, CONNECTIONS);
  try {
    await migrate(database, options.create);
    await refuseUnsafe(database);
    const identity = (await identityIn(database.ask)) ?? (await found(database, options));
    const key = ownKey(options.directory, identity);
    await checkHead(database);
    return ledgerOver(database, identity, key);
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Rows of a ledger in PostgreSQL, for reading. Rejects as `openPostgresLedger` does */
export async function openPostgresRows(url: string): Promise<Rows> {
  const database = await openDatabase(url, 1);
  try {
    await migrate(database, false);
    return rowsOver(database);
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** A server that does not write to its disk acknowledges what a power cut takes away. */
async function refuseUnsafe(database: Database): Promise<void> {
  const [row] = await database.ask({ text: "SELECT current_setting('fsync') AS fsync" });
  if (row?.['fsync'] === 'on') return;
  throw new AttestError('LEDGER_UNAVAILABLE', 'the database runs with fsync = off', {
    hint: 'what it acknowledges does not outlast a power cut: set fsync = on',
  });
}

/** Gives a new ledger its key and its name, or takes those that another server gave it first. */
function found(database: Database, { create, directory, origin, now }: PostgresOptions): Promise<Identity> {
  return database.transact(async (ask) => {
    await ask({ text: 'SELECT size FROM countersign.head FOR UPDATE' });
    const there = await identityIn(ask);
    if (there !== undefined) return there;
    if (!create)
      throw new AttestError('LEDGER_UNAVAILABLE', 'this ledger was never used, its creation did not finish');
    const publicKey = createPublicKey(createLogKey(directory)).export({ type: 'spki', format: 'der' });
    const name = origin ?? `ledger-${hash('sha256', publicKey, 'hex').slice(0, 16)}.countersign.local`;
    const identity = { origin: name, created: now().toISOString(), publicKey };
    await ask({ text: 'INSERT INTO countersign.identity VALUES (true, $1, $2, $3)' }, [
      name,
      identity.created,
      publicKey,
    ]);
    return identity;
  });
}

function ownKey(directory: string, { origin, publicKey }: Identity): KeyObject {
  const key = readLogKey(directory);
  if (createPublicKey(key).export({ type: 'spki', format: 'der' }).equals(publicKey)) return key;
  throw new AttestError(
    'KEY_MISMATCH',
    `ledger.key in ${JSON.stringify(directory)} is not the key of ${JSON.stringify(origin)}`,
    { hint: 'give every server of this ledger a copy of the ledger.key that it was made with' },
  );
}

/** The head, the last row and the last checkpoint say the same, and the stored tree has the root that was signed. */
async function checkHead(database: Database): Promise<void> {
  const reader = await openReader(rowsOver(database));
  await database.transact(async (ask) => {
    // The lock: while it is looked at nobody adds.
    const [head] = await ask({ text: 'SELECT size FROM countersign.head FOR UPDATE' });
    const size = Number(head?.['size']);
    const newest = await reader.newest();
    const [rows, root] = [await reader.rows.size(), await reader.root(newest?.size ?? 0)];
    const isWhole =
      size === rows &&
      size === (newest?.size ?? 0) &&
      (newest === undefined || Buffer.compare(root, newest.root) === 0);
    if (isWhole) return;
    throw new AttestError(
      'LEDGER_CORRUPT',
      `the ledger is damaged: its head says ${size} entries, its last checkpoint ${newest?.size ?? 0}, its rows ${rows}`,
      { hint: 'records verify --ledger says what is missing; restore the database from a backup' },
    );
  });
}

function ledgerOver(database: Database, identity: Identity, key: KeyObject): PostgresLedger {
  const { origin, created } = identity;
  const publicKey = createPublicKey(key);
  const log = { logId: noteKeyId(origin, publicKey), signCheckpoint: checkpointSigner(origin, key) };
  const queue = openAsyncQueue<Addition, Bundle>((batch) => appendBatch(database, log, batch));
  const rows = rowsOver(database);
  return {
    append: async (envelope, signer) => queue.add(additionOf(envelope, signer)),
    size: () => rows.size(),
    trustedRoot: () => trustedRootOf(origin, publicKey, new Date(created)),
    close: async () => {
      await queue.close(() => undefined);
      await database.close();
    },
  };
}
