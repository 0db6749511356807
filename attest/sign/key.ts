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

/** How a key signs: ECDSA P-256 over the SHA-256 of the bytes, DER-encoded, or Ed25519 over the bytes. */
export type KeyAlgorithm = 'ecdsa-p256' | 'ed25519';

/** A public key with the names by which signatures point at it. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm;
  /** Base64 SHA-256 of the public key's SPKI DER, which records carry as a hint. */
  readonly keyId: string;
  /** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it; what `sign` and `attest` write as a hint. */
  readonly fingerprint: string;
  readonly publicKeyPem: string;
  readonly publicKeyDer: Buffer;
}

/** An X.509 certificate. */
export interface Certificate {
  readonly der: Buffer;
  readonly pem: string;
}

/** Who signs: one key, in a file or in a KMS, whose private half cannot be read back from it. */
export interface Signer extends PublicKey {
  /** Says whose key it is, where the key lives for one run only (keyless/). */
  readonly certificate?: Certificate;
  /**
   * Signs as the key's algorithm says. A key file signs at once, within the call; a KMS is asked.
   * Rejects with {AttestError} KMS_REFUSED | KMS_UNAVAILABLE
   */
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
 * Reads a private key from PEM (PKCS#8 or SEC 1); `unlockKey` opens an encrypted one first.
 * @throws {AttestError} KEY_UNREADABLE (no PEM key) | KEY_KIND (public, encrypted, several, or neither ECDSA P-256 nor Ed25519)
 */
export function readSigner(pem: string): Signer {
  refuseOthers(pem);
  const key = parse(pem, createPrivateKey, 'private');
  const publicKey = describe(createPublicKey(key), ALGORITHMS) ?? refuseKind(key, 'private', ALGORITHMS);
  refuseOtherHalf(pem, publicKey);
  const digest = publicKey.algorithm === 'ed25519' ? null : 'sha256';
  return { ...publicKey, sign: async (bytes) => sign(digest, bytes, key) };
}

/** Refuses what is there beside a private key, or instead of one, and would be read over in silence. */
function refuseOthers(pem: string): void {
  const blocks = pem.match(/-----BEGIN [A-Z0-9 ]+-----/g) ?? [];
  const privates = blocks.filter((block) => block.includes('PRIVATE KEY')).length;
  if (privates === 0 && blocks.some((block) => /CERTIFICATE|PUBLIC KEY/.test(block))) {
    throw new AttestError('KEY_KIND', 'this is a public key, not a private one', {
      hint: 'give the private key that belongs to it',
    });
  }
  // The parser would take the first: which of the two was meant is not for us to guess.
  if (privates > 1) {
    throw new AttestError('KEY_KIND', `there are ${privates} private keys in one file`, {
      hint: 'give one of them, in a file of its own',
    });
  }
  // The key of a server (`server.pem`) is not one for records: who may read the one need not be trusted with the other.
  if (blocks.some((block) => block.includes('CERTIFICATE'))) {
    throw new AttestError('KEY_KIND', 'this is the key of a certificate, not one for records', {
      hint: 'give a key that is used for nothing else: countersign init makes one',
    });
  }
  if (/ENCRYPTED/.test(pem)) {
    throw new AttestError('KEY_KIND', 'the private key is encrypted', {
      hint: 'an encrypted key is PKCS#8 or of cosign: openssl pkcs8 -topk8 -v2 aes-256-cbc converts others',
    });
  }
}

/** A public half beside the private one has to be its own: records would be looked for under a key that did not sign them. */
function refuseOtherHalf(pem: string, { publicKeyDer }: PublicKey): void {
  const stated = /-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/.exec(pem)?.[0];
  if (stated === undefined) return;
  const der = attempt(() => createPublicKey(stated))?.export({ type: 'spki', format: 'der' });
  if (der?.equals(publicKeyDer) === true) return;
  throw new AttestError('KEY_KIND', 'the public key in this file is not that of its private key', {
    hint: 'give the private key alone',
  });
}

/**
 * Reads a public key from PEM (SubjectPublicKeyInfo). Records and releases are verified with ECDSA P-256 only; who verifies what others
 * signed asks for every kind.
 * @throws {AttestError} KEY_UNREADABLE (no PEM key) | KEY_KIND (private, a certificate, or of no wanted kind)
 */
export function readPublicKey(
  pem: string,
  wanted: readonly KeyAlgorithm[] = ['ecdsa-p256'],
): PublicKey & { readonly key: KeyObject } {
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
  const publicKey = describe(key, wanted) ?? refuseKind(key, 'public', wanted);
  return { ...publicKey, key };
}

/** Refuses a key that no ledger takes: its entries name a digest that is signed, and Ed25519 signs none. @throws {AttestError} KEY_KIND */
export function refuseForRecords({ algorithm }: Pick<PublicKey, 'algorithm'>): void {
  if (algorithm !== 'ecdsa-p256')
    throw new AttestError('KEY_KIND', `the private key is ${JSON.stringify(algorithm)}, not ECDSA P-256`, {
      hint: WANTED,
    });
}

function parse(pem: string, read: (pem: string) => KeyObject, half: 'private' | 'public'): KeyObject {
  // No cause: what the parser says of a key is not for a log.
  return attempt(() => read(pem)) ?? raise('KEY_UNREADABLE', `the ${half} key cannot be read as PEM`);
}

function raise(code: 'KEY_UNREADABLE' | 'KEY_KIND', message: string): never {
  throw new AttestError(code, message, { hint: WANTED });
}

function refuseKind(key: KeyObject, half: 'private' | 'public', wanted: readonly KeyAlgorithm[]): never {
  const kinds = wanted.includes('ed25519') ? 'ECDSA P-256 or Ed25519' : 'ECDSA P-256';
  return raise('KEY_KIND', `the ${half} key is ${kindOf(key)}, not ${kinds}`);
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Every kind of key that signs here. */
export const ALGORITHMS: readonly KeyAlgorithm[] = ['ecdsa-p256', 'ed25519'];

/** A public key by its names; undefined where it is of no wanted kind. */
function describe(key: KeyObject, wanted: readonly KeyAlgorithm[]): PublicKey | undefined {
  const algorithm = wanted.find((one) => one === algorithmOf(key));
  if (algorithm === undefined) return undefined;
  const publicKeyDer = key.export({ type: 'spki', format: 'der' });
  const publicKeyPem = key.export({ type: 'spki', format: 'pem' }).toString();
  const keyId = hash('sha256', publicKeyDer, 'base64');
  return { algorithm, keyId, fingerprint: fingerprintOf(key, algorithm), publicKeyPem, publicKeyDer };
}

function algorithmOf(key: KeyObject): KeyAlgorithm | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return isP256 ? 'ecdsa-p256' : undefined;
}

/** @see https://www.rfc-editor.org/rfc/rfc5656#section-3.1  https://www.rfc-editor.org/rfc/rfc8709#section-4 */
function fingerprintOf(key: KeyObject, algorithm: KeyAlgorithm): string {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const [left, right] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  const fields =
    algorithm === 'ed25519'
      ? ['ssh-ed25519', left]
      : ['ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.of(4), left, right])];
  const blob = fields.map((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return Buffer.concat([length, Buffer.from(field)]);
  });
  return `SHA256:${hash('sha256', Buffer.concat(blob), 'base64').replace(/=+$/, '')}`;
}

function kindOf(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return JSON.stringify(
    curve === undefined ? (key.asymmetricKeyType ?? 'unknown') : `${key.asymmetricKeyType} ${curve}`,
  );
}
