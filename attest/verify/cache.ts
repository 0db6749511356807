// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { SignerPolicy } from '../trust/signers.ts';
import { checkCurrent } from '../trust/sigstore.ts';
import { type AttestationQuestion, type AttestationVerdict, verifyAttestation } from './attestation.ts';

/** Positive verdicts, remembered within this process. */
export interface VerdictCache {
  /** As {@link verifyAttestation}. */
  verify(bytes: Uint8Array, question: AttestationQuestion): AttestationVerdict;
  /** How many verdicts are kept. */
  readonly size: number;
}

/** How much is kept, and for how long a verdict may be used again. */
export interface CacheLimits {
  readonly maxVerdicts: number;
  /** Of the statements that were signed, together. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

interface Kept {
  readonly verdict: AttestationVerdict & { readonly verified: true };
  readonly since: number;
  readonly bytes: number;
}

/**
 * Remembers what verified. The key is all that the verdict depends on: the bytes of the bundle, the digest that was asked about (never
 * a tag, CVE-2026-122321), who may sign, with the dates of keys, and the trusted root. A refusal is not remembered, since what is
 * missing now may be there soon; and what depends on the time of the question is asked anew each time.
 */
export function openVerdictCache({ maxVerdicts, maxBytes, maxAgeMs }: CacheLimits): VerdictCache {
  const kept = new Map<string, Kept>();
  let total = 0;
  const drop = (key: string): void => {
    total -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  };
  const keep = (key: string, entry: Kept): void => {
    if (entry.bytes > maxBytes) return;
    kept.set(key, entry);
    total += entry.bytes;
    for (const oldest of kept.keys()) {
      if (kept.size <= maxVerdicts && total <= maxBytes) break;
      drop(oldest);
    }
  };
  return {
    get size() {
      return kept.size;
    },
    verify(bytes, question) {
      checkCurrent(question.trust, question.now);
      const key = keyOf(bytes, question);
      const now = question.now.getTime();
      const known = kept.get(key);
      drop(key);
      const isFresh = known !== undefined && now >= known.since && now - known.since <= maxAgeMs;
      const verdict =
        isFresh && isStillTrue(known, question) ? known.verdict : verifyAttestation(bytes, question);
      if (!verdict.verified) return verdict;
      const since = isFresh && verdict === known.verdict ? known.since : now;
      keep(key, { verdict, since, bytes: verdict.claim.payload.length });
      return verdict;
    },
  };
}

function keyOf(bytes: Uint8Array, question: AttestationQuestion): string {
  const { subject, artifact, predicateType, requireLog, signers, trust } = question;
  const file = artifact === undefined ? '' : hash('sha256', artifact);
  const asked = [subject.algorithm, subject.digest, file, predicateType ?? '', requireLog, trust.digest];
  return hash('sha256', JSON.stringify([hash('sha256', bytes), asked, signers.map(policyOf)]));
}

function policyOf(signer: SignerPolicy): unknown {
  if (signer.kind === 'keyless') return [signer.name, signer.issuer, signer.identity];
  const { id, notBefore = '', notAfter = '', revokedAt = '' } = signer.key;
  return [signer.name, id, notBefore, notAfter, revokedAt];
}

/** A proof grows old while it is kept. */
function isStillTrue({ verdict }: Kept, { now, maxAgeMs }: AttestationQuestion): boolean {
  const { at } = verdict.claim;
  return maxAgeMs === undefined || (at !== undefined && now.getTime() - Date.parse(at) <= maxAgeMs);
}
