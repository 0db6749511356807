// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import { ALGORITHMS, readPublicKey } from '../sign/index.ts';
import { type Glob, isMatch, readGlob } from './glob.ts';
import type { KeyUse, LoadedKey, Trust } from './trust.ts';

/**
 * Whom a reader believes: an identity that an issuer vouches for, or a key. `name` is who that is to the reader: a person or a pipeline.
 * Several signers of one name are one person, with one vote of a quorum.
 */
export type SignerPolicy = KeylessSigner | KeySigner;

/** An identity that a certificate names: issuer and identity are compared as whole strings, both always. */
export interface KeylessSigner {
  readonly kind: 'keyless';
  readonly name: string;
  /** URL of the OpenID provider, exact. */
  readonly issuer: string;
  readonly identity: string | Glob;
}

/** A key; its dates are judged by verified times of signing only. */
export interface KeySigner {
  readonly kind: 'key';
  readonly name: string;
  readonly key: LoadedKey;
}

/** An identity as a file states it: the exact text, or a pattern that must be written as one. */
export type StatedIdentity = string | { readonly glob: string };

/**
 * Makes the policy for one identity. Neither part may be missing, and neither is a pattern unless it says so: an empty text, `*` or
 * `.*` would be everybody.
 * @throws {AttestError} TRUST_SHAPE
 */
export function keylessSigner(stated: {
  readonly name: string;
  readonly issuer: string;
  readonly identity: StatedIdentity;
}): KeylessSigner {
  const { name, issuer, identity } = stated;
  if (!/^https:\/\/[^\s*/]+(?:\/[^\s*]*)?$/.test(issuer))
    throw shape(`the issuer ${JSON.stringify(issuer)} is no https URL`);
  if (typeof identity !== 'string')
    return { kind: 'keyless', name, issuer, identity: readGlob(identity.glob) };
  if (identity.trim() === '' || identity.includes('*'))
    throw shape(`the identity ${JSON.stringify(identity)} is not one exact text`);
  return { kind: 'keyless', name, issuer, identity };
}

/** Makes the policy for one public key in PEM, ECDSA P-256 or Ed25519, with no dates. @throws {AttestError} KEY_UNREADABLE | KEY_KIND */
export function keySigner(name: string, pem: string): KeySigner {
  const { key, keyId, publicKeyDer } = readPublicKey(pem, ALGORITHMS);
  const loaded = { name, uses: [], environments: [], publicKey: pem, key, der: publicKeyDer, id: keyId };
  return { kind: 'key', name, key: loaded };
}

/** The signers of a trust file that are trusted for this use in this environment; without one, those that are trusted in all. */
export function signersFor(
  trust: Trust,
  { use, environment }: { readonly use: KeyUse; readonly environment: string | undefined },
): SignerPolicy[] {
  const isFor = ({ uses, environments }: Scope): boolean =>
    uses.includes(use) &&
    (environments.includes('*') || (environment !== undefined && environments.includes(environment)));
  const keys = trust.keys
    .filter(isFor)
    .map((key) => ({ kind: 'key' as const, name: key.person ?? key.name, key }));
  const identities = trust.identities
    .filter(isFor)
    .map(({ person, name, issuer, identity }) => keylessSigner({ name: person ?? name, issuer, identity }));
  return [...keys, ...identities];
}

interface Scope {
  readonly uses: readonly KeyUse[];
  readonly environments: readonly string[];
}

/** Whether an identity of a certificate is the one that is meant. */
export function isIdentity(policy: KeylessSigner, issuer: string, identity: string): boolean {
  if (policy.issuer !== issuer) return false;
  return typeof policy.identity === 'string'
    ? policy.identity === identity
    : isMatch(policy.identity, identity);
}

const shape = (message: string): AttestError =>
  new AttestError('TRUST_SHAPE', message, {
    hint: 'state issuer and identity exactly; a pattern is written {"glob": "https://host/owner/…"}',
  });
