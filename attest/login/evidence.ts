// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { decodeAnyBase64 } from '../base64.ts';
import { parseStrict } from '../json.ts';
import { PAYLOAD_TYPE } from '../sign/index.ts';
import { readCompact } from '../tokens/compact.ts';
import { type TokenIssuer, verifyToken } from '../tokens/index.ts';
import { TokenRefusal } from '../tokens/refusal.ts';
import { field } from './provider.ts';

/** The media type of a statement that somebody signed by their login. */
export const LOGIN_MEDIA_TYPE = 'application/vnd.countersign.login+json;version=1';

const MAX_BYTES = 512 * 1024;
/** From when a statement was made to when the token was issued: a person types their password in between. */
const MAX_LATE_MS = 15 * 60_000;
const SKEW_MS = 60_000;

/** What evidence that holds proves. */
export type LoginVerdict =
  | {
      readonly ok: true;
      readonly issuer: string;
      readonly subject: string;
      /** The bytes that were signed for. */
      readonly payload: Uint8Array;
    }
  | { readonly ok: false; readonly reason: string };

/** The nonce by which a token is about these bytes and no others. */
export const nonceOf = (payload: Uint8Array): string => hash('sha256', payload, 'base64url');

/** Whether a file claims to be evidence of a login; nothing of it is proved. */
export function isLogin(bytes: Uint8Array): boolean {
  return bytes.length <= MAX_BYTES && field(parseStrict(bytes)?.value, 'mediaType') === LOGIN_MEDIA_TYPE;
}

/** What is written: the statement and the token that was issued for it. */
export function loginEvidence(payload: Uint8Array, idToken: string): string {
  return `${JSON.stringify({
    mediaType: LOGIN_MEDIA_TYPE,
    payloadType: PAYLOAD_TYPE,
    payload: Buffer.from(payload).toString('base64'),
    idToken,
  })}\n`;
}

/**
 * Verifies that somebody logged in to sign exactly these bytes, offline and however long ago: by the stored keys of the issuer, at the
 * token's own time, which must be that of the statement. Never throws for anything that the file holds.
 *
 * A token is good for as long as its keys are stored: who must no longer count is taken out of the people.
 * @param statedAt what the statement says of its own time
 * @throws {AttestError} TOKEN_KEYS where the keys cannot be had
 */
export async function verifyLogin(
  bytes: Uint8Array,
  issuer: TokenIssuer,
  { statedAt, now }: { readonly statedAt: (payload: Uint8Array) => Date; readonly now: Date },
): Promise<LoginVerdict> {
  const evidence = bytes.length > MAX_BYTES ? undefined : parseStrict(bytes)?.value;
  const [mediaType, payloadType, encoded, idToken] = ['mediaType', 'payloadType', 'payload', 'idToken'].map(
    (name) => field(evidence, name),
  );
  const payload = typeof encoded === 'string' ? decodeAnyBase64(encoded) : undefined;
  const isExact = Object.keys(Object(evidence)).length === 4 && mediaType === LOGIN_MEDIA_TYPE;
  if (!isExact || payloadType !== PAYLOAD_TYPE || payload === undefined || typeof idToken !== 'string')
    return refusal('this is no evidence of a login with a statement and its token');
  const issuedMs = issuedAt(idToken);
  if (typeof issuedMs === 'string') return refusal(issuedMs);
  if (issuedMs > now.getTime() + SKEW_MS) return refusal('its token is of the future');
  const verdict = await verifyToken(idToken, [issuer], new Date(issuedMs));
  if (!verdict.ok) return refusal(verdict.reason);
  const { claims, issuer: name, subject } = verdict.token;
  if (claims['nonce'] !== nonceOf(payload))
    return refusal('its token was issued for something else: the nonce is not the digest of the statement');
  const lateMs = issuedMs - statedAt(payload).getTime();
  if (!(lateMs >= -SKEW_MS && lateMs <= MAX_LATE_MS))
    return refusal('its token was not issued when the statement was made');
  return { ok: true, issuer: name, subject, payload };
}

const refusal = (reason: string): LoginVerdict => ({ ok: false, reason });

/** The time at which a token says that it was issued, in milliseconds, or why it says none. */
function issuedAt(token: string): number | string {
  try {
    const { iat } = readCompact(token).payload;
    return typeof iat === 'number' && Number.isSafeInteger(iat) ? iat * 1000 : 'its token says no time';
  } catch (error) {
    if (error instanceof TokenRefusal) return error.message;
    throw error;
  }
}
