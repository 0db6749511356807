// SPDX-License-Identifier: Apache-2.0
import { AttestError, type AttestErrorCode } from '../error.ts';

// Primary result codes, https://www.sqlite.org/rescode.html
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;

/** Where a failure happened; it names the verb in the message. */
export type Deed = 'open' | 'use' | 'write';

/** The ledger contradicts itself; nothing it says may be believed until a person has looked. */
export function corrupt(what: string, cause?: unknown): AttestError {
  return new AttestError('LEDGER_CORRUPT', `the ledger is damaged: ${what}`, {
    hint: 'stop what writes to it and restore its folder from a backup; records already given out stay valid',
    cause,
  });
}

/** A member of whatever was thrown; errors of Node need not be of the same realm, so `instanceof` would miss them. */
const memberOf = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;

/** The primary result code of SQLite, or undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  const code = memberOf(error, 'errcode');
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Whether another process holds the lock. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** Whether a file is no database, or no longer a sound one. */
export function isDamaged(error: unknown): boolean {
  const code = resultCode(error);
  return code === CORRUPT || code === NOT_A_DATABASE;
}

/** Turns an error of SQLite or of the file system into ours; one that is ours already stays as it is. @throws what is a fault of the program */
export function toAttestError(error: unknown, deed: Deed): AttestError {
  if (error instanceof AttestError) return error;
  if (typeof memberOf(error, 'code') !== 'string') throw error;
  const result = resultCode(error);
  if (isDamaged(error)) return corrupt(reasonOf(error), error);
  const [code, hint] = kindOf(error, result);
  return new AttestError(code, `cannot ${deed} the ledger: ${reasonOf(error)}`, { hint, cause: error });
}

function kindOf(error: unknown, result: number | undefined): [AttestErrorCode, string] {
  const system = memberOf(error, 'code');
  if (result === FULL || system === 'ENOSPC' || system === 'EDQUOT')
    return [
      'LEDGER_FULL',
      'make room on its volume; what was acknowledged is safe, and later records will succeed',
    ];
  if (isBusy(error))
    return ['LEDGER_UNAVAILABLE', 'another process holds the ledger; let it finish, or give each its own'];
  return [
    'LEDGER_UNAVAILABLE',
    'check that its folder exists, can be written by this user and is on a local disk',
  ];
}

/** SQLite's words, else the code of the system call; messages of the file system would name paths a second time. */
function reasonOf(error: unknown): string {
  const words = memberOf(error, 'errstr');
  return typeof words === 'string' ? words : String(memberOf(error, 'code'));
}
