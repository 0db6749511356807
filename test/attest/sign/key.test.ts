// SPDX-License-Identifier: Apache-2.0
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  AttestError,
  generateKeyPair,
  readSigner,
  refuseForRecords,
  unlockKey,
} from '../../../attest/index.ts';
import { readPublicKey } from '../../../attest/sign/index.ts';
import { expectThrown, thrownBy } from '../../expect.ts';

const pem = { type: 'pkcs8', format: 'pem' } as const;
const spki = { type: 'spki', format: 'pem' } as const;
const rsa = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: pem,
  publicKeyEncoding: spki,
});
const p384 = generateKeyPairSync('ec', {
  namedCurve: 'P-384',
  privateKeyEncoding: pem,
  publicKeyEncoding: spki,
});
const k256 = generateKeyPairSync('ec', {
  namedCurve: 'secp256k1',
  privateKeyEncoding: pem,
  publicKeyEncoding: spki,
});
const ed = generateKeyPairSync('ed25519', { privateKeyEncoding: pem, publicKeyEncoding: spki });
const x25519 = generateKeyPairSync('x25519', { privateKeyEncoding: pem, publicKeyEncoding: spki }).privateKey;
const p256 = generateKeyPair();

describe('a generated key pair', () => {
  it('is a PKCS#8 and a SubjectPublicKeyInfo PEM that belong together', () => {
    expect(p256.privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(p256.publicKeyPem).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect(readSigner(p256.privateKeyPem).publicKeyPem).toBe(p256.publicKeyPem);
  });

  it('is a new one each time', () => {
    expect(generateKeyPair().privateKeyPem).not.toBe(p256.privateKeyPem);
  });
});

describe('a signer', () => {
  const signer = readSigner(p256.privateKeyPem);

  it('signs ECDSA P-256 over SHA-256, as DER', async () => {
    const bytes = Buffer.from('what is signed');
    const signature = await signer.sign(bytes);
    expect(signature[0]).toBe(0x30);
    expect(verify('sha256', bytes, createPublicKey(p256.publicKeyPem), signature)).toBe(true);
  });

  it('has the SHA-256 of the SPKI as its id', () => {
    expect(signer.keyId).toBe(createHash('sha256').update(signer.publicKeyDer).digest('base64'));
    expect(readPublicKey(p256.publicKeyPem).keyId).toBe(signer.keyId);
  });

  it('shows no private part', () => {
    expect(Object.keys(signer).sort()).toEqual([
      'algorithm',
      'fingerprint',
      'keyId',
      'publicKeyDer',
      'publicKeyPem',
      'sign',
    ]);
    expect(JSON.stringify(signer)).not.toContain('PRIVATE');
  });

  // What ssh-keygen -l prints of these keys, which cosign made.
  it.each([
    ['cosign.pub', 'SHA256:dLVDp/wOsqrlbCimWVELUygRg11aqUsKyBSXTuOt4yI'],
    ['cosign-ed25519.pub', 'SHA256:3LaKBg9ei56RFlWDVAZqdrtYWQ+3RQfRVAUWYfg9onw'],
  ])('has the fingerprint that SSH gives %s', async (name, fingerprint) => {
    const file = join(import.meta.dirname, 'keys', name.replace('.pub', '.key'));
    const pem = await unlockKey(readFileSync(file, 'utf8'), async () => 'TEST');
    expect(readSigner(pem).fingerprint).toBe(fingerprint);
  });

  it('signs Ed25519 over the bytes themselves', async () => {
    const bytes = Buffer.from('what is signed');
    const other = readSigner(ed.privateKey);
    expect(other).toMatchObject({ algorithm: 'ed25519', publicKeyPem: ed.publicKey });
    expect(verify(null, bytes, createPublicKey(ed.publicKey), await other.sign(bytes))).toBe(true);
    expectThrown(
      () => refuseForRecords(other),
      AttestError,
      'KEY_KIND',
      'the private key is "ed25519", not ECDSA P-256',
    );
    expect(refuseForRecords(signer)).toBeUndefined();
  });

  it('is read from SEC 1 too', () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'sec1', format: 'pem' },
      publicKeyEncoding: spki,
    });
    expect(readSigner(privateKey).keyId).toHaveLength(44);
  });
});

describe('a private key that cannot sign records', () => {
  const encrypted = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { ...pem, cipher: 'aes-256-cbc', passphrase: 'TEST' },
    publicKeyEncoding: spki,
  }).privateKey;
  const whole = p256.privateKeyPem.split('\n');
  const other = generateKeyPair();

  it('is read with its own public half beside it, on either side', () => {
    const { keyId } = readSigner(p256.privateKeyPem);
    expect(readSigner(p256.publicKeyPem + p256.privateKeyPem).keyId).toBe(keyId);
    expect(readSigner(p256.privateKeyPem + p256.publicKeyPem).keyId).toBe(keyId);
  });

  it.each([
    ['RSA', rsa.privateKey, 'KEY_KIND', 'the private key is "rsa", not ECDSA P-256 or Ed25519'],
    ['P-384', p384.privateKey, 'KEY_KIND', 'the private key is "ec secp384r1", not ECDSA P-256 or Ed25519'],
    [
      'secp256k1',
      k256.privateKey,
      'KEY_KIND',
      'the private key is "ec secp256k1", not ECDSA P-256 or Ed25519',
    ],
    ['X25519', x25519, 'KEY_KIND', 'the private key is "x25519", not ECDSA P-256 or Ed25519'],
    ['public', p256.publicKeyPem, 'KEY_KIND', 'this is a public key, not a private one'],
    ['encrypted', encrypted, 'KEY_KIND', 'the private key is encrypted'],
    [
      'one of two',
      p256.privateKeyPem + other.privateKeyPem,
      'KEY_KIND',
      'there are 2 private keys in one file',
    ],
    [
      "with another's public half",
      p256.privateKeyPem + other.publicKeyPem,
      'KEY_KIND',
      'the public key in this file is not that of its private key',
    ],
    [
      'of a certificate',
      `${p256.privateKeyPem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      'KEY_KIND',
      'this is the key of a certificate, not one for records',
    ],
    [
      'cosign',
      '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n',
      'KEY_KIND',
      'the private key is encrypted',
    ],
    ['empty', '', 'KEY_UNREADABLE', 'the private key cannot be read as PEM'],
    ['garbage', 'not a key', 'KEY_UNREADABLE', 'the private key cannot be read as PEM'],
    ['truncated', whole.slice(0, 2).join('\n'), 'KEY_UNREADABLE', 'the private key cannot be read as PEM'],
    [
      'cut in its middle',
      [whole[0], whole[1], ...whole.slice(-2)].join('\n'),
      'KEY_UNREADABLE',
      'the private key cannot be read as PEM',
    ],
  ])('is refused: %s', (_, text, code, message) => {
    expectThrown(() => readSigner(text), AttestError, code, message);
  });

  it('is told what to do, and never quoted', () => {
    const error = thrownBy(() => readSigner(rsa.privateKey));
    expect(error).toMatchObject({ hint: expect.stringContaining('countersign init') });
    const broken = [whole[0], whole[1], ...whole.slice(-2)].join('\n');
    expect(
      JSON.stringify(
        thrownBy(() => readSigner(broken)),
        ['message', 'hint', 'cause', 'stack'],
      ),
    ).not.toContain(whole[1]?.slice(0, 16));
  });
});

describe('a public key that cannot verify records', () => {
  it.each([
    ['private', p256.privateKeyPem, 'KEY_KIND', 'this is a private key, not a public one'],
    [
      'both halves',
      p256.publicKeyPem + p256.privateKeyPem,
      'KEY_KIND',
      'this is a private key, not a public one',
    ],
    [
      'certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'KEY_KIND',
      'this is a certificate, not a public key',
    ],
    ['RSA', rsa.publicKey, 'KEY_KIND', 'the public key is "rsa", not ECDSA P-256'],
    ['P-384', p384.publicKey, 'KEY_KIND', 'the public key is "ec secp384r1", not ECDSA P-256'],
    ['Ed25519', ed.publicKey, 'KEY_KIND', 'the public key is "ed25519", not ECDSA P-256'],
    ['garbage', '{}', 'KEY_UNREADABLE', 'the public key cannot be read as PEM'],
  ])('is refused: %s', (_, text, code, message) => {
    expectThrown(() => readPublicKey(text), AttestError, code, message);
  });
});
