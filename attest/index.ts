// SPDX-License-Identifier: Apache-2.0
// The proof: signatures, identities, envelopes and the ledger. Statements are opaque here, and nothing knows of policies.
// inputs/ keeps what was evaluated beside it; sign/ makes DSSE envelopes, ledger/ appends them to a log in Sigstore's own format (log/ is that format), trust/ says whom a
// reader believes, verify/ reads a record straight through: shape, signature, key, log entry, Statement.
export { AttestError, type AttestErrorCode } from './error.ts';
export { type Inputs, type Item, type Keeper, type KeptRow, openInputs, openKeeper } from './inputs/index.ts';
export { type Audit, auditLedger, type Fault } from './ledger/audit/index.ts';
export {
  type Bundle,
  type Ledger,
  openLedger,
  openRecorder,
  type Recorder,
  watchLedger,
} from './ledger/index.ts';
export {
  type Destination,
  openPublisher,
  type Published,
  type Publisher,
  readAddress,
  type Tiles,
  writeTiles,
} from './ledger/publish/index.ts';
export {
  checkpointOf,
  openFileRows,
  openReader,
  type Reader,
  type Row,
  type Rows,
  type SignedCheckpoint,
} from './ledger/reading/index.ts';
export {
  openSearch,
  type Page,
  type Query,
  type Search,
  type Term,
  type Terms,
  type TermsOf,
} from './ledger/search/index.ts';
export { openSpool, type SpoolEvent, type SpoolingRecorder } from './ledger/spool/index.ts';
export { isSignedBy, readCheckpoint, readWitness, type TrustedRoot, type Witness } from './log/index.ts';
export {
  type AskPassword,
  type AttestedSubject,
  type Envelope,
  generateKeyPair,
  isKeyUri,
  makeStatement,
  openSigner,
  readSigner,
  refuseForRecords,
  type SignedBundle,
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
  PUBLIC_MIRROR,
  parseTrust,
  type Quorum,
  type RefreshOptions,
  readQuorum,
  readSigstoreTrust,
  readTrust,
  refreshTrust,
  type SignerPolicy,
  type SigstoreTrust,
  signersFor,
  type Trust,
  type TrustedIdentity,
  type TrustedKey,
  type TufRepository,
} from './trust/index.ts';
export {
  type AttestationQuestion,
  type AttestationVerdict,
  type AttestedDigest,
  type CacheLimits,
  type Claim,
  type ClaimSigner,
  type EnvelopeVerdict,
  openVerdictCache,
  type QuorumVerdict,
  type RecordVerdict,
  type RefusalCode,
  type VerdictCache,
  type Verified,
  verifyAttestation,
  verifyEnvelope,
  verifyQuorum,
  verifyRecord,
} from './verify/index.ts';
