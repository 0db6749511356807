// SPDX-License-Identifier: Apache-2.0
// The files of a ledger's folder: the database and the log's Ed25519 key, both for their owner only.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AttestError } from '../error.ts';
import { corrupt, toAttestError } from './failure.ts';

const DATABASE = 'ledger.sqlite3';
const KEY = 'ledger.key';

/**
 * Returns the database file, made empty where there is none and `create` is given.
 * @throws {AttestError} LEDGER_UNAVAILABLE  no ledger there, or the folder cannot be used
 * @throws {AttestError} LEDGER_CORRUPT  the key is there but the database is gone: a new log under an old key would be a fork
 */
export function databaseFile(directory: string, create: boolean): string {
  const file = join(directory, DATABASE);
  try {
    if (existsSync(file)) return file;
    if (existsSync(join(directory, KEY)))
      throw corrupt(`${KEY} is in ${JSON.stringify(directory)} but ${DATABASE} is not`);
    if (!create)
      throw new AttestError('LEDGER_UNAVAILABLE', `there is no ledger in ${JSON.stringify(directory)}`, {
        hint: 'name the folder that holds ledger.sqlite3',
      });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Made before SQLite opens it, which would let others read it; its companions inherit the mode.
    closeSync(openSync(file, 'a', 0o600));
    syncDirectory(directory);
    return file;
  } catch (cause) {
    throw toAttestError(cause, 'open');
  }
}

/** Which file a path names now; a ledger that was replaced under a running process must not be written to. */
export function fileIdentity(file: string): string {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch (cause) {
    throw toAttestError(cause, 'open');
  }
}

/**
 * Remembers the database that a folder holds now; the function tells what has become of it, nothing while it is the same.
 * Asking costs one system call, and nothing is opened.
 * @throws {AttestError} LEDGER_UNAVAILABLE  no ledger there
 */
export function watchLedger(directory: string): () => readonly string[] {
  const file = join(directory, DATABASE);
  const opened = fileIdentity(file);
  return () => {
    try {
      return fileIdentity(file) === opened ? [] : ['the ledger was replaced'];
    } catch {
      return ['the ledger is gone'];
    }
  };
}

/**
 * Makes the log's key; called once, while the new database is locked. It gets its name only with `readLogKey`, when the database
 * names it: so a key without a ledger is never the rest of a creation that crashed, but a ledger that was lost.
 * @throws {AttestError} LEDGER_CORRUPT  there is a key: a new log would take its place, and the records of the old one their proof
 */
export function createLogKey(directory: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = join(directory, KEY);
  if (existsSync(file)) throw corrupt(`${KEY} is in ${JSON.stringify(directory)} but ${DATABASE} is empty`);
  try {
    const descriptor = openSync(`${file}.new`, 'w', 0o600);
    try {
      writeSync(descriptor, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    syncDirectory(directory);
  } catch (cause) {
    throw toAttestError(cause, 'write');
  }
  return privateKey;
}

/** Names the key of a ledger that was just founded, by this process or by another that is as far. */
function nameLogKey(directory: string): void {
  const file = join(directory, KEY);
  if (existsSync(file) || !existsSync(`${file}.new`)) return;
  try {
    renameSync(`${file}.new`, file);
    syncDirectory(directory);
  } catch (cause) {
    // Another process was first; if not, reading the key says so.
    if (!existsSync(file)) throw toAttestError(cause, 'write');
  }
}

/** Reads the key of a log that was founded. @throws {AttestError} KEY_UNREADABLE | KEY_KIND */
export function readLogKey(directory: string): KeyObject {
  const hint = 'restore ledger.key from a backup; without it nothing can be added to this ledger';
  nameLogKey(directory);
  let key: KeyObject;
  try {
    key = createPrivateKey(readFileSync(join(directory, KEY), 'utf8'));
  } catch {
    // Neither path nor cause of a key parser's error is shown: it may quote what it was given.
    throw new AttestError('KEY_UNREADABLE', `cannot read ${KEY} in ${JSON.stringify(directory)}`, { hint });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new AttestError('KEY_KIND', `${KEY} in ${JSON.stringify(directory)} is not an Ed25519 key`, {
      hint,
    });
  return key;
}

/** A new name is on disk only after its folder is. Windows cannot open a folder and needs no such thing. */
function syncDirectory(directory: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(directory, 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(descriptor);
  } catch {
    // Some file systems refuse to sync a folder; SQLite ignores it too.
  } finally {
    closeSync(descriptor);
  }
}
