// SPDX-License-Identifier: Apache-2.0
import type { SigstoreLog, SigstoreTrust } from '../../trust/sigstore.ts';
import { quoted, refuse } from '../refusal.ts';
import { isLoggedFor } from './body.ts';
import type { LogEntry } from './entry.ts';

/** What the entries are compared with. */
export interface EntryQuestion {
  readonly trust: SigstoreTrust;
  /** DER of the certificate or the key that signed. */
  readonly signer: Uint8Array;
  /** The verified times of signing. */
  readonly times: readonly Date[];
  readonly now: Date;
}

/**
 * What the library leaves out, for every entry: each must be about this signer's signature, and not only one of them (gitsign
 * GHSA-8pmp-678w-c8xx); a checkpoint must be of the log that it is said to be of; a log must be valid when the proof was made.
 */
export function checkEntries(
  entries: readonly LogEntry[],
  { trust, signer, times, now }: EntryQuestion,
): void {
  for (const entry of entries) {
    const log = trust.logs.find(({ id }) => id.equals(entry.logId));
    if (log === undefined) refuse('LOG_UNKNOWN', 'a log entry is of a log that is not a trusted one');
    if (!isLoggedFor(entry, signer))
      refuse('LOG_ENTRY', 'a log entry is about the signature of somebody else');
    checkOrigin(entry, log);
    checkLogTime(log, times, now);
  }
}

/** A checkpoint's first line is the log's host, of Rekor v1 with the number of the tree; so is the name that signs it. */
function checkOrigin({ proof }: LogEntry, { host, id }: SigstoreLog): void {
  if (proof === undefined) return;
  const { origin, signatures } = proof.checkpoint;
  const tree = origin.startsWith(`${host} - `) ? origin.slice(host.length + 3) : undefined;
  if (origin !== host && !/^\d+$/.test(tree ?? ''))
    refuse('LOG_CHECKPOINT', `the checkpoint is of ${quoted(origin)}, not of ${quoted(host)}`);
  const hint = id.subarray(0, 4);
  if (!signatures.some(({ name, keyHint }) => name === host && hint.equals(keyHint)))
    refuse('LOG_CHECKPOINT', `the checkpoint is not signed in the name of ${quoted(host)}`);
}

/** Without a time of signing only a log that has begun, and has no end, is known to have been valid. */
function checkLogTime({ host, validity }: SigstoreLog, times: readonly Date[], now: Date): void {
  const { start, end } = validity;
  if (times.length === 0 && end !== undefined)
    refuse('LOG_TIME', `the log ${quoted(host)} has ended, and no time was proved to compare with`);
  const compared = times.length === 0 ? [now] : times;
  for (const time of compared)
    if (time < start || (end !== undefined && time > end))
      refuse('LOG_TIME', `the log ${quoted(host)} is not valid at ${time.toISOString()}`);
}
