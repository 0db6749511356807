// SPDX-License-Identifier: Apache-2.0
import type { KeyUse, LoadedKey } from './trust.ts';

/** An identity as a certificate has it: the exact text, or a pattern that must be written as one. */
export type IdentityPattern = string | { readonly glob: string };

/**
 * Whom a reader believes: an identity that an issuer vouches for, or a key. `name` is who that is to the reader: a person or a pipeline.
 * Several signers of one name are one person, with one vote of a quorum.
 */
export type SignerPolicy = KeylessSigner | KeySigner;

/** An identity of Fulcio's: issuer and identity are compared as whole strings, both always. */
export interface KeylessSigner {
  readonly kind: 'keyless';
  readonly name: string;
  /** URL of the OpenID provider, exact. */
  readonly issuer: string;
  readonly identity: IdentityPattern;
}

/** A key of a trust file, and what it must be trusted for. */
export interface KeySigner {
  readonly kind: 'key';
  readonly name: string;
  readonly key: LoadedKey;
  readonly use: KeyUse;
  /** Absent: the caller compares what a statement says of itself with the key's environments. */
  readonly environment?: string;
}
