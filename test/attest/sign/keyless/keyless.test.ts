// SPDX-License-Identifier: Apache-2.0
// sign and attest without a key, as they are typed, against an instance on this machine; what they make is verified against its root.
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AttestError, generateKeyPair, readSigner, signArtefact } from '../../../../attest/index.ts';
import { certify, readToken, witnessed } from '../../../../attest/sign/keyless/index.ts';
import { countersign, type Outcome } from '../../../cli/world.ts';
import { expectRejected, expectThrown } from '../../../expect.ts';
import { outcome, question, trustOf } from '../../bundle/ask.ts';
import { ARTIFACT, DIGEST, type Json, PREDICATE_TYPE } from '../../bundle/world.ts';
import { type Services, startServices } from './services.ts';

let services: Services;
beforeAll(async () => {
  services = await startServices();
  services.know(ARTIFACT);
});
afterAll(() => services.close());
beforeEach(() => {
  services.answer = undefined;
  services.asked.length = 0;
});
const folder = mkdtempSync(join(tmpdir(), 'countersign-keyless-'));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, text: string | Buffer): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const tokenOf = (claims: object): string => `${encoded({ alg: 'RS256' })}.${encoded(claims)}.TESTsignature`;
const TOKEN = tokenOf({ iss: 'https://issuer.example', sub: 'a job', aud: 'sigstore', exp: 4_000_000_000 });
const env = { SIGSTORE_ID_TOKEN: TOKEN };
const artefact = put('web.bin', ARTIFACT);
const predicate = put('predicate.json', '{"n": 1}');
const key = put('key.pem', generateKeyPair().privateKeyPem);

const fulcio = (): string[] => ['--keyless', '--fulcio', services.url];
const run = (
  verb: readonly string[],
  more: readonly string[] = [],
  world: object = { env },
): Promise<Outcome> => countersign([...verb, ...fulcio(), ...more], world);
const verdict = (out: string, changes: object = {}): string =>
  outcome(JSON.parse(out), question(trustOf(services.root), changes));

describe.each([
  ['sign', () => ['sign', artefact], {}],
  [
    'attest',
    () => ['attest', artefact, '--predicate', predicate, '--type', PREDICATE_TYPE],
    { predicateType: PREDICATE_TYPE },
  ],
])('%s without a key', (_, verb, asked) => {
  it.each([
    ['a log of version 1', () => ['--rekor', services.url], {}],
    ['a log and a timestamp', () => ['--rekor', services.url, '--timestamp', services.url], {}],
    [
      'a log of version 2 and a timestamp',
      () => ['--rekor', services.url, '--rekor-version', '2', '--timestamp', services.url],
      {},
    ],
    ['a timestamp alone', () => ['--timestamp', services.url], { requireLog: false }],
  ])('makes a bundle v0.3 that holds, with %s', async (__, witnesses, more) => {
    const { exit, out, err } = await run(verb(), witnesses());
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    const bundle: Json = JSON.parse(out);
    expect(bundle.mediaType).toBe('application/vnd.dev.sigstore.bundle.v0.3+json');
    expect(Object.keys(bundle.verificationMaterial)[0]).toBe('certificate');
    expect(verdict(out, { ...asked, ...more })).toBe('verified');
    const other = { algorithm: 'sha256', digest: hash('sha256', 'other') };
    expect(verdict(out, { ...asked, ...more, subject: other, artifact: Buffer.from('other') })).not.toBe(
      'verified',
    );
  });

  it('sends the token to Fulcio, and to nobody else', async () => {
    await run(verb(), ['--rekor', services.url, '--timestamp', services.url]);
    expect(services.asked.map(({ path }) => path)).toEqual([
      '/api/v2/signingCert',
      '/api/v1/log/entries',
      '/api/v1/timestamp',
    ]);
    const [first, ...others] = services.asked;
    expect(first?.body).toEqual({
      credentials: { oidcIdentityToken: TOKEN },
      publicKeyRequest: {
        publicKey: { algorithm: 'ECDSA', content: expect.stringContaining('BEGIN PUBLIC KEY') },
        proofOfPossession: expect.any(String),
      },
    });
    expect(JSON.stringify(others)).not.toContain(TOKEN);
  });
});

describe('the id token', () => {
  const verb = ['sign', artefact];
  const witnesses = (): string[] => ['--timestamp', services.url];

  it('is that of a file before that of the environment', async () => {
    const file = put('token', `${tokenOf({ sub: 'another', exp: 4_000_000_000 })}\n`);
    expect(await run(verb, [...witnesses(), '--id-token', file])).toMatchObject({ exit: 0 });
    expect(services.asked[0]?.body.credentials.oidcIdentityToken).toContain(
      encoded({ sub: 'another', exp: 4_000_000_000 }),
    );
  });

  it('is asked of GitHub Actions where the job may have one', async () => {
    services.answer = (path, response) => {
      if (!path.startsWith('/actions')) return false;
      response.writeHead(200).end(JSON.stringify({ value: TOKEN }));
      return true;
    };
    const github = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${services.url}/actions?api-version=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'TEST-bearer',
    };
    expect(await run(verb, witnesses(), { env: github })).toMatchObject({ exit: 0 });
    expect(services.asked[0]).toMatchObject({
      path: '/actions?api-version=2&audience=sigstore',
      authorization: 'Bearer TEST-bearer',
    });
    services.answer = (_, response) => {
      response.writeHead(403).end();
      return true;
    };
    expect(await run(verb, witnesses(), { env: github })).toMatchObject({
      exit: 5,
      err: expect.stringContaining(
        'the token service of GitHub Actions refuses: HTTP 403 [SIGSTORE_REFUSED]',
      ),
    });
  });

  it('is missing', async () => {
    expect(await run(verb, witnesses(), { env: {} })).toMatchObject({
      exit: 5,
      out: '',
      err: expect.stringContaining('this job has no id token [IDENTITY_TOKEN]'),
    });
  });

  const now = new Date('2026-11-24T12:00:00Z');
  it.each([
    ['no token', 'SECRET'],
    ['empty', ''],
    ['two parts', 'SECRET.SECRET'],
    ['no JSON in it', 'SECRET.SECRET.SECRET'],
    ['a list in it', `a.${encoded([])}.b`],
    ['no subject', tokenOf({ exp: 4_000_000_000 })],
    ['no end', tokenOf({ sub: 'a' })],
    ['an end as text', tokenOf({ sub: 'a', exp: '4000000000' })],
    ['a claim twice', `a.${Buffer.from('{"sub":"a","sub":"b","exp":4000000000}').toString('base64url')}.b`],
    ['too long', `a.${'b'.repeat(20_000)}.c`],
  ])('that is %s is refused, and not shown', (_, token) => {
    expectThrown(
      () => readToken(token, now),
      AttestError,
      'IDENTITY_TOKEN',
      'the id token is no JSON Web Token with a subject and an end',
    );
  });

  it('that has expired, or an address that nobody verified, is refused', () => {
    expectThrown(
      () => readToken(tokenOf({ sub: 'a', exp: now.getTime() / 1000 }), now),
      AttestError,
      'IDENTITY_TOKEN',
      'the id token has expired',
    );
    const mail = { sub: 'a', email: 'a@example.com', exp: 4_000_000_000 };
    for (const email_verified of [false, 'true', undefined])
      expectThrown(
        () => readToken(tokenOf({ ...mail, email_verified }), now),
        AttestError,
        'IDENTITY_TOKEN',
        'the id token has an e-mail address that its issuer did not verify',
      );
    expect(readToken(tokenOf({ ...mail, email_verified: true }), now).subject).toBe('a@example.com');
    expect(readToken(` ${TOKEN}\n`, now)).toEqual({ token: TOKEN, subject: 'a job' });
  });
});

describe('a service that fails', () => {
  const token = { token: TOKEN, subject: 'a job' };
  const answering = (status: number, value: unknown, headers: Record<string, string> = {}): void => {
    services.answer = (_, response) => {
      response.writeHead(status, headers).end(typeof value === 'string' ? value : JSON.stringify(value));
      return true;
    };
  };

  it.each([
    ['a refusal', 403, {}, 'SIGSTORE_REFUSED', 'Fulcio refuses: HTTP 403'],
    ['an overload', 429, {}, 'SIGSTORE_UNAVAILABLE', 'Fulcio cannot be asked: HTTP 429'],
    ['a fault', 500, {}, 'SIGSTORE_UNAVAILABLE', 'Fulcio cannot be asked: HTTP 500'],
    ['no JSON', 201, 'x', 'SIGSTORE_UNAVAILABLE', 'Fulcio cannot be asked: its answer is no JSON'],
    [
      'nothing',
      201,
      {},
      'SIGSTORE_UNAVAILABLE',
      'Fulcio cannot be asked: its answer holds no certificate for our key',
    ],
    [
      'garbage',
      201,
      { signedCertificateEmbeddedSct: { chain: { certificates: ['x'] } } },
      'SIGSTORE_UNAVAILABLE',
      'Fulcio cannot be asked: its answer holds no certificate for our key',
    ],
    [
      'too much',
      201,
      'x'.repeat(1024 * 1024 + 1),
      'SIGSTORE_UNAVAILABLE',
      'Fulcio cannot be asked: it answers with more than 1048576 bytes',
    ],
  ])('Fulcio: %s', async (_, status, value, code, message) => {
    answering(status, value);
    await expectRejected(certify(services.url, token), AttestError, code, message);
  });

  it('Fulcio: the certificate of another key', async () => {
    const other = await certify(services.url, token);
    answering(201, { signedCertificateEmbeddedSct: { chain: { certificates: [other.certificate?.pem] } } });
    await expectRejected(certify(services.url, token), AttestError, 'SIGSTORE_UNAVAILABLE');
  });

  it('Fulcio: a redirect is not followed, as the token would go along', async () => {
    answering(307, '', { location: `${services.url}/elsewhere` });
    await expectRejected(certify(services.url, token), AttestError, 'SIGSTORE_UNAVAILABLE');
    expect(services.asked).toHaveLength(1);
  });

  it.each([
    'http://fulcio.example',
    'ftp://127.0.0.1',
    'fulcio',
    'https://user:password@fulcio.example',
    'https://fulcio.example/?a=b',
  ])('is not at %s', async (url) => {
    await expectRejected(certify(url, token), AttestError, 'SIGSTORE_UNAVAILABLE');
    const signer = readSigner(generateKeyPair().privateKeyPem);
    const bundle = await signArtefact(ARTIFACT, signer);
    for (const witnesses of [{ rekor: { url, version: 1 } }, { timestamp: url }] as const)
      await expectRejected(witnessed(bundle, signer, witnesses), AttestError, 'SIGSTORE_UNAVAILABLE');
  });

  it.each([
    [400, 'SIGSTORE_REFUSED', 'refuses: HTTP 400'],
    [409, 'SIGSTORE_REFUSED', 'refuses: HTTP 409'],
    [500, 'SIGSTORE_UNAVAILABLE', 'cannot be asked: HTTP 500'],
    [201, 'SIGSTORE_UNAVAILABLE', 'cannot be asked: it does not answer as it should'],
  ])('Rekor: HTTP %i', async (status, code, message) => {
    answering(status, 'SECRET');
    const signer = readSigner(generateKeyPair().privateKeyPem);
    const bundle = await signArtefact(ARTIFACT, signer);
    for (const version of [1, 2] as const)
      await expectRejected(
        witnessed(bundle, signer, { rekor: { url: services.url, version } }),
        AttestError,
        code,
        `Rekor ${message}`,
      );
  });

  it.each([
    [400, 'SIGSTORE_REFUSED', 'refuses: HTTP 400'],
    [503, 'SIGSTORE_UNAVAILABLE', 'cannot be asked: HTTP 503'],
  ])('the timestamp authority: HTTP %i', async (status, code, message) => {
    answering(status, 'SECRET');
    const signer = readSigner(generateKeyPair().privateKeyPem);
    const bundle = await signArtefact(ARTIFACT, signer);
    await expectRejected(
      witnessed(bundle, signer, { timestamp: services.url }),
      AttestError,
      code,
      `the timestamp authority ${message}`,
    );
  });

  it('prints no token', async () => {
    for (const [status, value] of [
      [403, TOKEN],
      [500, TOKEN],
      [201, TOKEN],
    ] as const) {
      answering(status, value);
      const { exit, out, err } = await run(['sign', artefact], ['--timestamp', services.url]);
      expect({ exit, out }).toEqual({ exit: 5, out: '' });
      expect(err).not.toContain('TESTsignature');
    }
  });
});

describe('a signature by a key', () => {
  it('may have a timestamp, and an entry in a log of version 1', async () => {
    const argv = ['sign', artefact, '--key', key, '--timestamp', services.url];
    const { exit, out } = await countersign(argv);
    const { publicKey, timestampVerificationData } = JSON.parse(out).verificationMaterial;
    expect({ exit, publicKey, count: timestampVerificationData.rfc3161Timestamps.length }).toEqual({
      exit: 0,
      publicKey: { hint: expect.stringMatching(/^SHA256:/) },
      count: 1,
    });
  });
});

describe('the command line', () => {
  it.each([
    [['--keyless', '--fulcio', 'u'], '--keyless needs a time'],
    [['--keyless', '--fulcio', 'u', '--rekor', 'u', '--rekor-version', '2'], '--keyless needs a time'],
    [['--keyless', '--timestamp', 'u'], '--keyless needs --fulcio'],
    [['--key', key, '--rekor', 'u', '--rekor-version', '2'], '--rekor-version 2 needs --keyless'],
    [['--key', key, '--rekor', 'u', '--rekor-version', '3'], '--rekor-version "3" is not known'],
    [['--key', key, '--keyless', '--fulcio', 'u'], '--keyless and --key exclude each other'],
    [['--timestamp', 'u'], '--key is missing'],
  ])('sign %j is refused', async (argv, message) => {
    expect(await countersign(['sign', artefact, ...argv])).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringContaining(`countersign: ${message}`),
    });
  });

  it('attests into our ledger with a key only', async () => {
    const argv = ['attest', artefact, '--predicate', predicate, '--type', 'spdx', '--state', folder];
    expect(await run(argv, ['--timestamp', services.url])).toMatchObject({
      exit: 2,
      err: expect.stringContaining('--state and --keyless exclude each other'),
    });
  });

  it('has the digest that was asked about', () => {
    expect(hash('sha256', ARTIFACT)).toBe(DIGEST);
  });
});
