// SPDX-License-Identifier: Apache-2.0
// The proof: signatures, identities, envelopes and the ledger. Statements are opaque here, and nothing knows of policies.
// sign/ makes DSSE envelopes, ledger/ appends them to a log in Sigstore's own format (log/ is that format), trust/ says whom a
// reader believes, verify/ reads a record straight through: shape, signature, key, log entry, Statement.
export { AttestError, type AttestErrorCode } from './error.ts';
export {
  type Bundle,
  type Ledger,
  openLedger,
  openRecorder,
  type Recorder,
  watchLedger,
} from './ledger/index.ts';
export {
  type AskPassword,
  type AttestedSubject,
  type Envelope,
  generateKeyPair,
  isKeyUri,
  type KeyBundle,
  makeStatement,
  openSigner,
  readSigner,
  refuseForRecords,
  type Signer,
  type SigningKey,
  signArtefact,
  signAttestation,
  signStatement,
  unlockKey,
} from './sign/index.ts';
export {
  type KeylessSigner,
  type KeySigner,
  keylessSigner,
  keySigner,
  NO_SIGSTORE,
  parseTrust,
  readSigstoreTrust,
  readTrust,
  type SignerPolicy,
  type SigstoreTrust,
  signersFor,
  type Trust,
  type TrustedIdentity,
  type TrustedKey,
} from './trust/index.ts';
export {
  type AttestationQuestion,
  type AttestationVerdict,
  type AttestedDigest,
  type Claim,
  type ClaimSigner,
  type EnvelopeVerdict,
  type RecordVerdict,
  type RefusalCode,
  type Verified,
  type VerifyAttestation,
  verifyEnvelope,
  verifyRecord,
} from './verify/index.ts';
