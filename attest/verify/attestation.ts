// SPDX-License-Identifier: Apache-2.0

import { hash } from 'node:crypto';
import { PAYLOAD_TYPE } from '../sign/index.ts';
import { checkCurrent, type SignerPolicy, type SigstoreTrust } from '../trust/index.ts';
import type { CertifiedBuild } from './bundle/build.ts';
import { type BundleParts, readParts } from './bundle/parts.ts';
import { proveSigner } from './bundle/signer.ts';
import { readForeignStatement } from './bundle/statement.ts';
import { quoted, Refusal, type RefusalCode, refuse } from './refusal.ts';

/** What a bundle must be about, by digest only; names prove nothing. `digest` is lower-case hexadecimal. */
export interface AttestedDigest {
  readonly algorithm: 'sha256' | 'sha384' | 'sha512';
  readonly digest: string;
}

/** What the reader asks of one bundle. Nothing here weakens by absence, but for what is said below. */
export interface AttestationQuestion {
  /** A validated trusted root; with keys only, one without authorities (`readSigstoreTrust`). */
  readonly trust: SigstoreTrust;
  /** Any of them may have signed; with none of them, nothing verifies. */
  readonly signers: readonly SignerPolicy[];
  readonly subject: AttestedDigest;
  /** The bytes that `subject` is the digest of. A message signature is over them, so without them it cannot be verified (`ARTIFACT`). */
  readonly artifact?: Uint8Array;
  /** The type that the signed Statement must have. Absent: any, and the claim tells which. With one, a message signature is refused. */
  readonly predicateType?: string;
  /** Whether a trusted log must hold the signature. Where not, a certificate still needs an RFC 3161 timestamp. */
  readonly requireLog: boolean;
  /** Proofs from later than this plus five minutes are refused. It never makes a certificate or a key valid. */
  readonly now: Date;
  /** The oldest signature that is taken, in milliseconds before `now`, by verified times only. Absent: any age. */
  readonly maxAgeMs?: number;
}

/** Who signed, as the proof has it. `name` is the reader's own name for the signer ({@link SignerPolicy}). */
export type ClaimSigner =
  | {
      readonly kind: 'keyless';
      readonly name: string;
      readonly issuer: string;
      readonly identity: string;
      /** What the certificate says of the build; absent where it says nothing. */
      readonly build?: CertifiedBuild;
    }
  | { readonly kind: 'key'; readonly name: string; readonly keyId: string };

/** A fact that is proved about a digest: who signed what. Everything in it was compared or comes from signed bytes. */
export interface Claim {
  /** `<algorithm>:<hex>`, the digest that was asked about. */
  readonly subject: string;
  /** Of the signed Statement; absent for a message signature, which says nothing but that these bytes were signed. */
  readonly predicateType?: string;
  /**
   * The predicate as JSON; null where the Statement has none. A number that a double cannot hold is a `JSON.rawJSON` object, so that
   * `JSON.stringify` writes it exactly. Absent for a message signature.
   */
  readonly predicate?: unknown;
  /** The signed bytes of the Statement, for those who read them exactly; empty for a message signature. */
  readonly payload: Uint8Array;
  /** `sha256:<hex>` of the payload; for a message signature, the subject. */
  readonly payloadDigest: string;
  readonly signer: ClaimSigner;
  /** The earliest verified time of signing, RFC 3339 in UTC: of a log's promise or an RFC 3161 timestamp. Absent where there is none. */
  readonly at?: string;
}

/** Whether a bundle proves what was asked. A refusal is an answer; that there can be no answer is an AttestError. */
export type AttestationVerdict =
  | { readonly verified: true; readonly claim: Claim }
  | { readonly verified: false; readonly code: RefusalCode; readonly message: string };

/** The most that the clock of a log or an authority may be ahead of ours, in milliseconds. */
const MAX_SKEW_MS = 5 * 60 * 1_000;

/**
 * Verifies one Sigstore bundle, v0.1 to v0.3, and says what it proves about `subject`: shape and caps, who signed, every proof of a log
 * or of a time, then the signed Statement. All of it offline, and nothing that the bundle brings along is trusted.
 *
 * Shape: `bytes` are untrusted, at most 16 MiB of JSON. Nothing that they hold makes it throw.
 * Time: certificates and keys are judged at the verified times of signing, never at `now`.
 * @throws {AttestError} TRUST_EXPIRED
 * @see https://docs.sigstore.dev/about/bundle/
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function verifyAttestation(bytes: Uint8Array, question: AttestationQuestion): AttestationVerdict {
  checkCurrent(question.trust, question.now);
  try {
    return { verified: true, claim: prove(bytes, question) };
  } catch (error) {
    if (error instanceof Refusal) return { verified: false, code: error.code, message: error.message };
    throw error;
  }
}

function prove(bytes: Uint8Array, question: AttestationQuestion): Claim {
  const parts = readParts(bytes) ?? refuse('SHAPE', 'this is no Sigstore bundle v0.1, v0.2 or v0.3');
  checkArtifact(parts.content, question);
  const { signer, times } = proveSigner(parts, question);
  const at = firstOf(times);
  checkAge(times, at, question);
  return {
    ...contentOf(parts.content, question),
    signer,
    ...(at === undefined ? {} : { at: at.toISOString() }),
  };
}

/**
 * The earliest: what existed then was signed by then. A later one proves nothing more, as anybody can have an old signature stamped
 * again.
 */
const firstOf = (times: readonly Date[]): Date | undefined =>
  times.toSorted((a, b) => a.getTime() - b.getTime())[0];

function checkAge(
  times: readonly Date[],
  at: Date | undefined,
  { now, maxAgeMs }: AttestationQuestion,
): void {
  const early = times.find((time) => time.getTime() > now.getTime() + MAX_SKEW_MS);
  if (early !== undefined)
    refuse('TIMESTAMP', `the time of signing, ${early.toISOString()}, has yet to come`);
  if (maxAgeMs === undefined) return;
  if (at === undefined) refuse('AGE', 'no time of signing was proved, so the age is not known');
  if (now.getTime() - at.getTime() > maxAgeMs)
    refuse('AGE', `it was signed at ${at.toISOString()}, too long ago`);
}

/** The digest that a message signature is about has to be that of the artifact, and the artifact the one that is asked about. */
function checkArtifact(content: BundleParts['content'], { artifact, subject }: AttestationQuestion): void {
  if (artifact !== undefined && hash(subject.algorithm, artifact) !== subject.digest)
    refuse('SUBJECT', 'the artifact has another digest than the one that was asked about');
  if (content.kind === 'envelope') return;
  if (artifact === undefined)
    refuse('ARTIFACT', 'the signature is over the bytes of a file, which were not given');
  if (!content.digest.equals(hash(content.algorithm, artifact, 'buffer')))
    refuse('SUBJECT', 'the signature is about another file');
}

type Signed = Pick<Claim, 'subject' | 'predicateType' | 'predicate' | 'payload' | 'payloadDigest'>;

/** What was signed: only now is it known that somebody trusted did. */
function contentOf(content: BundleParts['content'], { subject, predicateType }: AttestationQuestion): Signed {
  const about = `${subject.algorithm}:${subject.digest}`;
  if (content.kind === 'message') {
    // A signature over bytes says nothing of them; whoever asks for a type asks for a Statement (cosign CVE-2022-35929).
    if (predicateType !== undefined)
      refuse('PREDICATE_TYPE', 'the bundle signs a file and says nothing of it');
    return { subject: about, payload: new Uint8Array(), payloadDigest: about };
  }
  const { payload, payloadType } = content;
  if (payloadType !== PAYLOAD_TYPE) refuse('PAYLOAD_TYPE', `the payload type is ${quoted(payloadType)}`);
  const statement =
    readForeignStatement(payload) ?? refuse('STATEMENT', 'the payload is no in-toto Statement v1 or v0.1');
  if (predicateType !== undefined && statement.predicateType !== predicateType)
    refuse('PREDICATE_TYPE', `the statement is of type ${quoted(statement.predicateType)}`);
  const isAbout = statement.subjects.some(
    (digests) => Object.hasOwn(digests, subject.algorithm) && digests[subject.algorithm] === subject.digest,
  );
  if (!isAbout) refuse('SUBJECT', `the statement is not about ${about}`);
  return {
    subject: about,
    predicateType: statement.predicateType,
    predicate: statement.predicate,
    payload,
    payloadDigest: `sha256:${hash('sha256', payload)}`,
  };
}
