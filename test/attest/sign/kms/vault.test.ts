// SPDX-License-Identifier: Apache-2.0
// A key in Vault's transit engine, against a server that speaks the part of its API that signing needs.
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AttestError, openLedger, openRecorder, openSigner, type Signer } from '../../../../attest/index.ts';
import { ensureCertificate } from '../../../../webhook/index.ts';
import { expectRejected } from '../../../expect.ts';
import { statementBytes } from '../../fixture.ts';
import { MESSAGES } from './digests.ts';
import { type FakeVault, startVault, VAULT_TOKEN } from './vault_server.ts';

const [bytes = Buffer.alloc(0), other = Buffer.alloc(0)] = MESSAGES;
let vault: FakeVault;
beforeEach(async () => {
  vault = await startVault();
});
afterEach(() => vault.close());
const folder = mkdtempSync(join(tmpdir(), 'countersign-vault-'));
afterAll(() => rmSync(folder, { recursive: true }));

const envOf = (more: object = {}): Record<string, string> => ({
  VAULT_ADDR: vault.address,
  VAULT_TOKEN,
  ...more,
});
const open = (more: object = {}, key = 'hashivault://release'): Promise<Signer> =>
  openSigner({ key, env: envOf(more) });
const isBy = (signer: Signer, signature: Buffer, message = bytes): boolean =>
  verify('sha256', message, createPublicKey(signer.publicKeyPem), signature);

describe('a key in Vault', () => {
  it('signs, and is known by its public half', async () => {
    const signer = await open();
    expect(signer.publicKeyPem).toBe(vault.keys[0]?.publicKey.export({ type: 'spki', format: 'pem' }));
    expect(signer).toMatchObject({ algorithm: 'ecdsa-p256', fingerprint: expect.stringMatching(/^SHA256:/) });
    const signature = await signer.sign(bytes);
    expect([isBy(signer, signature), isBy(signer, signature, other)]).toEqual([true, false]);
    expect(vault.seen.map(({ method, url, token }) => [method, url, token])).toEqual([
      ['GET', '/v1/transit/keys/release', VAULT_TOKEN],
      ['POST', '/v1/transit/sign/release/sha2-256', VAULT_TOKEN],
    ]);
    expect(JSON.parse(vault.seen[1]?.body ?? '')).toEqual({
      input: expect.any(String),
      prehashed: true,
      marshaling_algorithm: 'asn1',
      key_version: 1,
    });
  });

  it('goes on signing with the version that was read, after a rotation', async () => {
    const signer = await open();
    vault.rotate();
    expect(isBy(signer, await signer.sign(bytes))).toBe(true);
    expect((await open()).keyId).not.toBe(signer.keyId);
  });

  it('is found out where another key signs', async () => {
    const signer = await open();
    vault.keys[0] = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await expectRejected(
      signer.sign(bytes),
      AttestError,
      'KMS_UNAVAILABLE',
      'Vault returns a signature that is not by its key',
    );
  });

  it('may be in a namespace, below a path, in another engine', async () => {
    vault.answer = (_, response) => {
      response.writeHead(404).end('{}');
      return true;
    };
    const env = {
      VAULT_NAMESPACE: 'team',
      TRANSIT_SECRET_ENGINE_PATH: '/signing/',
      VAULT_ADDR: `${vault.address}/vault/`,
    };
    await expectRejected(open(env), AttestError, 'KMS_REFUSED', 'Vault refuses: HTTP 404');
    expect(vault.seen).toMatchObject([{ url: '/vault/v1/signing/keys/release', namespace: 'team' }]);
  });

  it.each([
    [{ VAULT_TOKEN: 'wrong' }, 'hashivault://release', 'KMS_REFUSED', 'Vault refuses: HTTP 403'],
    [{}, 'hashivault://other', 'KMS_REFUSED', 'Vault refuses: HTTP 404'],
    [
      { VAULT_ADDR: 'http://127.0.0.1:1' },
      'hashivault://release',
      'KMS_UNAVAILABLE',
      'Vault cannot be asked: ECONNREFUSED',
    ],
    [
      { VAULT_ADDR: 'http://vault.example' },
      'hashivault://release',
      'KMS_UNAVAILABLE',
      'VAULT_ADDR "http://vault.example" is not https',
    ],
    [
      { VAULT_ADDR: 'ftp://127.0.0.1' },
      'hashivault://release',
      'KMS_UNAVAILABLE',
      'VAULT_ADDR "ftp://127.0.0.1" is not https',
    ],
    [
      { VAULT_ADDR: 'nowhere' },
      'hashivault://release',
      'KMS_UNAVAILABLE',
      'a key in Vault needs VAULT_ADDR and VAULT_TOKEN',
    ],
    [
      { VAULT_TOKEN: '' },
      'hashivault://release',
      'KMS_UNAVAILABLE',
      'a key in Vault needs VAULT_ADDR and VAULT_TOKEN',
    ],
    [
      { VAULT_TOKEN: 'a\nb' },
      'hashivault://release',
      'KMS_UNAVAILABLE',
      'a key in Vault needs VAULT_ADDR and VAULT_TOKEN',
    ],
    [
      { VAULT_CACERT: '/nothing' },
      'hashivault://release',
      'KMS_UNAVAILABLE',
      'Vault cannot be asked: VAULT_CACERT "/nothing" cannot be read',
    ],
    [{}, 'hashivault://', 'KMS_URI', '"hashivault://" names no key'],
    [{}, 'hashivault://a/../b', 'KMS_URI', '"hashivault://a/../b" names no key'],
    [{}, 'hashivault://..', 'KMS_URI', '"hashivault://.." names no key'],
  ])('%j %s is an error: %s', async (env, key, code, message) => {
    await expectRejected(open(env, key), AttestError, code, message);
  });

  it.each([
    ['another kind of key', 200, { data: { type: 'rsa-2048', latest_version: 1, keys: {} } }, 'KMS_REFUSED'],
    ['no version', 200, { data: { type: 'ecdsa-p256', latest_version: 2, keys: {} } }, 'KMS_REFUSED'],
    [
      'no key in it',
      200,
      { data: { type: 'ecdsa-p256', latest_version: 1, keys: { 1: { public_key: 'x' } } } },
      'KEY_UNREADABLE',
    ],
    ['no data', 200, {}, 'KMS_UNAVAILABLE'],
    ['null', 200, null, 'KMS_UNAVAILABLE'],
    ['data that are a list', 200, { data: 'text' }, 'KMS_UNAVAILABLE'],
    ['a redirect', 307, {}, 'KMS_REFUSED'],
    ['an overload', 429, {}, 'KMS_UNAVAILABLE'],
    ['a seal', 503, { errors: ['Vault is sealed'] }, 'KMS_UNAVAILABLE'],
  ])('that answers with %s is an error', async (_, status, value, code) => {
    vault.answer = (__, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(JSON.stringify(value));
      return true;
    };
    await expectRejected(open(), AttestError, code);
    expect(vault.seen).toHaveLength(1);
  });

  it.each([
    ['text', 'no JSON'],
    ['a member twice', '{"data":{},"data":{}}'],
    ['more than it may', `{"data":"${'x'.repeat(1024 * 1024)}"}`],
  ])('that answers with %s is an error', async (_, text) => {
    vault.answer = (__, response) => {
      response.writeHead(200).end(text);
      return true;
    };
    await expectRejected(open(), AttestError, 'KMS_UNAVAILABLE');
  });

  it.each([
    ['no signature', {}],
    ['one of another form', { signature: 'vault:v1:!!' }],
    ['a bare one', { signature: 'MEUCIQ==' }],
  ])('that signs with %s is an error', async (_, data) => {
    const signer = await open();
    vault.answer = (__, response) => {
      response.writeHead(200).end(JSON.stringify({ data }));
      return true;
    };
    await expectRejected(
      signer.sign(bytes),
      AttestError,
      'KMS_REFUSED',
      'Vault refuses: it gives no signature',
    );
  });

  it('never shows the token', async () => {
    const errors: unknown[] = [];
    for (const env of [
      { VAULT_ADDR: 'http://127.0.0.1:1' },
      { VAULT_ADDR: 'http://x.example' },
      { VAULT_CACERT: '/x' },
    ])
      await open(env).catch((error: unknown) => errors.push(error));
    vault.answer = (_, response) => {
      response.writeHead(500).end(VAULT_TOKEN);
      return true;
    };
    await open().catch((error: unknown) => errors.push(error));
    expect(errors).toHaveLength(4);
    for (const error of errors)
      expect(JSON.stringify(error, ['message', 'hint', 'stack', 'cause', 'code'])).not.toContain(VAULT_TOKEN);
  });

  it('is reached over TLS by a certificate authority of its own', async () => {
    const { key, cert, caCert } = await ensureCertificate({
      directory: folder,
      names: ['localhost'],
      now: new Date(),
    });
    const server = createTlsServer({ key, cert }, (_, response) => response.writeHead(404).end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const address = { VAULT_ADDR: `https://localhost:${port}` };
    writeFileSync(join(folder, 'vault-ca.pem'), caCert);
    try {
      await expectRejected(open(address), AttestError, 'KMS_UNAVAILABLE');
      const own = { ...address, VAULT_CACERT: join(folder, 'vault-ca.pem') };
      await expectRejected(open(own), AttestError, 'KMS_REFUSED', 'Vault refuses: HTTP 404');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    expect(readFileSync(join(folder, 'vault-ca.pem'), 'utf8')).toContain('BEGIN CERTIFICATE');
  });
});

describe('the thread of the ledger', () => {
  it('signs with a key in Vault too, and tries again after it was gone', async () => {
    const directory = join(folder, 'ledger');
    await openLedger({ directory, now: () => new Date(), create: true }).close();
    const recorder = openRecorder({ directory, key: { key: 'hashivault://release', env: envOf() } });
    vault.answer = (_, response) => {
      response.writeHead(503).end('{}');
      return true;
    };
    await expect(recorder.record(statementBytes())).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    vault.answer = undefined;
    expect(await recorder.record(statementBytes())).toEqual({ logIndex: 0 });
    vault.answer = (_, response) => {
      response.writeHead(403).end('{}');
      return true;
    };
    await expect(recorder.record(statementBytes())).rejects.toMatchObject({ code: 'KMS_REFUSED' });
    await recorder.close();
    expect(vault.seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST', 'POST']);
  });
});
