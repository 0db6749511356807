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

/** Who signs: one ECDSA P-256 key. */
export interface Signer {
  /** Base64 SHA-256 of the public key's SPKI DER, which bundles carry as a hint. */
  readonly keyId: string;
  readonly publicKeyPem: string;
  readonly publicKeyDer: Buffer;
  /** DER-encoded ECDSA signature over the SHA-256 of `bytes`. */
  sign(bytes: Uint8Array): Buffer;
}

/** Makes a key pair: PKCS#8 and SPKI, PEM. */
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
 * @throws {AttestError} KEY_UNREADABLE | KEY_KIND
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
  const key = readPrivate(pem);
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new AttestError('KEY_KIND', `the private key is ${kindOf(key)}, not ECDSA P-256`, { hint: WANTED });
  }
  const publicKey = createPublicKey(key);
  const publicKeyDer = publicKey.export({ type: 'spki', format: 'der' });
  return {
    keyId: hash('sha256', publicKeyDer, 'base64'),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    publicKeyDer,
    sign: (bytes) => sign('sha256', bytes, key),
  };
}

function readPrivate(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new AttestError('KEY_UNREADABLE', 'the private key cannot be read as PEM', { cause, hint: WANTED });
  }
}

function kindOf(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return JSON.stringify(
    curve === undefined ? (key.asymmetricKeyType ?? 'unknown') : `${key.asymmetricKeyType} ${curve}`,
  );
}
