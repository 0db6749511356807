// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';

/** When something is valid; both ends belong to it. */
export interface Validity {
  readonly start: Date;
  readonly end?: Date;
}

/** A log of a trusted root: of signatures, or of certificates. */
export interface SigstoreLog {
  readonly baseUrl: string;
  /** Of `baseUrl`: the name under which it signs checkpoints. */
  readonly host: string;
  /** By which entries and certificates point at it. */
  readonly id: Buffer;
  readonly key: KeyObject;
  readonly validity: Validity;
}

/** A certificate authority of a trusted root, or a timestamp authority; the chain is DER, from the issuing certificate to the root. */
export interface SigstoreAuthority {
  readonly chain: readonly Buffer[];
  readonly validity: Validity;
}

/** A Sigstore instance that the reader trusts, validated. */
export interface SigstoreTrust {
  readonly logs: readonly SigstoreLog[];
  readonly certificateLogs: readonly SigstoreLog[];
  readonly certificateAuthorities: readonly SigstoreAuthority[];
  readonly timestampAuthorities: readonly SigstoreAuthority[];
  /** `sha256:<hex>` of the bytes it was read from. */
  readonly digest: string;
}
