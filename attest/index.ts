// SPDX-License-Identifier: Apache-2.0
// The proof: signatures, identities, envelopes and the ledger. Statements are opaque here, and nothing knows of policies.
// sign/ makes DSSE envelopes, ledger/ appends them to a log in Sigstore's own format (log/ is that format), trust/ says whom a
// reader believes, verify/ reads a record straight through: shape, signature, key, log entry, Statement.
export { AttestError, type AttestErrorCode } from './error.ts';
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
export { type Envelope, generateKeyPair, readSigner, type Signer, signStatement } from './sign/index.ts';
export { parseTrust, readTrust, type Trust, type TrustedKey } from './trust/index.ts';
export {
  type EnvelopeVerdict,
  type RecordVerdict,
  type RefusalCode,
  type Verified,
  verifyEnvelope,
  verifyRecord,
} from './verify/index.ts';
