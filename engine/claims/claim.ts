// SPDX-License-Identifier: Apache-2.0
import { parseStrict } from '../../attest/json.ts';
import { EngineError } from '../error.ts';
import type { JsonObject, JsonValue } from '../manifest/document.ts';
import { canonicalText, exactText, parseExact } from '../record/canonical.ts';
import { Malformed } from './malformed.ts';
import { at, listAt, textAt } from './member.ts';
import { normalize } from './predicates.ts';

/** Who signed, as the verifier proved it. */
export interface ClaimSigner {
  readonly kind: 'keyless' | 'key' | 'login';
  /** The name under which the Project trusts this signer. */
  readonly name?: string;
  readonly issuer?: string;
  readonly identity?: string;
  readonly keyId?: string;
  /** What the certificate says of the build, by member (`sourceRepositoryRef`, …). */
  readonly build?: Readonly<Partial<Record<string, string>>>;
}

/** What the verifier proved of a statement. */
export interface ClaimProof {
  /** The image that the claim is wanted about: `sha256:<hex>`. */
  readonly subject: string;
  /** Of the signed bytes, `sha256:<hex>`: a record names what it rested on by this. */
  readonly digest: string;
  readonly signer: ClaimSigner;
  /** When it was signed, where a log or a timestamp authority says so: RFC 3339 in UTC. */
  readonly at?: string;
}

/** A fact proved about one subject, in the form of `input.claims`. */
export interface Claim extends ClaimProof {
  readonly predicateType: string;
  /** Whether the type is one that is read; only then is there a normalised form. */
  readonly known: boolean;
  readonly normalized?: JsonObject;
  /** The whole claim as canonical JSON, integers of the predicate exact. */
  readonly text: string;
}

/** Why a statement whose signature holds is no claim. */
export type ClaimRefusalCode = 'STATEMENT' | 'SUBJECT' | 'SIZE' | 'PREDICATE';

/** A claim, or why there is none; a refusal is an answer, not an error. */
export type ClaimVerdict =
  | { readonly ok: true; readonly claim: Claim }
  | { readonly ok: false; readonly code: ClaimRefusalCode; readonly reason: string };

/** The largest statement that is read: what an SBOM of some ten thousand packages takes. */
export const MAX_STATEMENT_BYTES = 4 * 1024 * 1024;
const MAX_CLAIMS = 1_024;
// GitLab's runner and early cosign write v0.1, whose members are the same.
const STATEMENT_TYPES: ReadonlySet<string> = new Set([
  'https://in-toto.io/Statement/v1',
  'https://in-toto.io/Statement/v0.1',
]);

const refuse = (code: ClaimRefusalCode, reason: string): ClaimVerdict => ({ ok: false, code, reason });

/**
 * Reads the signed bytes of an in-toto Statement into a claim about one subject. Never throws for anything that the bytes hold.
 *
 * Shape: `statement` is signed, its signature was verified, and its signer may still have written anything. A predicate of a known
 * type that is not what the type says is refused: as something unknown it would be passed on (cosign CVE-2026-39395).
 */
export function readClaim(statement: Uint8Array, proof: ClaimProof): ClaimVerdict {
  if (statement.length > MAX_STATEMENT_BYTES)
    return refuse('SIZE', `the statement has ${statement.length} bytes, more than ${MAX_STATEMENT_BYTES}`);
  const stated = parse(statement);
  const predicateType = textAt(stated, 'predicateType');
  // One that is not there is there and empty. @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
  const predicate = at(stated, 'predicate') ?? {};
  if (!STATEMENT_TYPES.has(textAt(stated, '_type') ?? '') || predicateType === undefined)
    return refuse('STATEMENT', 'this is no in-toto Statement, or one of its objects has a key twice');
  if (!isAbout(stated, proof.subject))
    return refuse('SUBJECT', `the statement is not about ${JSON.stringify(proof.subject)}`);
  if (typeof predicate !== 'object' || Array.isArray(predicate))
    return refuse('PREDICATE', `the predicate of type ${quoted(predicateType)} is no object`);
  try {
    return { ok: true, claim: claimOf(predicateType, predicate, proof) };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return refuse('PREDICATE', `the predicate is not of its type ${quoted(predicateType)}: ${error.message}`);
  }
}

/** Undefined for what is no JSON, has a key twice, or a number that no double can hold. */
function parse(bytes: Uint8Array): unknown {
  const strict = parseStrict(bytes);
  if (strict === undefined || isExact(strict.value)) return strict?.value;
  try {
    return parseExact(bytes);
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}

/** Whether every number is the one that was written, so that the value is plain JSON. */
function isExact(value: unknown): value is JsonValue {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  if (Array.isArray(value)) return value.every(isExact);
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isExact);
  return typeof value !== 'bigint';
}

function isAbout(statement: unknown, subject: string): boolean {
  const [algorithm, digest] = subject.split(':', 2);
  return (
    algorithm === 'sha256' &&
    /^[0-9a-f]{64}$/.test(digest ?? '') &&
    listAt(statement, 'subject').some((one) => textAt(one, 'digest', 'sha256') === digest)
  );
}

function claimOf(predicateType: string, predicate: object, proof: ClaimProof): Claim {
  const { subject, digest, signer, at } = proof;
  const normalized = normalize(predicateType, predicate);
  const claim = {
    subject,
    digest,
    predicateType,
    signer,
    known: normalized !== undefined,
    ...(at === undefined ? {} : { at }),
    ...(normalized === undefined ? {} : { normalized }),
  };
  const whole: unknown = { ...claim, predicate };
  return { ...claim, text: isExact(whole) ? canonicalText(whole) : exactText(whole) };
}

const quoted = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);

/**
 * `input.claims` as canonical JSON text: each claim once, in the order of their texts, so that the order in which they were found
 * changes no digest.
 * @throws {EngineError} INPUT_TOO_LARGE for more than 1,024
 */
export function claimsText(claims: readonly Claim[]): string {
  const texts = [...new Set(claims.map(({ text }) => text))].sort();
  if (texts.length > MAX_CLAIMS)
    throw new EngineError('INPUT_TOO_LARGE', `there are ${texts.length} claims, more than ${MAX_CLAIMS}`);
  return `[${texts.join(',')}]`;
}
