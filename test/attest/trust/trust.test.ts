// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AttestError, generateKeyPair, parseTrust, readTrust } from '../../../attest/index.ts';
import { faultsOf } from '../../../attest/trust/shape.ts';
import { expectThrown, thrownBy } from '../../expect.ts';
import { newSigner, open, temporaryFolders, trustedKey, trustOf } from '../fixture.ts';

const folders = temporaryFolders();
const ledger = open(folders.make(), { origin: 'ledger.example' });
afterAll(async () => {
  await ledger.close();
  folders.removeAll();
});
const signer = newSigner();
const pair = generateKeyPair();
const [log] = ledger.trustedRoot().tlogs;
if (log === undefined) throw new Error('a trusted root names its log');

const withKey = (more: object): object => trustOf([trustedKey(signer, more)], [ledger]);
const withRoot = (changes: object): object => ({
  ...trustOf([], []),
  logs: [{ ...ledger.trustedRoot(), ...changes }],
});
const withLog = (changes: object): object => withRoot({ tlogs: [{ ...log, ...changes }] });

describe('a trust file', () => {
  it('of bytes is that of their JSON, and a key that stands twice is an error', () => {
    const text = JSON.stringify(withKey({}));
    expect(parseTrust(Buffer.from(text))).toEqual(readTrust(JSON.parse(text)));
    for (const bytes of ['{', text.replace('{', '{"kind":"Trust",')])
      expectThrown(() => parseTrust(Buffer.from(bytes)), AttestError, 'TRUST_SHAPE');
  });

  it('is read into keys and logs', () => {
    const trust = readTrust(withKey({ environments: ['production/eu'], notAfter: '2027-01-01T00:00:00Z' }));
    expect(trust.keys).toMatchObject([
      {
        name: 'ci',
        uses: ['record'],
        environments: ['production/eu'],
        id: signer.keyId,
        notAfter: '2027-01-01T00:00:00Z',
      },
    ]);
    expect(trust.logs).toMatchObject([
      { origin: 'ledger.example', id: log.logId.keyId, validFrom: '2026-11-24T00:00:00Z' },
    ]);
  });

  it('may say how long a log is believed', () => {
    const validFor = { start: '2026-01-01T00:00:00Z', end: '2027-01-01T00:00:00Z' };
    const trust = readTrust(withLog({ publicKey: { ...log.publicKey, validFor } }));
    expect(trust.logs).toMatchObject([{ validFrom: validFor.start, validUntil: validFor.end }]);
  });

  it('says of a key what is wrong with it', () => {
    expectThrown(
      () => readTrust(withKey({ publicKey: pair.privateKeyPem })),
      AttestError,
      'TRUST_SHAPE',
      'key "ci" is no public key that can be used for this: this is a private key, not a public one',
    );
  });

  it('has no faults where it is well', () => {
    expect(faultsOf(trustOf([], []))).toEqual([]);
  });

  it('may believe nobody', () => {
    expect(readTrust(trustOf([], []))).toEqual({ keys: [], identities: [], logs: [] });
  });

  it('says where it is wrong, quoting what is foreign', () => {
    const error = thrownBy(() => readTrust({ ...trustOf([], []), 'x"y': 1 }));
    expect(error).toMatchObject({
      code: 'TRUST_SHAPE',
      message: 'the trust file is malformed: "/" must NOT have additional properties "x\\"y"',
    });
  });
});

const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
  type: 'spki',
  format: 'pem',
});
const p256Der = newSigner().publicKeyDer.toString('base64');

describe('a trust file is refused', () => {
  it.each<[string, unknown]>([
    ['that is nothing', undefined],
    ['that is null', null],
    ['that is a list', []],
    ['that is text', 'trust'],
    ['without its kind', { ...trustOf([], []), kind: undefined }],
    ['of another version', { ...trustOf([], []), apiVersion: 'countersign.dev/v2' }],
    ['without keys', { ...trustOf([], []), keys: undefined }],
    ['without logs', { ...trustOf([], []), logs: undefined }],
    ['with a member more', { ...trustOf([], []), threshold: 0 }],
    ['with a member more in a key', withKey({ notbefore: '2026-01-01T00:00:00Z' })],
    ['with a key without a name', withKey({ name: '' })],
    ['with a key without uses', withKey({ uses: [] })],
    ['with an unknown use', withKey({ uses: ['records'] })],
    ['with a key without environments', withKey({ environments: undefined })],
    ['with an empty environment', withKey({ environments: [''] })],
    ['with an environment that is no list', withKey({ environments: '*' })],
    ['with a private key', withKey({ publicKey: pair.privateKeyPem })],
    ['with an Ed25519 key', withKey({ publicKey: ed25519 })],
    ['with an RSA key', withKey({ publicKey: rsa })],
    ['with a key that is garbage', withKey({ publicKey: 'garbage' })],
    ['with a date without its time', withKey({ notAfter: '2026-01-01' })],
    ['with a date in another zone', withKey({ notAfter: '2026-01-01T00:00:00+01:00' })],
    ['with a year', withKey({ notAfter: '2026' })],
    ['with a number for a date', withKey({ notAfter: 1_800_000_000 })],
    ['with a thirtieth of February', withKey({ notAfter: '2026-02-30T00:00:00Z' })],
    ['with a month of its own', withKey({ revokedAt: '2026-13-01T00:00:00Z' })],
    [
      'with an end before its beginning',
      withKey({ notBefore: '2026-02-01T00:00:00Z', notAfter: '2026-01-01T00:00:00Z' }),
    ],
    ['with two keys of one name', trustOf([trustedKey(signer), trustedKey(newSigner())], [])],
    [
      'with one key under two names',
      trustOf([trustedKey(signer), trustedKey(signer, { name: 'other', environments: [] })], []),
    ],
    ['with a trusted root of another type', withRoot({ mediaType: 'application/json' })],
    ['with a trusted root without logs', withRoot({ tlogs: [] })],
    ['with a member more in a root', withRoot({ more: 1 })],
    ['with a member more in a log', withLog({ more: 1 })],
    ['with a log over http', withLog({ baseUrl: 'http://ledger.example' })],
    ['with a log with a port', withLog({ baseUrl: 'https://ledger.example:443' })],
    ['with a log with a path', withLog({ baseUrl: 'https://ledger.example/log' })],
    ['with a log of another name than its id', withLog({ baseUrl: 'https://other.example' })],
    ['with a log whose name is none', withLog({ baseUrl: 'https://-.example' })],
    [
      'with a log of another id than its key',
      withLog({ logId: { keyId: Buffer.alloc(32).toString('base64') } }),
    ],
    ['with a log of another hash', withLog({ hashAlgorithm: 'SHA2_512' })],
    [
      'with a log key of another kind',
      withLog({ publicKey: { ...log.publicKey, keyDetails: 'PKIX_ECDSA_P256_SHA_256' } }),
    ],
    ['with a log key that is another', withLog({ publicKey: { ...log.publicKey, rawBytes: p256Der } })],
    [
      'with a log key in another spelling',
      withLog({ publicKey: { ...log.publicKey, rawBytes: `${log.publicKey.rawBytes}=` } }),
    ],
    ['with a log key that is garbage', withLog({ publicKey: { ...log.publicKey, rawBytes: 'AAAA' } })],
    ['with a log without a start', withLog({ publicKey: { ...log.publicKey, validFor: {} } })],
    [
      'with a log with a start that is none',
      withLog({ publicKey: { ...log.publicKey, validFor: { start: '2026-02-30T00:00:00Z' } } }),
    ],
    [
      'with a log that ends before it begins',
      withLog({
        publicKey: {
          ...log.publicKey,
          validFor: { start: '2026-02-01T00:00:00Z', end: '2026-01-01T00:00:00Z' },
        },
      }),
    ],
  ])('%s', (_, value) => {
    expectThrown(() => readTrust(JSON.parse(JSON.stringify(value) ?? 'null')), AttestError, 'TRUST_SHAPE');
  });
});

describe('the bytes of a trust file', () => {
  it('are JSON in which no key stands twice', () => {
    const text = JSON.stringify({
      apiVersion: 'countersign.dev/v1alpha1',
      kind: 'Trust',
      keys: [],
      logs: [],
    });
    expect(parseTrust(Buffer.from(text))).toEqual({ keys: [], identities: [], logs: [] });
    for (const bad of ['', '{', text.replace('"keys"', '"keys":[],"keys"'), text.replace('Trust', 'Project')])
      expectThrown(() => parseTrust(Buffer.from(bad)), AttestError, 'TRUST_SHAPE');
  });
});
