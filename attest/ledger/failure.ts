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

/** The primary result code of SQLite, or undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}

/** Whether another process holds the lock. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** Turns an error of SQLite or of the file system into ours; one that is ours already stays as it is. */
export function toAttestError(error: unknown, deed: Deed): AttestError {
  if (error instanceof AttestError) return error;
  const result = resultCode(error);
  if (result === CORRUPT || result === NOT_A_DATABASE) return corrupt(reasonOf(error), error);
  const [code, hint] = kindOf(error, result);
  return new AttestError(code, `cannot ${deed} the ledger: ${reasonOf(error)}`, { hint, cause: error });
}

function kindOf(error: unknown, result: number | undefined): [AttestErrorCode, string] {
  const system = error instanceof Error && 'code' in error ? error.code : undefined;
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

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure';
  if ('errstr' in error && typeof error.errstr === 'string') return error.errstr;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
