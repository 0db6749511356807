// SPDX-License-Identifier: Apache-2.0
// Encrypted keys: PKCS#8 as OpenSSL writes it, and cosign's own form, of which keys/ holds what cosign 3.1.3 made.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AttestError, generateKeyPair, readSigner, unlockKey } from '../../../attest/index.ts';
import { expectRejected } from '../../expect.ts';

const PASSWORD = 'TEST';
const given = async (): Promise<string> => PASSWORD;
const key = (name: string): string => readFileSync(join(import.meta.dirname, 'keys', name), 'utf8');

function encrypted(passphrase = PASSWORD): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

describe('an encrypted key', () => {
  it.each([
    ['of cosign', key('cosign.key'), key('cosign.pub'), 'ecdsa-p256'],
    [
      'of cosign, by its older name',
      key('cosign.key').replaceAll('SIGSTORE', 'COSIGN'),
      key('cosign.pub'),
      'ecdsa-p256',
    ],
    ['of cosign, Ed25519', key('cosign-ed25519.key'), key('cosign-ed25519.pub'), 'ed25519'],
  ])('%s opens with its password', async (_, text, publicKeyPem, algorithm) => {
    const opened = await unlockKey(text, given);
    expect(opened).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(readSigner(opened)).toMatchObject({ publicKeyPem, algorithm });
  });

  it('in PKCS#8 opens with its password, with its public half beside it or not', async () => {
    const { privateKey, publicKey } = encrypted();
    expect(readSigner(await unlockKey(privateKey, given)).publicKeyPem).toBe(publicKey);
    expect(readSigner(await unlockKey(publicKey + privateKey, given)).publicKeyPem).toBe(publicKey);
  });

  it('stays closed to another password, or to none, and says which', async () => {
    for (const text of [encrypted().privateKey, key('cosign.key')]) {
      for (const wrong of ['test', '', 'TEST\n'])
        await expectRejected(
          unlockKey(text, async () => wrong),
          AttestError,
          'KEY_PASSWORD',
          'the private key does not open with this password',
        );
      await expectRejected(
        unlockKey(text, async () => undefined),
        AttestError,
        'KEY_PASSWORD',
        'the private key is encrypted, and no password is given',
      );
    }
  });

  it('may have an empty password', async () => {
    const { privateKey, publicKey } = encrypted('');
    expect(readSigner(await unlockKey(privateKey, async () => '')).publicKeyPem).toBe(publicKey);
  });

  it('that was damaged tells neither its text nor the password', async () => {
    const { privateKey } = encrypted();
    const lines = privateKey.split('\n');
    const broken = lines.toSpliced(2, 1, `AAAA${lines[2]?.slice(4)}`).join('\n');
    const error: unknown = await unlockKey(broken, async () => 'a SECRET password').catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'KEY_PASSWORD' });
    const shown = JSON.stringify(error, ['message', 'hint', 'cause', 'stack']);
    for (const secret of ['SECRET', lines[1] ?? '', lines[2]?.slice(8) ?? ''])
      expect(shown).not.toContain(secret);
    expect(Reflect.get(Object(error), 'cause')).toBeUndefined();
  });
});

describe('what is no encrypted key', () => {
  it('is left as it is, and nobody is asked for a password', async () => {
    const plain = generateKeyPair().privateKeyPem;
    const never = (): Promise<string> => Promise.reject(new Error('asked'));
    const two = key('cosign.key') + plain;
    for (const text of [plain, '', 'no key', two, key('cosign.pub')])
      expect(await unlockKey(text, never)).toBe(text);
    expect(() => readSigner(two)).toThrow('there are 2 private keys in one file');
  });
});

describe("a key in cosign's form", () => {
  const body = JSON.parse(
    Buffer.from(key('cosign.key').split('\n').slice(1, -2).join(''), 'base64').toString('utf8'),
  );
  const wrapped = (value: unknown): string => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${Buffer.from(text).toString('base64')}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`;
  };
  const { kdf, cipher } = body;

  it('is as cosign writes it', async () => {
    expect(readSigner(await unlockKey(wrapped(body), given)).publicKeyPem).toBe(key('cosign.pub'));
  });

  it.each([
    ['no JSON', '{'],
    ['null', null],
    ['empty', {}],
    ['a list', []],
    ['a key twice', `{"ciphertext":"",${JSON.stringify(body).slice(1)}`],
    ['another derivation', { ...body, kdf: { ...kdf, name: 'pbkdf2' } }],
    ['another cipher', { ...body, cipher: { ...cipher, name: 'aes' } }],
    ['a cost that would fill the memory', { ...body, kdf: { ...kdf, params: { N: 2 ** 30, r: 8, p: 1 } } }],
    ['a cost that is none', { ...body, kdf: { ...kdf, params: { N: '65536', r: 8, p: 1 } } }],
    ['wide blocks', { ...body, kdf: { ...kdf, params: { N: 65_536, r: 4096, p: 1 } } }],
    ['parallel', { ...body, kdf: { ...kdf, params: { N: 65_536, r: 8, p: 64 } } }],
    ['a short salt', { ...body, kdf: { ...kdf, salt: 'AAAA' } }],
    ['a short nonce', { ...body, cipher: { ...cipher, nonce: 'AAAA' } }],
    ['no text', { ...body, ciphertext: 7 }],
  ])('is refused with %s', async (_, value) => {
    await expectRejected(
      unlockKey(wrapped(value), given),
      AttestError,
      'KEY_UNREADABLE',
      'the private key has not the form that cosign writes',
    );
  });

  it('that holds no key does not open', async () => {
    const changed = { ...body, ciphertext: Buffer.alloc(64).toString('base64') };
    await expectRejected(
      unlockKey(wrapped(changed), given),
      AttestError,
      'KEY_PASSWORD',
      'the private key does not open with this password',
    );
  });
});
