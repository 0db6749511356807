// SPDX-License-Identifier: Apache-2.0
import { verify } from 'node:crypto';
import { decodeAnyBase64, decodeBase64 } from '../base64.ts';
import {
  ENTRY_KIND,
  entryBody,
  hashLeaf,
  isSignedBy,
  readCheckpoint,
  readIndex,
  rootFromProof,
} from '../log/index.ts';
import { PAYLOAD_TYPE, preAuthEncoding } from '../sign/envelope.ts';
import type { KeyUse, LoadedKey, Trust } from '../trust/trust.ts';
import { parseStrict } from './json.ts';
import { type BundleShape, readBundle, readStatement, type StatementShape } from './shape.ts';

/** Why a record does not hold. */
export type RefusalCode =
  | 'SHAPE'
  | 'PAYLOAD_TYPE'
  | 'SIGNATURE'
  | 'KEY_USE'
  | 'KEY_TIME'
  | 'LOG_ENTRY'
  | 'LOG_PROOF'
  | 'LOG_UNKNOWN'
  | 'STATEMENT'
  | 'PREDICATE_TYPE';

/** What a record that holds proves. */
export interface Verified extends StatementShape {
  readonly keyName: string;
  /** The signed bytes. */
  readonly statement: Uint8Array;
  readonly logIndex: number;
  readonly logOrigin: string;
}

export type RecordVerdict =
  | { readonly ok: true; readonly value: Verified }
  | { readonly ok: false; readonly code: RefusalCode; readonly reason: string };

/** What the reader wants the record to be. */
export interface RecordQuestion {
  readonly use: KeyUse;
  readonly predicateType: string;
  readonly environment?: string;
  /** The time at which the key must be valid; absent: the key's dates are compared with nothing but each other. */
  readonly at?: Date;
}

class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Verifies a record offline: shape, signature by a key trusted for this use, entry in a trusted log, Statement. Untrusted bytes in,
 * a verdict out; the key inside a bundle is only a hint, and counts for nothing.
 */
export function verifyRecord(bytes: Uint8Array, trust: Trust, question: RecordQuestion): RecordVerdict {
  try {
    const bundle =
      readBundle(parseStrict(Buffer.from(bytes).toString('utf8'))?.value) ??
      refuse('SHAPE', 'this is no Sigstore bundle v0.3 with one signature and one log entry');
    if (bundle.payloadType !== PAYLOAD_TYPE)
      refuse('PAYLOAD_TYPE', `the payload type is ${JSON.stringify(bundle.payloadType)}`);
    const payload = decodeAnyBase64(bundle.payload) ?? refuse('SHAPE', 'the payload is no base64');
    const signature = decodeAnyBase64(bundle.signature) ?? refuse('SHAPE', 'the signature is no base64');
    const signed = { payload, signature, bytes: preAuthEncoding(PAYLOAD_TYPE, payload) };
    const key = signerOf(signed, trust, question);
    const log = verifyEntry(bundle, signed, { key, trust });
    const statement =
      readStatement(parseStrict(payload.toString('utf8'))?.value) ??
      refuse('STATEMENT', 'the payload is no in-toto Statement v1');
    if (statement.predicateType !== question.predicateType)
      refuse('PREDICATE_TYPE', `the statement is of type ${JSON.stringify(statement.predicateType)}`);
    return { ok: true, value: { ...statement, keyName: key.name, statement: payload, ...log } };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: error.code, reason: error.message };
    throw error;
  }
}

function refuse(code: RefusalCode, message: string): never {
  throw new Refusal(code, message);
}

interface Signed {
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly bytes: Buffer;
}

/** The trusted key that made the signature. Every trusted key is tried: what the bundle says of its key is the sender's word. */
function signerOf(signed: Signed, trust: Trust, question: RecordQuestion): LoadedKey {
  const key =
    trust.keys.find((candidate) => isGoodSignature(signed, candidate)) ??
    refuse('SIGNATURE', 'no trusted key made this signature');
  const name = JSON.stringify(key.name);
  if (!key.uses.includes(question.use)) refuse('KEY_USE', `key ${name} is not trusted for ${question.use}`);
  const { environment } = question;
  if (
    environment !== undefined &&
    !key.environments.includes('*') &&
    !key.environments.includes(environment)
  ) {
    refuse('KEY_USE', `key ${name} is not trusted for environment ${JSON.stringify(environment)}`);
  }
  if (question.at !== undefined) checkTime(key, question.at.getTime());
  return key;
}

function isGoodSignature({ bytes, signature }: Signed, { key }: LoadedKey): boolean {
  try {
    return verify('sha256', bytes, key, signature);
  } catch {
    return false; // a malformed signature is no signature
  }
}

function checkTime(key: LoadedKey, at: number): void {
  const name = JSON.stringify(key.name);
  if (key.notBefore !== undefined && at < Date.parse(key.notBefore))
    refuse('KEY_TIME', `key ${name} is not valid before ${key.notBefore}`);
  if (key.notAfter !== undefined && at > Date.parse(key.notAfter))
    refuse('KEY_TIME', `key ${name} is not valid after ${key.notAfter}`);
  if (key.revokedAt !== undefined && at >= Date.parse(key.revokedAt))
    refuse('KEY_TIME', `key ${name} was revoked at ${key.revokedAt}`);
}

/**
 * The log's entry must be about exactly this signature: the expected body is made here and compared bytewise, so that no other
 * entry of the same log can stand in for it (cosign CVE-2026-22703).
 */
function verifyEntry(
  bundle: BundleShape,
  signed: Signed,
  { key, trust }: { key: LoadedKey; trust: Trust },
): { logIndex: number; logOrigin: string } {
  const { entry } = bundle;
  const body = entryBody({ signedBytes: signed.bytes, signature: signed.signature, publicKeyDer: key.der });
  const isExpected =
    entry.kind === ENTRY_KIND.kind &&
    entry.version === ENTRY_KIND.version &&
    decodeBase64(entry.body)?.equals(body) === true;
  if (!isExpected) refuse('LOG_ENTRY', 'the log entry is about something else');
  const checkpoint = readCheckpoint(entry.checkpoint) ?? refuse('LOG_PROOF', 'the checkpoint is malformed');
  const log = trust.logs.find(
    (candidate) => candidate.id === entry.logId && candidate.origin === checkpoint.origin,
  );
  if (log === undefined) return refuse('LOG_UNKNOWN', 'the log is not a trusted one');
  if (!isSignedBy(checkpoint, log.origin, log.key))
    refuse('LOG_PROOF', 'the checkpoint is not signed by the log');
  const index = readIndex(entry.proofIndex);
  const isConsistent =
    index !== undefined && entry.index === entry.proofIndex && readIndex(entry.treeSize) === checkpoint.size;
  if (!isConsistent)
    refuse('LOG_PROOF', 'index or size of the proof are not those of the entry and the checkpoint');
  const hashes = entry.hashes.map(
    (hash) => decodeBase64(hash) ?? refuse('LOG_PROOF', 'a hash of the proof is no base64'),
  );
  const root = rootFromProof(hashLeaf(body), index, checkpoint.size, hashes);
  const matches =
    root !== undefined &&
    Buffer.from(root).equals(checkpoint.root) &&
    decodeBase64(entry.rootHash)?.equals(checkpoint.root) === true;
  if (!matches)
    refuse('LOG_PROOF', 'the ledger does not hold this record: the proof does not lead to the signed root');
  return { logIndex: index, logOrigin: log.origin };
}
