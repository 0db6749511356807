// SPDX-License-Identifier: Apache-2.0
// Signing: a key becomes a Signer (key.ts from PEM, unlock.ts and cosign_key.ts from what is encrypted, kms/ where it never leaves
// a service; source.ts says which); a predicate becomes a Statement (statement.ts), a Statement, opaque from then on, a DSSE envelope
// (envelope.ts), and either this or an artefact a Sigstore bundle (bundle.ts).
export { BUNDLE_MEDIA_TYPE, type SignedBundle, signArtefact, signAttestation } from './bundle.ts';
export {
  type Envelope,
  MAX_STATEMENT_BYTES,
  PAYLOAD_TYPE,
  preAuthEncoding,
  signStatement,
} from './envelope.ts';
export {
  ALGORITHMS,
  generateKeyPair,
  type KeyAlgorithm,
  type PublicKey,
  readPublicKey,
  readSigner,
  refuseForRecords,
  type Signer,
} from './key.ts';
export { isKeyUri, openSigner, type SigningKey } from './source.ts';
export { type AttestedSubject, makeStatement } from './statement.ts';
export { type AskPassword, unlockKey } from './unlock.ts';
