// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { RegistryAccess } from '../oci/session.ts';
import type { SignerPolicy } from '../trust/signers.ts';
import type { SigstoreTrust } from '../trust/sigstore.ts';
import {
  type AttestationQuestion,
  type Claim,
  type RefusalCode,
  verifyAttestation,
} from '../verify/index.ts';
import { type Attachment, type Found, findAttachments, type ImageDigest } from './find.ts';
import { readSimpleSigning } from './simple_signing.ts';

/** The predicate type of a signature over an image, in cosign's newer form; claims of the older form have it too. */
export const COSIGN_SIGN = 'https://sigstore.dev/cosign/sign/v1';

/** What the reader asks about an image. */
export interface ImageQuestion {
  readonly trust: SigstoreTrust;
  /** Any of them may have signed. */
  readonly signers: readonly SignerPolicy[];
  /** Predicate types that are wanted; absent: all of them. */
  readonly types?: readonly string[];
  readonly requireLog: boolean;
  readonly now: Date;
}

/** A claim about an image. */
export interface ImageClaim extends Claim {
  readonly predicateType: string;
  readonly predicate: unknown;
  /** Where it was found, for people. */
  readonly source: string;
}

/** Something attached that does not count, and why; what is foreign in the reason is quoted. */
export interface Refused {
  readonly source: string;
  /** Absent where it was not looked at: nobody signed it. */
  readonly code?: RefusalCode;
  readonly reason: string;
}

/** What is proved about an image. */
export interface Proved {
  readonly claims: readonly ImageClaim[];
  readonly refused: readonly Refused[];
}

/**
 * Finds what is attached to an image and verifies each of it. What does not hold is no claim and is told apart; that a registry does
 * not answer, or lies, is an error.
 * @throws {AttestError} REGISTRY_…
 */
export async function proveImage(
  image: ImageDigest,
  question: ImageQuestion,
  access: RegistryAccess,
): Promise<Proved> {
  return proveFound(await findAttachments(image, access), image, question);
}

/** Verifies what was found. */
export function proveFound(found: Found, { digest }: ImageDigest, question: ImageQuestion): Proved {
  const claims: ImageClaim[] = [];
  const refused: Refused[] = [...found.useless];
  for (const attachment of found.attachments) {
    const { source } = attachment;
    const verdict = proveOne(attachment, digest, question);
    if (verdict.verified) claims.push({ ...verdict.claim, source });
    else refused.push({ source, code: verdict.code, reason: verdict.message });
  }
  return { claims, refused };
}

type Verdict =
  | { readonly verified: true; readonly claim: Omit<ImageClaim, 'source'> }
  | { readonly verified: false; readonly code: RefusalCode; readonly message: string };

function proveOne({ bundle, payload }: Attachment, digest: string, question: ImageQuestion): Verdict {
  const { types, ...common } = question;
  if (payload !== undefined) return proveSignature({ bundle, payload }, digest, question);
  const verdict = verifyAttestation(bundle, { ...common, subject: subjectOf(digest) });
  if (!verdict.verified) return verdict;
  const { predicateType, predicate } = verdict.claim;
  if (predicateType === undefined)
    return {
      verified: false,
      code: 'STATEMENT',
      message: 'it signs the bytes of a file and says nothing of an image',
    };
  return wanted({ ...verdict.claim, predicateType, predicate }, types);
}

/**
 * A signature of cosign's older kind is over a payload that names a digest; which one the registry says nothing of: it is compared
 * here, after the signature.
 */
function proveSignature(
  { bundle, payload }: { readonly bundle: Uint8Array; readonly payload: Uint8Array },
  digest: string,
  { types, ...common }: ImageQuestion,
): Verdict {
  const question: AttestationQuestion = {
    ...common,
    subject: { algorithm: 'sha256', digest: hash('sha256', payload) },
    artifact: payload,
  };
  const verdict = verifyAttestation(bundle, question);
  if (!verdict.verified) return verdict;
  const signed = readSimpleSigning(payload);
  if (signed === undefined)
    return {
      verified: false,
      code: 'STATEMENT',
      message: "what is signed is no image signature of cosign's",
    };
  if (signed.digest !== digest)
    return { verified: false, code: 'SUBJECT', message: `the signature is about ${signed.digest}` };
  const about = { subject: digest, predicateType: COSIGN_SIGN, predicate: signed.optional };
  return wanted({ ...verdict.claim, ...about }, types);
}

/** The type is that of the signed bytes; what a registry writes beside them says nothing (cosign CVE-2022-35929). */
function wanted(claim: Omit<ImageClaim, 'source'>, types: readonly string[] | undefined): Verdict {
  if (types === undefined || types.includes(claim.predicateType)) return { verified: true, claim };
  const message = `the statement is of type ${JSON.stringify(claim.predicateType.slice(0, 120))}`;
  return { verified: false, code: 'PREDICATE_TYPE', message };
}

const subjectOf = (digest: string): AttestationQuestion['subject'] => ({
  algorithm: 'sha256',
  digest: digest.slice('sha256:'.length),
});
