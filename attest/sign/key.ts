// SPDX-License-Identifier: Apache-2.0
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
} from 'node:crypto';
import { AttestError } from '../error.ts';

/** A public key with the name by which records point at it. */
export interface PublicKey {
  /** Base64 SHA-256 of the public key's SPKI DER, which bundles carry as a hint. */
  readonly keyId: string;
  readonly publicKeyPem: string;
  readonly publicKeyDer: Buffer;
}

/** Who signs: one ECDSA P-256 key, whose private half cannot be read back from it. */
export interface Signer extends PublicKey {
  /** DER-encoded ECDSA signature over the SHA-256 of `bytes`. */
  sign(bytes: Uint8Array): Promise<Buffer>;
}

/** Makes a key pair: PKCS#8 and SPKI, PEM, not encrypted. */
export function generateKeyPair(): { readonly privateKeyPem: string; readonly publicKeyPem: string } {
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { privateKeyPem: pair.privateKey, publicKeyPem: pair.publicKey };
}

const WANTED =
  'records are signed with ECDSA P-256: make a key with countersign init, or openssl ecparam -name prime256v1 -genkey -noout';

/**
 * Reads a private key from PEM (PKCS#8 or SEC 1).
 * @throws {AttestError} KEY_UNREADABLE (no PEM key) | KEY_KIND (public, encrypted, or not ECDSA P-256)
 */
export function readSigner(pem: string): Signer {
  if (/-----BEGIN (?:CERTIFICATE|PUBLIC KEY)-----/.test(pem)) {
    throw new AttestError('KEY_KIND', 'this is a public key, not a private one', {
      hint: 'give the private key that belongs to it',
    });
  }
  if (/ENCRYPTED/.test(pem)) {
    throw new AttestError('KEY_KIND', 'the private key is encrypted', {
      hint: 'decrypt it into a file that only this job can read',
    });
  }
  const key = parse(pem, createPrivateKey, 'private');
  const publicKey = describe(createPublicKey(key));
  return { ...publicKey, sign: async (bytes) => sign('sha256', bytes, key) };
}

/**
 * Reads a public key from PEM (SubjectPublicKeyInfo).
 * @throws {AttestError} KEY_UNREADABLE (no PEM key) | KEY_KIND (private, a certificate, or not ECDSA P-256)
 */
export function readPublicKey(pem: string): PublicKey & { readonly key: KeyObject } {
  // The parser would derive the public key of a private one in silence; a private key has no business among public ones.
  if (/PRIVATE KEY-----/.test(pem)) {
    throw new AttestError('KEY_KIND', 'this is a private key, not a public one', {
      hint: 'give the public half only, and replace this key if others could read it',
    });
  }
  // Nor is the key of a certificate taken, whose dates and issuer nobody would look at.
  if (/-----BEGIN CERTIFICATE-----/.test(pem)) {
    throw new AttestError('KEY_KIND', 'this is a certificate, not a public key', {
      hint: 'take the key out of it: openssl x509 -pubkey -noout -in CERTIFICATE',
    });
  }
  const key = parse(pem, createPublicKey, 'public');
  return { ...describe(key), key };
}

function parse(pem: string, read: (pem: string) => KeyObject, half: 'private' | 'public'): KeyObject {
  const key = attempt(() => read(pem));
  // No cause: what the parser says of a key is not for a log.
  if (key === undefined)
    throw new AttestError('KEY_UNREADABLE', `the ${half} key cannot be read as PEM`, { hint: WANTED });
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new AttestError('KEY_KIND', `the ${half} key is ${kindOf(key)}, not ECDSA P-256`, { hint: WANTED });
  return key;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function describe(key: KeyObject): PublicKey {
  const publicKeyDer = key.export({ type: 'spki', format: 'der' });
  const publicKeyPem = key.export({ type: 'spki', format: 'pem' }).toString();
  return { keyId: hash('sha256', publicKeyDer, 'base64'), publicKeyPem, publicKeyDer };
}

function kindOf(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return JSON.stringify(
    curve === undefined ? (key.asymmetricKeyType ?? 'unknown') : `${key.asymmetricKeyType} ${curve}`,
  );
}
