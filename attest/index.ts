// SPDX-License-Identifier: Apache-2.0
// The proof: signatures, identities, envelopes and the ledger. Statements are opaque here, and nothing knows of policies.
// inputs/ keeps what was evaluated beside it; sign/ makes DSSE envelopes, ledger/ appends them to a log in Sigstore's own format (log/ is that format), trust/ says whom a
// reader believes, verify/ reads a record straight through: shape, signature, key, log entry, Statement.
export { AttestError, type AttestErrorCode } from './error.ts';
export { type Inputs, type Item, type Keeper, type KeptRow, openInputs, openKeeper } from './inputs/index.ts';
export {
  type Bundle,
  type Ledger,
  openLedger,
  openRecorder,
  type Recorder,
  watchLedger,
} from './ledger/index.ts';
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
