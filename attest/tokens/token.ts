// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { parseStrict } from '../json.ts';
import { verifyJws } from '../jws.ts';
import {
  type CompactToken,
  HEADER_MEMBERS,
  type Members,
  readCompact,
  type TokenAlgorithm,
} from './compact.ts';
import type { Keyring } from './keyring.ts';
import { githubFacts, gitlabFacts, type JobFacts } from './norm.ts';
import { quoted, refuse, TokenRefusal, type TokenRefusalCode } from './refusal.ts';

/** How the claims of an issuer are read. */
export type IssuerKind = 'gitlab' | 'github' | 'generic';

/** One issuer that the reader trusts, with the audience that its tokens must be for. */
export interface TokenIssuer {
  readonly name: string;
  /** Compared with `iss` as text. */
  readonly issuer: string;
  readonly audience: string;
  readonly kind: IssuerKind;
  readonly keyring: Keyring;
}

/** What a token that holds proves. Times are RFC 3339 in UTC. */
export interface VerifiedToken {
  /** The reader's name of the issuer. */
  readonly name: string;
  readonly kind: IssuerKind;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly id?: string;
  readonly keyId: string;
  readonly algorithm: TokenAlgorithm;
  /** `sha256:<hex>` of the token as it was sent: it names the token and is no use to who has not got it. */
  readonly digest: string;
  /** As issued. */
  readonly claims: Members;
  /** Absent for an issuer of no kind that is known. */
  readonly facts?: JobFacts;
}

/** Whether a token holds; a refusal is an answer, not an error. */
export type TokenVerdict =
  | { readonly ok: true; readonly token: VerifiedToken }
  | { readonly ok: false; readonly code: TokenRefusalCode; readonly reason: string };

/** By how much clocks may differ, in milliseconds. */
export const TOKEN_SKEW_MS = 60_000;
/** The longest life of a token: so long an id must be remembered. */
export const MAX_LIFE_MS = 24 * 60 * 60_000;
const MAX_ID = 1_024;

/**
 * Verifies an OIDC id token: shape, header, issuer, key, signature, audience, time, claims. Never throws for anything that `token`
 * holds; the key is chosen by the reader's own list of issuers and, in it, by `kid` as text.
 *
 * Shape: `token` is untrusted. `iss aud exp iat sub` must be there; `aud` must be the one audience and no other.
 * @throws {AttestError} TOKEN_KEYS where the keys of the issuer cannot be had
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export async function verifyToken(
  token: string,
  issuers: readonly TokenIssuer[],
  now: Date,
): Promise<TokenVerdict> {
  try {
    const compact = readCompact(token);
    const issuer = issuerOf(compact.payload, issuers);
    const claims = await verifySignature(token, compact, { issuer, now });
    const digest = `sha256:${hash('sha256', token)}`;
    return { ok: true, token: { ...verified(claims, issuer, now), ...signedWith(compact), digest } };
  } catch (error) {
    if (error instanceof TokenRefusal) return { ok: false, code: error.code, reason: error.message };
    throw error;
  }
}

const signedWith = ({ keyId, algorithm }: CompactToken): Pick<VerifiedToken, 'keyId' | 'algorithm'> => ({
  keyId,
  algorithm,
});

function issuerOf({ iss }: Members, issuers: readonly TokenIssuer[]): TokenIssuer {
  if (typeof iss !== 'string' || iss === '') return refuse('ISSUER', 'the token names no issuer');
  return (
    issuers.find(({ issuer }) => issuer === iss) ?? refuse('ISSUER', `no issuer ${quoted(iss)} is trusted`)
  );
}

async function verifySignature(
  token: string,
  { algorithm, keyId }: CompactToken,
  { issuer, now }: { readonly issuer: TokenIssuer; readonly now: Date },
): Promise<Members> {
  const found =
    (await issuer.keyring.keyOf(keyId, now)) ??
    refuse('KEY_UNKNOWN', `issuer ${JSON.stringify(issuer.name)} has no key ${quoted(keyId)}`);
  if (!found.algorithms.includes(algorithm))
    refuse('ALGORITHM', `key ${quoted(keyId)} is not for ${algorithm}`);
  const answer = await verifyJws(token, { algorithm, key: found.key }, HEADER_MEMBERS);
  if (typeof answer === 'string') return refuse('SIGNATURE', `the token does not hold: ${answer}`);
  // What was signed, and no other reading of the token.
  const value = parseStrict(answer.payload)?.value;
  return Object.fromEntries(Object.entries(Object(value)));
}

function verified(
  claims: Members,
  issuer: TokenIssuer,
  now: Date,
): Omit<VerifiedToken, 'keyId' | 'algorithm' | 'digest'> {
  const { iss, sub, jti } = claims;
  if (iss !== issuer.issuer) refuse('ISSUER', `the token is of issuer ${quoted(iss)}`);
  checkAudience(claims['aud'], issuer.audience);
  const times = checkTimes(claims, now.getTime());
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_ID)
    return refuse('CLAIMS', 'the token names no subject');
  if (jti !== undefined && (typeof jti !== 'string' || jti === '' || jti.length > MAX_ID))
    return refuse('CLAIMS', `the id of the token is ${quoted(jti)}`);
  checkNumbers(claims);
  const facts = factsOf(claims, issuer.kind);
  return {
    name: issuer.name,
    kind: issuer.kind,
    issuer: issuer.issuer,
    subject: sub,
    audience: issuer.audience,
    ...times,
    ...(jti === undefined ? {} : { id: jti }),
    claims,
    ...(facts === undefined ? {} : { facts }),
  };
}

/** A token for others too is one that they could hand on. */
function checkAudience(aud: unknown, audience: string): void {
  const [only, second]: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (only !== audience || second !== undefined)
    refuse('AUDIENCE', `the token is for ${quoted(aud)}, not for ${JSON.stringify(audience)} alone`);
}

function checkTimes(
  { exp, iat, nbf }: Members,
  nowMs: number,
): Pick<VerifiedToken, 'issuedAt' | 'expiresAt'> {
  const [expiresMs, issuedMs] = [msOf('exp', exp), msOf('iat', iat)];
  const beginsMs = nbf === undefined ? issuedMs : msOf('nbf', nbf);
  if (expiresMs <= issuedMs || expiresMs - issuedMs > MAX_LIFE_MS)
    refuse(
      'TIME',
      `the token is made for ${(expiresMs - issuedMs) / 1_000} s, which is not between 1 s and a day`,
    );
  if (nowMs >= expiresMs + TOKEN_SKEW_MS) refuse('TIME', `the token expired at ${iso(expiresMs)}`);
  const startMs = Math.max(issuedMs, beginsMs);
  if (nowMs < startMs - TOKEN_SKEW_MS) refuse('TIME', `the token is not valid before ${iso(startMs)}`);
  return { issuedAt: iso(issuedMs), expiresAt: iso(expiresMs) };
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Whole seconds up to the year 9999. @see https://www.rfc-editor.org/rfc/rfc7519#section-2  NumericDate */
function msOf(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 253_402_300_799)
    return refuse(
      'TIME',
      `the claim ${JSON.stringify(name)} is ${quoted(value)}, which is no time in seconds`,
    );
  return value * 1_000;
}

/** What a double cannot hold would be another number to a rule than the one that was issued. */
function checkNumbers(value: unknown): void {
  if (
    typeof value === 'number' &&
    (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
  )
    refuse('CLAIMS', 'a number in the token is too large');
  if (typeof value === 'object' && value !== null)
    for (const item of Object.values(value)) checkNumbers(item);
}

function factsOf(claims: Members, kind: IssuerKind): JobFacts | undefined {
  if (kind === 'generic') return undefined;
  return kind === 'gitlab' ? gitlabFacts(claims) : githubFacts(claims);
}
