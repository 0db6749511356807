// SPDX-License-Identifier: Apache-2.0

import { parseStrict } from '../json.ts';
import { PAYLOAD_TYPE } from '../sign/index.ts';
import type { KeyUse, Trust } from '../trust/trust.ts';
import { checkEntryBody, logOf } from './entry.ts';
import { quoted, Refusal, type RefusalCode, refuse } from './refusal.ts';
import { type BundleShape, readBundle } from './shape.ts';
import { checkKeyTime, isHeldBefore, keyOf } from './signer.ts';
import { entityOf } from './sigstore.ts';
import { readStatement, type StatementShape } from './statement.ts';

/** The largest record that is read, in bytes. */
export const MAX_RECORD_BYTES = 1024 * 1024;

/** What a record that holds proves. */
export interface Verified extends StatementShape {
  readonly keyName: string;
  /** What the reader trusts the key for: the scope that a statement claims has yet to be among these (`*` is all of them). */
  readonly keyEnvironments: readonly string[];
  /** The signed bytes. */
  readonly statement: Uint8Array;
  /** Where the first log that it names has it. */
  readonly logIndex: number;
  readonly logOrigin: string;
}

/** Whether a record holds; a refusal is an answer, not an error. */
export type RecordVerdict =
  | { readonly ok: true; readonly value: Verified }
  | { readonly ok: false; readonly code: RefusalCode; readonly reason: string };

/** What the reader wants the record to be. */
export interface RecordQuestion {
  readonly use: KeyUse;
  readonly predicateType: string;
  /** Absent: the caller compares what the statement says of itself with `keyEnvironments`. */
  readonly environment?: string;
  /** The time at which key and log must be valid. Absent: a key with dates, or a log with an end, is refused. */
  readonly at?: Date;
}

/**
 * Verifies a record offline: shape, signature by a key trusted for this use, its entry in a trusted log, the Statement. Never throws
 * for anything that `record` holds.
 *
 * Shape: `record` is untrusted, the bytes or text of a Sigstore bundle v0.3, at most 1 MiB. A value that was parsed elsewhere is
 * taken too, but whoever parsed it has dropped duplicate keys unseen.
 */
export function verifyRecord(record: unknown, trust: Trust, question: RecordQuestion): RecordVerdict {
  try {
    const bundle = readRecord(record);
    if (bundle.payloadType !== PAYLOAD_TYPE)
      refuse('PAYLOAD_TYPE', `the payload type is ${quoted(bundle.payloadType)}`);
    const log = verifyProof(bundle, trust, question);
    const statement =
      readStatement(bundle.payload) ?? refuse('STATEMENT', 'the payload is no in-toto Statement v1');
    if (statement.predicateType !== question.predicateType)
      refuse('PREDICATE_TYPE', `the statement is of type ${quoted(statement.predicateType)}`);
    return { ok: true, value: { ...statement, ...log, statement: bundle.payload } };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: error.code, reason: error.message };
    throw error;
  }
}

function readRecord(record: unknown): BundleShape {
  const bytes = bytesOf(record) ?? refuse('SHAPE', 'this is no JSON');
  if (bytes.length > MAX_RECORD_BYTES)
    refuse('SHAPE', `the record has ${bytes.length} bytes, more than ${MAX_RECORD_BYTES}`);
  const json =
    parseStrict(bytes) ?? refuse('SHAPE', 'this is no JSON, or one of its objects has a key twice');
  return (
    readBundle(json.value) ??
    refuse('SHAPE', 'this is no Sigstore bundle v0.3 with one signature by a key and its log entries')
  );
}

function bytesOf(record: unknown): Uint8Array | undefined {
  if (record instanceof Uint8Array) return record;
  if (typeof record === 'string') return Buffer.from(record, 'utf8');
  try {
    const text: unknown = JSON.stringify(record);
    return typeof text === 'string' ? Buffer.from(text, 'utf8') : undefined;
  } catch {
    return undefined; // circular, a bigint, or a toJSON that throws
  }
}

function verifyProof(
  bundle: BundleShape,
  trust: Trust,
  question: RecordQuestion,
): Pick<Verified, 'keyName' | 'keyEnvironments' | 'logIndex' | 'logOrigin'> {
  const key = keyOf(bundle.hint, trust, question);
  const entity = entityOf(bundle) ?? refuse('SHAPE', 'this is no bundle that Sigstore can read');
  if (!entity.isSignedBy(key.key))
    refuse('SIGNATURE', `the signature is not by key ${JSON.stringify(key.name)}`);
  checkKeyTime(key, question.at, isHeldBefore(key, bundle.entries));
  // Every entry must hold, not any one of them (gitsign GHSA-8pmp-678w-c8xx).
  for (const entry of bundle.entries) checkEntryBody(entry, bundle, key);
  const logs = bundle.entries.map((entry) => logOf(entry, trust, question.at));
  const [log] = logs;
  const [entry] = bundle.entries;
  const code = entity.refusal(key, logs);
  if (code !== undefined || log === undefined || entry === undefined)
    return refuse(
      code ?? 'SHAPE',
      'the ledger does not hold this record: its proof does not lead to the signed root',
    );
  return {
    keyName: key.name,
    keyEnvironments: key.environments,
    logIndex: entry.index,
    logOrigin: log.origin,
  };
}
