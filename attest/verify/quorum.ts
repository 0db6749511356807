// SPDX-License-Identifier: Apache-2.0
import type { Quorum } from '../trust/quorum.ts';
import { type AttestationQuestion, type Claim, verifyAttestation } from './attestation.ts';
import type { RefusalCode } from './refusal.ts';

/** Whether enough people signed, and who. */
export interface QuorumVerdict {
  readonly met: boolean;
  /** One of each person who signed, in the order of the bundles. */
  readonly claims: readonly Claim[];
  /** Why the others do not count: by the place of the bundle. */
  readonly refused: readonly {
    readonly index: number;
    readonly code: RefusalCode;
    readonly message: string;
  }[];
}

/**
 * Counts the people of a quorum who signed one of these bundles. Every bundle is verified by itself; what counts is the reader's name
 * for the signer, so that a signature that is sent twice, spelled in another way or made with a second key of the same person is one
 * vote (python-tuf GHSA-pwqf-9h7j-7mv8).
 */
export function verifyQuorum(
  bundles: readonly Uint8Array[],
  { threshold, signers }: Quorum,
  question: Omit<AttestationQuestion, 'signers'>,
): QuorumVerdict {
  const claims = new Map<string, Claim>();
  const refused: QuorumVerdict['refused'][number][] = [];
  for (const [index, bytes] of bundles.entries()) {
    const verdict = verifyAttestation(bytes, { ...question, signers });
    if (!verdict.verified) refused.push({ index, code: verdict.code, message: verdict.message });
    else if (!claims.has(verdict.claim.signer.name)) claims.set(verdict.claim.signer.name, verdict.claim);
  }
  // A quorum that was not read but made by hand may ask for nobody.
  return { met: threshold >= 1 && claims.size >= threshold, claims: [...claims.values()], refused };
}
