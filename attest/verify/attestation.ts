// SPDX-License-Identifier: Apache-2.0

import type { SignerPolicy } from '../trust/signers.ts';
import type { SigstoreTrust } from '../trust/sigstore.ts';
import type { RefusalCode } from './refusal.ts';

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
  | { readonly kind: 'keyless'; readonly name: string; readonly issuer: string; readonly identity: string }
  | { readonly kind: 'key'; readonly name: string; readonly keyId: string };

/** A fact that is proved about a digest: who signed what. Everything in it was compared or comes from signed bytes. */
export interface Claim {
  /** `sha256:<hex>`, the digest that was asked about. */
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
  /** `sha256:<hex>` of the payload, or of the artifact for a message signature. */
  readonly payloadDigest: string;
  readonly signer: ClaimSigner;
  /** The latest verified time of signing, RFC 3339 in UTC: from a log's promise or an RFC 3161 timestamp. Absent where none has one. */
  readonly at?: string;
}

/** Whether a bundle proves what was asked. A refusal is an answer; that there can be no answer is an AttestError. */
export type AttestationVerdict =
  | { readonly verified: true; readonly claim: Claim }
  | { readonly verified: false; readonly code: RefusalCode; readonly message: string };

/** The shape of {@link verifyAttestation}, for those who take it as a value. */
export type VerifyAttestation = (bytes: Uint8Array, question: AttestationQuestion) => AttestationVerdict;
