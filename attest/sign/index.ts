// SPDX-License-Identifier: Apache-2.0
// Signing: a key becomes a Signer (key.ts from PEM, unlock.ts and cosign_key.ts from what is encrypted, kms/ where it never leaves
// a service; source.ts says which), a Statement becomes a DSSE envelope (envelope.ts). Statements are opaque bytes here.
export {
  type Envelope,
  MAX_STATEMENT_BYTES,
  PAYLOAD_TYPE,
  preAuthEncoding,
  signStatement,
} from './envelope.ts';
export {
  generateKeyPair,
  type KeyAlgorithm,
  type PublicKey,
  readPublicKey,
  readSigner,
  refuseForRecords,
  type Signer,
} from './key.ts';
export { isKeyUri, openSigner, type SigningKey } from './source.ts';
export { type AskPassword, unlockKey } from './unlock.ts';
