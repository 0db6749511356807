// SPDX-License-Identifier: Apache-2.0
// Whom a reader believes: named keys by use, environment and time, and logs by their trusted roots. Strict: an unknown member, a
// private key, a key listed twice or a date that is none is an error, as each could hide a limit that was meant.

export { type Quorum, readQuorum } from './quorum.ts';
export {
  isIdentity,
  type KeylessSigner,
  type KeySigner,
  keylessSigner,
  keySigner,
  type SignerPolicy,
  type StatedIdentity,
  signersFor,
} from './signers.ts';
export {
  checkCurrent,
  NO_SIGSTORE,
  readSigstoreTrust,
  type SigstoreAuthority,
  type SigstoreLog,
  type SigstoreTrust,
  type Validity,
} from './sigstore.ts';
export {
  type KeyUse,
  type LoadedKey,
  parseTrust,
  readTrust,
  type Trust,
  type TrustedIdentity,
  type TrustedKey,
  type TrustedLog,
} from './trust.ts';
export {
  type FetchedRoot,
  PUBLIC_MIRROR,
  type RefreshOptions,
  refreshRoot,
  refreshTrust,
  type TufRepository,
} from './tuf.ts';
