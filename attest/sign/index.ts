// SPDX-License-Identifier: Apache-2.0
// Signing with a key file: a key is read once into a Signer, a Statement becomes a DSSE envelope. Statements are opaque bytes here.
export {
  type Envelope,
  MAX_STATEMENT_BYTES,
  PAYLOAD_TYPE,
  preAuthEncoding,
  signStatement,
} from './envelope.ts';
export { generateKeyPair, type PublicKey, readPublicKey, readSigner, type Signer } from './key.ts';
