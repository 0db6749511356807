// SPDX-License-Identifier: Apache-2.0
import { createHash, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { AttestError } from '../../../../attest/index.ts';
import { readSigningKey, readVerificationKey } from '../../../../attest/jws.ts';
import type { ArchiveFile } from '../../../../engine/archive/index.ts';
import {
  type BundleVerification,
  readBundle,
  SIGNATURES_FILE,
} from '../../../../engine/policy/bundle/index.ts';
import { expectThrown } from '../../../expect.ts';
import { filesOf, keysFor, signaturesOf, signed, yaml } from './make.ts';

const FILES = filesOf({
  '.manifest': '{"revision": "r", "roots": [""]}',
  'a/x.rego': 'package a\n',
  'data.json': '{"b": {"z": 1.0, "y": [true, null, "\\u2028<&>"]}, "a": 9007199254740993}',
  'c/data.yaml': 'k: v\n',
  'README.md': 'read me',
});
const keys = keysFor('ES256');
const at = new Date('2026-11-24T12:00:00Z');
const VERIFICATION: BundleVerification = { key: keys.verifying, keyId: 'default', at };

const open = (files: readonly ArchiveFile[], verification: Partial<BundleVerification> = {}) =>
  readBundle('b', files, { yaml, verification: { ...VERIFICATION, ...verification } });

async function refused(
  files: readonly ArchiveFile[],
  reason: RegExp,
  verification: Partial<BundleVerification> = {},
): Promise<void> {
  await expect(open(files, verification)).rejects.toMatchObject({
    name: 'EngineError',
    code: 'BUNDLE_SIGNATURE',
    message: expect.stringMatching(reason),
  });
}

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
const entry = (name: string, hash: string, algorithm = 'SHA-256') => ({ name, hash, algorithm });
const X = FILES.filter(({ path }) => path === 'a/x.rego');
const X_ENTRY = entry('a/x.rego', sha256('package a\n'));

describe('a signed bundle', () => {
  it.each(['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'PS512', 'HS256'])(
    'holds with %s',
    async (algorithm) => {
      const pair = keysFor(algorithm);
      const files = await signed(FILES, pair.signing);
      expect((await open(files, { key: pair.verifying })).manifest.revision).toBe('r');
      await refused(files, /not signed with|not by the configured key/, { key: keys.verifying });
    },
  );

  it('is signed over values where files have structure, as OPA does', async () => {
    const files = await signed(FILES, keys.signing);
    const respaced = files.map((file) =>
      file.path === 'data.json'
        ? {
            ...file,
            bytes: Buffer.from('{"a":9007199254740993,\n"b":{"y":[true,null,"\\u2028<&>"],"z":1.0}}'),
          }
        : file,
    );
    expect((await open(respaced)).manifest.revision).toBe('r');
    const other = files.map((file) =>
      file.path === 'data.json'
        ? { ...file, bytes: Buffer.from('{"a":9007199254740993,"b":{"y":[true,null,"\\u2028<&>"],"z":1}}') }
        : file,
    );
    await refused(other, /"data.json" is not the one that was signed/);
  });

  it('is required once a key is configured', async () => {
    await refused(FILES, /it has no .signatures.json/);
    await refused([], /it has no .signatures.json/);
  });

  it('covers every file, whatever it is, and no file that is not there', async () => {
    const files = await signed(FILES, keys.signing);
    for (const { path } of FILES) {
      await refused(
        files.filter((file) => file.path !== path),
        /of its signature is missing/,
      );
      const changed = files.map((file) =>
        file.path === path ? { ...file, bytes: Buffer.from('{"x": 1}') } : file,
      );
      await refused(changed, /is not the one that was signed/);
    }
    for (const path of ['extra.rego', 'extra.txt', 'd/data.json'])
      await refused([...files, { path, bytes: Buffer.from('{}') }], /is not in its signature/);
  });

  it.each<[string, string, RegExp]>([
    ['empty', '', /malformed/],
    ['no object', '[]', /is no object/],
    ['no signatures', '{}', /no signatures/],
    ['an empty list', '{"signatures": []}', /0 signatures/],
    ['two', '{"signatures": ["a", "b"]}', /2 signatures/],
    ['no text', '{"signatures": [1]}', /is no text/],
    ['no token', '{"signatures": ["a.b.c"]}', /malformed/],
    ['not even that', '{"signatures": ["abc"]}', /malformed/],
    ['null', '{"signatures": null}', /no signatures/],
    ['a verifier of its own', '{"signatures": ["a.b.c"], "plugin": "mine"}', /has the key "plugin"/],
    ['a key twice', '{"signatures": ["a"], "signatures": ["b"]}', /malformed/],
  ])('is refused with signatures that are %s', async (_, text, reason) => {
    await refused([...FILES, { path: SIGNATURES_FILE, bytes: Buffer.from(text) }], reason);
  });

  it.each<[string, unknown, RegExp]>([
    ['no files', { keyid: 'default' }, /covers no file/],
    ['an empty list', { files: [] }, /covers no file/],
    ['a file twice', { files: [X_ENTRY, X_ENTRY] }, /twice/],
    ['no hash', { files: [{ name: 'a/x.rego', algorithm: 'SHA-256' }] }, /without name or hash/],
    ['MD5', { files: [entry('a/x.rego', 'x', 'MD5')] }, /uses the hash "MD5"/],
    ['SHA-1', { files: [entry('a/x.rego', 'x', 'SHA-1')] }, /uses the hash "SHA-1"/],
    ['a hash of the prototype', { files: [entry('a/x.rego', 'x', 'constructor')] }, /uses the hash/],
    ['no hash algorithm', { files: [entry('a/x.rego', X_ENTRY.hash, '')] }, /uses the hash ""/],
    ['part of the files', { files: [entry('b/x.rego', X_ENTRY.hash)] }, /is not in its signature/],
    ['another key id', { files: [X_ENTRY], keyid: 'other' }, /names the key "other"/],
    ['a scope that is not wanted', { files: [X_ENTRY], scope: 'write' }, /has the scope "write"/],
    ['an end that has passed', { files: [X_ENTRY], exp: at.getTime() / 1000 }, /has expired/],
    ['an end that is no number', { files: [X_ENTRY], exp: 'never' }, /has expired/],
    ['no object', [], /is no object/],
  ])('is refused with claims of %s', async (_, claims, reason) => {
    await refused([...X, await signaturesOf(claims, keys.signing)], reason);
  });

  it('has the scope and the key id that are asked for', async () => {
    const files = await signed(FILES, keys.signing, 'write');
    expect((await open(files, { scope: 'write' })).manifest.revision).toBe('r');
    await refused(files, /has the scope "write", not ""/);
    await refused(files, /not "read"/, { scope: 'read' });
    await refused(files, /names the key "default", not "k2"/, { scope: 'write', keyId: 'k2' });
    const later = [
      ...X,
      await signaturesOf({ files: [X_ENTRY], exp: at.getTime() / 1000 + 1 }, keys.signing),
    ];
    expect((await open(later)).sources).toHaveLength(1);
  });

  it('has a token that names no algorithm, key or extension of its own', async () => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = part({ files: [X_ENTRY] });
    const tokens = [
      `${part({ alg: 'none' })}.${claims}.`,
      `${part({ alg: 'HS256' })}.${claims}.${part('x')}`,
      `${part({ alg: 'ES256', crit: ['b64'], b64: false })}.${claims}.${part('x')}`,
    ];
    for (const token of tokens) {
      const bytes = Buffer.from(JSON.stringify({ signatures: [token] }));
      await refused([...X, { path: SIGNATURES_FILE, bytes }], /does not hold/);
    }
  });
});

describe('a token with a valid signature', () => {
  const withHeader = (header: object): ArchiveFile => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signing = `${part(header)}.${part({ files: [X_ENTRY] })}`;
    const signature = sign('sha256', Buffer.from(signing), {
      key: keys.signing.key,
      dsaEncoding: 'ieee-p1363',
    });
    const token = `${signing}.${signature.toString('base64url')}`;
    return { path: SIGNATURES_FILE, bytes: Buffer.from(JSON.stringify({ signatures: [token] })) };
  };

  it('holds with what OPA writes into its header', async () => {
    for (const header of [{ alg: 'ES256' }, { alg: 'ES256', typ: 'JWT', kid: 'default' }])
      expect((await open([...X, withHeader(header)])).sources).toHaveLength(1);
  });

  it.each([
    { jku: 'https://evil.example/keys' },
    { x5u: 'https://evil.example/x' },
    { jwk: {} },
    { x5c: [] },
    { cty: 'x' },
    { zip: 'DEF' },
  ])('is refused for %j in its header', async (member) => {
    await refused([...X, withHeader({ alg: 'ES256', ...member })], /its header has the member/);
  });
});

describe('keys', () => {
  const text = (key: { readonly key: { export(o: { type: 'spki'; format: 'pem' }): string | Buffer } }) =>
    Buffer.from(key.key.export({ type: 'spki', format: 'pem' }));

  it.each<[string, () => unknown, string]>([
    ['an algorithm that is none', () => readVerificationKey(text(keys.verifying), 'none'), 'KEY_KIND'],
    ['an algorithm of another curve', () => readVerificationKey(text(keys.verifying), 'ES384'), 'KEY_KIND'],
    ['an algorithm of another kind', () => readVerificationKey(text(keys.verifying), 'RS256'), 'KEY_KIND'],
    ['a public key as a secret', () => readVerificationKey(text(keys.verifying), 'HS256'), 'KEY_KIND'],
    ['a short secret', () => readVerificationKey(Buffer.from('secret'), 'HS256'), 'KEY_KIND'],
    ['a public key to sign with', () => readSigningKey(text(keys.verifying)), 'KEY_KIND'],
    ['no key', () => readVerificationKey(Buffer.from('hello')), 'KEY_UNREADABLE'],
  ])('refuses %s', (_, run, code) => {
    expectThrown(run, AttestError, code);
  });
});
