// SPDX-License-Identifier: Apache-2.0
import { hash, type KeyObject } from 'node:crypto';
import { parseStrict } from '../json.ts';
import { type Checkpoint, isSignedBy, noteKeyId, readCheckpoint } from '../log/index.ts';
import { keySigner, type LoadedKey, type SigstoreTrust, type Trust } from '../trust/index.ts';
import { verifyAttestation } from '../verify/attestation.ts';

/** A checkpoint that was there at a time, which an authority says that the reader trusts. */
export interface TimedCheckpoint extends Checkpoint {
  /** Base64 note key id of its log. */
  readonly logId: string;
  readonly at: Date;
}

/** Whose checkpoint it must be, and which authorities are believed. */
export interface TimedQuestion {
  readonly logs: readonly { readonly origin: string; readonly key: KeyObject }[];
  readonly trust: SigstoreTrust;
  readonly now: Date;
}

const MAX_BYTES = 256 * 1024;

/**
 * Verifies a checkpoint with its timestamp, offline; why it does not hold, where it does not. Never throws for anything that the bytes,
 * which are untrusted, hold.
 * @throws {AttestError} TRUST_EXPIRED
 */
export function readTimed(bytes: Uint8Array, { logs, trust, now }: TimedQuestion): TimedCheckpoint | string {
  const value = bytes.length > MAX_BYTES ? undefined : parseStrict(bytes)?.value;
  const note: unknown = Reflect.get(Object(value), 'checkpoint');
  const bundle: unknown = Reflect.get(Object(value), 'bundle');
  const read = typeof note === 'string' ? readCheckpoint(note) : undefined;
  if (read === undefined || Object.keys(Object(value)).length !== 2)
    return 'this is no checkpoint with its timestamp';
  const log = logs.find(({ origin, key }) => origin === read.origin && isSignedBy(read, origin, key));
  if (log === undefined) return 'its checkpoint is of no log that is trusted';
  const artifact = Buffer.from(read.text);
  const verdict = verifyAttestation(Buffer.from(JSON.stringify(bundle) ?? ''), {
    trust,
    signers: [keySigner(log.origin, log.key.export({ type: 'spki', format: 'pem' }).toString())],
    subject: { algorithm: 'sha256', digest: hash('sha256', artifact) },
    artifact,
    requireLog: false,
    now,
  });
  if (!verdict.verified) return verdict.message;
  if (verdict.claim.at === undefined) return 'no authority says when it was there';
  const { origin, size, root } = read;
  const logId = Buffer.from(noteKeyId(origin, log.key)).toString('base64');
  return { origin, size, root, logId, at: new Date(verdict.claim.at) };
}

/**
 * The same trust, where keys that have ended hold for what that checkpoint covers, if it was there before their end: what is signed with
 * them later is behind it in the log. A checkpoint that the reader kept (`until`) stays the one that counts.
 */
export const heldSince = (trust: Trust, timed: TimedCheckpoint): Trust => ({
  ...trust,
  keys: trust.keys.map((key) => (isBeforeEnd(key, timed.at) ? { ...key, kept: timed } : key)),
});

function isBeforeEnd({ kept, notAfter, revokedAt }: LoadedKey, at: Date): boolean {
  if (kept !== undefined || (notAfter === undefined && revokedAt === undefined)) return false;
  const isWithin = notAfter === undefined || at.getTime() <= Date.parse(notAfter);
  return isWithin && (revokedAt === undefined || at.getTime() < Date.parse(revokedAt));
}
