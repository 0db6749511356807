// SPDX-License-Identifier: Apache-2.0
// Verification as a straight line (record.ts): shape and caps (shape.ts, json.ts), the key that the reader trusts (signer.ts), the
// signature and the proofs (sigstore.ts, the library), what the library leaves out (entry.ts), the Statement (statement.ts).

export {
  type AttestationQuestion,
  type AttestationVerdict,
  type AttestedDigest,
  type Claim,
  type ClaimSigner,
  verifyAttestation,
} from './attestation.ts';
export { type CacheLimits, openVerdictCache, type VerdictCache } from './cache.ts';
export {
  type EnvelopeQuestion,
  type EnvelopeVerdict,
  type VerifiedEnvelope,
  verifyEnvelope,
} from './envelope.ts';
export { type QuorumVerdict, verifyQuorum } from './quorum.ts';
export { type RecordQuestion, type RecordVerdict, type Verified, verifyRecord } from './record.ts';
export type { RefusalCode } from './refusal.ts';
export type { Subject } from './statement.ts';
