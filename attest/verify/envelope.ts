// SPDX-License-Identifier: Apache-2.0
import { verify } from 'node:crypto';
import { decodeAnyBase64 } from '../base64.ts';
import { parseStrict } from '../json.ts';
import { PAYLOAD_TYPE, preAuthEncoding } from '../sign/index.ts';
import type { KeyUse, Trust } from '../trust/trust.ts';
import { quoted, Refusal, type RefusalCode, refuse } from './refusal.ts';
import { listOf, members, textOf } from './shape.ts';
import { checkKeyTime, keyOf } from './signer.ts';
import { readStatement, type StatementShape } from './statement.ts';

/** What an envelope that holds proves. */
export interface VerifiedEnvelope extends StatementShape {
  readonly keyName: string;
  /** The signed bytes. */
  readonly statement: Uint8Array;
}

/** Whether an envelope holds; a refusal is an answer, not an error. */
export type EnvelopeVerdict =
  | { readonly ok: true; readonly value: VerifiedEnvelope }
  | { readonly ok: false; readonly code: RefusalCode; readonly reason: string };

/** What the reader wants it to be. */
export interface EnvelopeQuestion {
  readonly use: KeyUse;
  readonly predicateType: string;
  readonly environment?: string;
  /** The time at which the key must be valid. */
  readonly at: Date;
}

const MAX_ENVELOPE_BYTES = 1024 * 1024;

/**
 * Verifies a DSSE envelope with one signature by a trusted key; no log is asked. `keyid` is a hint and says only which of the reader's
 * own keys to try. Never throws for anything that `bytes`, which are untrusted, hold.
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md
 */
export function verifyEnvelope(bytes: Uint8Array, trust: Trust, question: EnvelopeQuestion): EnvelopeVerdict {
  try {
    return { ok: true, value: check(bytes, trust, question) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: error.code, reason: error.message };
    throw error;
  }
}

function check(bytes: Uint8Array, trust: Trust, question: EnvelopeQuestion): VerifiedEnvelope {
  const { keyId, payloadType, payload, signature } = readEnvelope(bytes);
  if (payloadType !== PAYLOAD_TYPE) refuse('PAYLOAD_TYPE', `the payload type is ${quoted(payloadType)}`);
  const key = keyOf(keyId, trust, question);
  const digest = key.key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  if (!verify(digest, preAuthEncoding(payloadType, payload), key.key, signature))
    refuse('SIGNATURE', `the signature is not by key ${JSON.stringify(key.name)}`);
  checkKeyTime(key, question.at);
  const statement = readStatement(payload) ?? refuse('STATEMENT', 'the payload is no in-toto Statement v1');
  if (statement.predicateType !== question.predicateType)
    refuse('PREDICATE_TYPE', `the statement is of type ${quoted(statement.predicateType)}`);
  return { ...statement, keyName: key.name, statement: payload };
}

interface EnvelopeShape {
  readonly keyId: string;
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

function readEnvelope(bytes: Uint8Array): EnvelopeShape {
  const value = bytes.length > MAX_ENVELOPE_BYTES ? undefined : parseStrict(bytes)?.value;
  const envelope = members(value, ['payload', 'payloadType', 'signatures']);
  const [payloadType, payloadText] = [textOf(envelope?.['payloadType']), textOf(envelope?.['payload'])];
  const signatures = listOf(envelope?.['signatures'], 1, (item) => members(item, ['keyid', 'sig']));
  const keyId = textOf(signatures?.[0]?.['keyid']);
  const signature = decodeAnyBase64(textOf(signatures?.[0]?.['sig']) ?? '');
  const payload = decodeAnyBase64(payloadText ?? '');
  if (payloadType === undefined || keyId === undefined || !payload?.length || !signature?.length)
    return refuse('SHAPE', 'this is no DSSE envelope with one signature that names its key');
  return { keyId, payloadType, payload, signature };
}
