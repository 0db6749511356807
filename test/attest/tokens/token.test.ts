// SPDX-License-Identifier: Apache-2.0
// Each negative differs from the good token in one thing. Attacks by the numbers of their list: 30, 31, 66, and a `kid` that is a path.
import { createHmac, hash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CompactEncrypt, CompactSign, exportSPKI, importJWK } from 'jose';
import { AttestError } from '../../../attest/error.ts';
import {
  fixedKeyring,
  memoryUses,
  TOKEN_SKEW_MS,
  type TokenIssuer,
  useOnce,
  type VerifiedToken,
  verifyToken,
} from '../../../attest/tokens/index.ts';
import { expectThrown } from '../../expect.ts';
import { runMutants } from './mutants.ts';
import {
  AUDIENCE,
  claimsOf,
  GITHUB_JOB,
  GITLAB_JOB,
  ISSUER,
  issuerOf,
  jwksOf,
  NOW,
  NOW_S,
  type ProviderKey,
  providerKey,
  sign,
} from './provider.ts';

let key: ProviderKey;
let other: ProviderKey;
let issuers: readonly TokenIssuer[];

beforeAll(async () => {
  [key, other] = [await providerKey('one', 'RS256'), await providerKey('two', 'ES256')];
  issuers = [issuerOf(jwksOf(key.jwk, other.jwk))];
});

const told = async (token: string, now = NOW, of = issuers): Promise<string> => {
  const verdict = await verifyToken(token, of, now);
  return verdict.ok ? 'ok' : `${verdict.code} ${verdict.reason}`;
};
const toldOf = async (claims: object): Promise<string> => told(await sign(key, claimsOf(claims)));
const verified = async (token: string, of = issuers): Promise<VerifiedToken> => {
  const verdict = await verifyToken(token, of, NOW);
  if (!verdict.ok) throw new Error(`${verdict.code}: ${verdict.reason}`);
  return verdict.token;
};
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token that holds', () => {
  it('of a GitLab job has its facts, ids as strings and booleans as booleans', async () => {
    const claims = claimsOf(GITLAB_JOB);
    const token = await sign(key, claims);
    expect(await verified(token)).toEqual({
      name: 'shop',
      digest: `sha256:${hash('sha256', token)}`,
      kind: 'gitlab',
      issuer: ISSUER,
      subject: 'project_path:shop/web:ref_type:branch:ref:main',
      audience: AUDIENCE,
      issuedAt: '2026-11-24T11:59:00.000Z',
      expiresAt: '2026-11-24T12:05:00.000Z',
      id: '0192f1c4-0000-7000-8000-000000000000',
      keyId: 'one',
      algorithm: 'RS256',
      claims,
      facts: {
        project: 'shop/web',
        projectId: '20',
        ref: 'refs/heads/main',
        refType: 'branch',
        refProtected: true,
        sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
        environment: 'production',
        environmentProtected: false,
        deploymentTier: 'production',
        environmentAction: 'start',
        pipelineId: '574',
        jobId: '302',
        user: 'alice',
        userId: '1',
        runnerEnvironment: 'self-hosted',
        ciConfigRef: 'gitlab.example.com/shop/web//.gitlab-ci.yml@refs/heads/main',
        ciConfigSha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
        jobSource: 'pipeline_execution_policy',
        policyJob: { url: 'https://gitlab.example.com/shop/policies/-/blob/main/p.yml', sha: 'abc' },
        visibility: 'private',
      },
    });
  });

  it('of a GitHub job too, with the thumbprint in its header', async () => {
    const token = await sign(key, claimsOf(GITHUB_JOB), { x5t: 'eBZ_cn3sXYAd0ch4THBKHIgOwOE' });
    const { facts } = await verified(token, [issuerOf(jwksOf(key.jwk), 'github')]);
    expect(facts).toEqual({
      project: 'shop/web',
      projectId: '74',
      ref: 'refs/heads/main',
      refType: 'branch',
      refProtected: true,
      sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
      environment: 'production',
      user: 'alice',
      userId: '12',
      runnerEnvironment: 'github-hosted',
      workflowRef: 'shop/web/.github/workflows/release.yml@refs/heads/main',
      jobWorkflowRef: 'shop/ci/.github/workflows/deploy.yml@refs/tags/v1',
      runId: '9340411',
      visibility: 'private',
    });
  });

  it('of an issuer of no kind that is known has no facts', async () => {
    const token = await verified(await sign(key), [issuerOf(jwksOf(key.jwk), 'generic')]);
    expect(token).not.toHaveProperty('facts');
    expect(token.claims).toEqual(claimsOf());
  });

  it.each(['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'PS384', 'RS512', 'EdDSA', 'Ed25519'])(
    'is signed with %s',
    async (name) => {
      const own = await providerKey('k', name);
      expect(await told(await sign(own), NOW, [issuerOf(jwksOf(own.jwk))])).toBe('ok');
      const { alg: _alg, use: _use, ...bare } = own.jwk;
      expect(await told(await sign(own), NOW, [issuerOf(jwksOf(bare))])).toBe('ok');
    },
  );

  it('may have its audience as a list of one, and no nbf', async () => {
    expect(await toldOf({ aud: [AUDIENCE] })).toBe('ok');
    expect(await toldOf({ nbf: undefined })).toBe('ok');
  });

  it('says what an older GitLab says', async () => {
    const older = {
      ...GITLAB_JOB,
      ref_path: undefined,
      ref: 'v1',
      ref_type: 'tag',
      project_id: 20,
      ref_protected: true,
    };
    expect((await verified(await sign(key, claimsOf(older)))).facts).toMatchObject({
      ref: 'refs/tags/v1',
      projectId: '20',
      refProtected: true,
    });
    const merge = {
      ...GITLAB_JOB,
      ref_path: undefined,
      ref_type: 'merge_request',
      environment: '',
      job_config: null,
    };
    const { facts } = await verified(await sign(key, claimsOf(merge)));
    for (const name of ['ref', 'environment', 'policyJob']) expect(facts).not.toHaveProperty(name);
  });
});

describe('a token that is none', () => {
  it.each([
    ['nothing', ''],
    ['one part', 'a'],
    ['two parts', 'a.b'],
    ['four parts', 'a.b.c.d'],
    ['no header', '.YQ.YQ'],
    ['a part with padding', 'YQ==.YQ.YQ'],
    ['a part of the other alphabet', 'a+/a.YQ.YQ'],
    ['a part with loose bits', 'YR.YQ.YQ'],
  ])('%s', async (_, text) => {
    expect(await told(text)).toBe('SHAPE this is no signed token in compact form');
  });

  it('by its size', async () => {
    expect(await told('a'.repeat(16_385))).toBe('SHAPE the token has 16385 characters, more than 16384');
  });

  it.each([
    ['null'],
    ['[]'],
    ['"x"'],
    ['x'],
    ['{"alg":"RS256","alg":"none"}'],
    [`{"a":${'['.repeat(70)}${']'.repeat(70)}}`],
  ])('with %s as header or payload', async (text) => {
    const bad = Buffer.from(text).toString('base64url');
    const good = part({ alg: 'RS256', kid: 'one' });
    expect(await told(`${bad}.${part({})}.YQ`)).toMatch(/^SHAPE the header is no JSON object/);
    expect(await told(`${good}.${bad}.YQ`)).toMatch(/^SHAPE the payload is no JSON object/);
  });

  it('but is encrypted: no password is ever stretched and nothing is inflated (30, 31)', async () => {
    const secret = new Uint8Array(32);
    const encrypted = await new CompactEncrypt(Buffer.from('{}'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(secret);
    expect(await told(encrypted)).toMatch(/^SHAPE /);
    const stretched = part({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2 ** 31, p2s: 'x', kid: 'one' });
    const before = performance.now();
    expect(await told(`${stretched}.YQ.YQ.YQ.YQ`)).toMatch(/^SHAPE /);
    expect(await told(`${stretched}.${part({ iss: ISSUER })}.YQ`)).toMatch(/^HEADER /);
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

describe('a header', () => {
  it.each([
    ['crit', ['exp']],
    ['b64', false],
    ['jku', 'https://evil.example/jwks'],
    ['x5u', 'https://evil.example/cert'],
    ['x5c', ['MIIB']],
    ['jwk', { kty: 'RSA' }],
    ['zip', 'DEF'],
    ['cty', 'JWT'],
    ['enc', 'A256GCM'],
    ['__proto__', {}],
    ['x', 1],
  ])('with %s is refused (31)', async (name, value) => {
    const head = Object.fromEntries([
      ['alg', 'RS256'],
      ['kid', 'one'],
      [name, value],
    ]);
    const [, payload, signature] = (await sign(key)).split('.');
    expect(await told(`${part(head)}.${payload}.${signature}`)).toBe(
      `HEADER the header has the member ${JSON.stringify(name)}`,
    );
  });

  it('that brings its own key is refused, though it verifies with that (30)', async () => {
    const own = await providerKey('one', 'ES256');
    const token = await sign(own, claimsOf(), { jwk: own.jwk });
    expect(await told(token)).toBe('HEADER the header has the member "jwk"');
  });

  it('is of an id token', async () => {
    expect(await told(await sign(key, claimsOf(), { typ: 'at+jwt' }))).toBe(
      'HEADER the token is of type "at+jwt"',
    );
    expect(await told(await sign(key, claimsOf(), { typ: undefined }))).toBe('ok');
  });

  it.each([[undefined], [''], [7], [null], [['one']], ['k'.repeat(257)]])(
    'names a key, not %j',
    async (kid) => {
      const text = `${part({ alg: 'RS256', kid })}.${part(claimsOf())}.YQ`;
      expect(await told(text)).toBe('HEADER the header names no key: "kid" is missing');
    },
  );

  it.each(['none', 'None', 'HS256', 'HS512', 'RS1', 'ES256K', 'dir', '', 'rs256'])(
    'with the algorithm %j is refused',
    async (alg) => {
      const text = `${part({ alg, kid: 'one' })}.${part(claimsOf())}.YQ`;
      expect(await told(text)).toBe(`ALGORITHM tokens signed with ${JSON.stringify(alg)} are not taken`);
    },
  );

  it('of a shared secret that is the public key is refused', async () => {
    const spki = await exportSPKI(Object(await importJWK(key.jwk, 'RS256')));
    const signed = `${part({ alg: 'HS256', kid: 'one' })}.${part(claimsOf())}`;
    const mac = createHmac('sha256', spki).update(signed).digest('base64url');
    expect(await told(`${signed}.${mac}`)).toBe('ALGORITHM tokens signed with "HS256" are not taken');
  });
});

describe('a key', () => {
  it.each([
    'three',
    '../one',
    '/etc/passwd',
    'https://evil.example/one',
    '__proto__',
    'constructor',
    'ONE',
    'one ',
    'one\0',
  ])('%j is looked up as text and found nowhere', async (kid) => {
    expect(await told(await sign(key, claimsOf(), { kid }))).toBe(
      `KEY_UNKNOWN issuer "shop" has no key ${JSON.stringify(kid)}`,
    );
  });

  it('verifies its own algorithms alone', async () => {
    const bare = { ...key.jwk, alg: undefined };
    const token = `${part({ alg: 'ES256', kid: 'one' })}.${part(claimsOf())}.YQ`;
    expect(await told(token, NOW, [issuerOf(jwksOf(bare))])).toBe('ALGORITHM key "one" is not for ES256');
    const padded = await sign({ ...key, algorithm: 'PS256', privateKey: await psOf(key) });
    expect(await told(padded)).toBe('ALGORITHM key "one" is not for PS256');
  });

  it('of another issuer, or of nobody, does not verify', async () => {
    const stranger = await providerKey('one', 'RS256');
    expect(await told(await sign(stranger))).toBe(
      'SIGNATURE the token does not hold: its signature is not by the configured key',
    );
    const [header, , signature] = (await sign(key)).split('.');
    const changed = part(claimsOf({ sub: 'admin' }));
    expect(await told(`${header}.${changed}.${signature}`)).toMatch(/^SIGNATURE /);
  });

  it('that is short, for encryption, or of an unknown kind is as if it were not there', async () => {
    const short = await shortKey();
    const unusable = [
      short.jwk,
      { ...other.jwk, use: 'enc' },
      { ...other.jwk, key_ops: ['sign'] },
      { ...other.jwk, alg: 'RSA-OAEP' },
      { ...other.jwk, crv: 'P-999' },
      { ...other.jwk, x: 'AAAA' },
      { kid: 'two' },
      7,
      null,
    ];
    for (const jwk of unusable)
      expect(await told(await sign(other), NOW, [issuerOf(jwksOf(Object(jwk)))])).toBe(
        'KEY_UNKNOWN issuer "shop" has no key "two"',
      );
    expect(await told(shortToken(short), NOW, [issuerOf(jwksOf(short.jwk))])).toMatch(/^KEY_UNKNOWN /);
  });
});

describe('a key set', () => {
  it.each([
    ['nothing', '', 'it is no JSON object with "keys"'],
    ['a list', '[]', 'it is no JSON object with "keys"'],
    ['no keys', '{"keys":{}}', 'it is no JSON object with "keys"'],
    ['keys twice', '{"keys":[],"keys":[]}', 'it is no JSON object with "keys"'],
    ['a secret', '{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}', 'it holds a secret or a private key'],
    ['a private key', '{"keys":[{"kty":"EC","d":"AAAA","kid":"a"}]}', 'it holds a secret or a private key'],
    [
      'too many keys',
      JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) }),
      'it has 101 keys, more than 100',
    ],
    ['too many bytes', ' '.repeat(256 * 1024 + 1), 'it has more than 262144 bytes'],
  ])('with %s is an error', (_, text, why) => {
    const message = `the key set of an issuer of tokens cannot be used: ${why}`;
    expectThrown(() => fixedKeyring(Buffer.from(text)), AttestError, 'TOKEN_KEYS', message);
  });

  it('with two keys of one kid is an error', () => {
    expectThrown(() => fixedKeyring(jwksOf(key.jwk, key.jwk)), AttestError, 'TOKEN_KEYS');
  });
});

describe('issuer and audience (66)', () => {
  it.each([
    undefined,
    '',
    7,
    'https://gitlab.example.com/',
    'https://gitlab.example.com.evil.example',
    'HTTPS://gitlab.example.com',
    [ISSUER],
  ])('iss %j is not trusted', async (iss) => {
    expect(await toldOf({ iss })).toMatch(/^ISSUER /);
  });

  it.each([
    undefined,
    '',
    'other',
    'countersign ',
    'Countersign',
    [],
    [AUDIENCE, 'other'],
    ['other', AUDIENCE],
    [[AUDIENCE]],
    { 0: AUDIENCE },
    7,
  ])('aud %j is refused', async (aud) => {
    expect(await toldOf({ aud })).toMatch(/^AUDIENCE the token is for .*, not for "countersign" alone$/);
  });

  it('cannot be judged where the keys cannot be had, and that is no refusal', async () => {
    const failure = new AttestError('TOKEN_KEYS', 'down');
    const [issuer] = issuers;
    const broken = { ...Object(issuer), keyring: { keyOf: () => Promise.reject(failure) } };
    await expect(verifyToken(await sign(key), [broken], NOW)).rejects.toBe(failure);
  });

  it('are quoted in a message, and cut where they are long', async () => {
    const reason = await toldOf({ iss: `https://evil.example/${'x'.repeat(500)}"\n` });
    expect(reason).toBe(`ISSUER no issuer "https://evil.example/${'x'.repeat(99)}…" is trusted`);
  });

  it('of two issuers each has its own keys', async () => {
    const two = [
      issuerOf(jwksOf(key.jwk)),
      issuerOf(jwksOf(other.jwk), 'generic', 'https://login.shop.example'),
    ];
    const crossed = await sign(key, claimsOf({ iss: 'https://login.shop.example' }));
    expect(await told(crossed, NOW, two)).toBe('KEY_UNKNOWN issuer "shop" has no key "one"');
  });
});

describe('time', () => {
  const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1_000);

  it('is between its issue and its end, with a minute for the clocks', async () => {
    const token = await sign(key);
    expect(await told(token, later(359))).toBe('ok');
    expect(await told(token, later(360))).toBe('TIME the token expired at 2026-11-24T12:05:00.000Z');
    expect(await told(token, later(-120))).toBe('ok');
    expect(await told(token, later(-121))).toBe(
      'TIME the token is not valid before 2026-11-24T11:59:00.000Z',
    );
  });

  it('honours nbf', async () => {
    expect(await toldOf({ nbf: NOW_S + 60 })).toBe('ok');
    expect(await toldOf({ nbf: NOW_S + 61 })).toBe(
      'TIME the token is not valid before 2026-11-24T12:01:01.000Z',
    );
  });

  it.each(['exp', 'iat'])('needs %s', async (name) => {
    expect(await toldOf({ [name]: undefined })).toMatch(new RegExp(`^TIME the claim "${name}" is`));
  });

  it.each([
    ['exp', `${NOW_S + 300}`],
    ['exp', NOW_S + 0.5],
    ['exp', -1],
    ['exp', 1e300],
    ['exp', null],
    ['iat', true],
    ['nbf', 'x'],
    ['nbf', null],
  ])('%s %j is no time', async (name, value) => {
    expect(await toldOf({ [name]: value })).toMatch(/which is no time in seconds$/);
  });

  it('is a day at most', async () => {
    expect(await toldOf({ iat: NOW_S, exp: NOW_S + 86_400 })).toBe('ok');
    expect(await toldOf({ iat: NOW_S, exp: NOW_S + 86_401 })).toMatch(/^TIME the token is made for 86401 s/);
    expect(await toldOf({ iat: NOW_S, exp: NOW_S })).toMatch(/^TIME the token is made for 0 s/);
  });
});

describe('claims', () => {
  it.each([
    [{ sub: undefined }, 'the token names no subject'],
    [{ sub: '' }, 'the token names no subject'],
    [{ sub: 7 }, 'the token names no subject'],
    [{ jti: '' }, 'the id of the token is ""'],
    [{ jti: 7 }, 'the id of the token is "7"'],
    [{ project_id: 1.5 }, 'the claim "project_id" is "1.5"'],
    [{ project_id: ['20'] }, 'the claim "project_id" is "[\\"20\\"]"'],
    [{ project_path: 7 }, 'the claim "project_path" is "7"'],
    [{ ref_protected: 'yes' }, 'the claim "ref_protected" is "yes"'],
    [{ ref_protected: 1 }, 'the claim "ref_protected" is "1"'],
    [{ job_config: 'x' }, 'the claim "job_config" is "x"'],
    [{ x: { y: [2 ** 60] } }, 'a number in the token is too large'],
  ])('%j: %s', async (claims, reason) => {
    expect(await toldOf(claims)).toBe(`CLAIMS ${reason}`);
  });

  it('whose signed bytes are no JSON object, or have a key twice, are refused', async () => {
    const raw = (text: string): Promise<string> =>
      new CompactSign(Buffer.from(text))
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .sign(key.privateKey);
    expect(await told(await raw('approved'))).toMatch(/^SHAPE /);
    const twice = JSON.stringify(claimsOf()).replace('{', '{"ref_protected":"false","ref_protected":"true",');
    expect(await told(await raw(twice))).toMatch(/^SHAPE /);
  });
});

describe('a token that holds once', () => {
  it('is refused the second time, until it would be refused anyway', async () => {
    const uses = memoryUses();
    const token = await verified(await sign(key));
    expect(await useOnce(token, uses, NOW)).toEqual({ ok: true, token });
    const again = { ok: false, code: 'REPLAY', reason: 'the token was used before' };
    expect(await useOnce(token, uses, NOW)).toEqual(again);
    const copy = await verified(await sign(key, claimsOf({ exp: NOW_S + 400 })));
    expect(await useOnce(copy, uses, NOW)).toEqual(again);
    expect(await useOnce({ ...token, issuer: 'https://other.example' }, uses, NOW)).toMatchObject({
      ok: true,
    });
  });

  it('is refused once its use may be forgotten, however early it was verified', async () => {
    const token = await verified(await sign(key));
    const last = new Date(Date.parse(token.expiresAt) + TOKEN_SKEW_MS);
    const expired = { ok: false, code: 'TIME', reason: 'the token has expired' };
    expect(await useOnce(token, memoryUses(), last)).toEqual(expired);
    expect(await useOnce(token, memoryUses(), new Date(last.getTime() - 1))).toEqual({ ok: true, token });
  });

  it('needs an id', async () => {
    const token = await verified(await sign(key, claimsOf({ jti: undefined })));
    const reason = 'the token has no id ("jti")';
    expect(await useOnce(token, memoryUses(), NOW)).toEqual({ ok: false, code: 'CLAIMS', reason });
  });

  it('is refused where no more can be remembered, and forgets what has expired, not what has not', async () => {
    const uses = memoryUses(2);
    const use = (name: string, untilMs: number, nowMs: number): Promise<string> =>
      uses.use(name, untilMs, nowMs);
    expect(await use('a', 10, 0)).toBe('first');
    expect(await use('b', 20, 0)).toBe('first');
    expect(await use('c', 30, 5)).toBe('full');
    expect(await use('a', 10, 5)).toBe('again');
    expect(await use('c', 30, 11)).toBe('first');
    expect(await use('b', 20, 11)).toBe('again');
    expect(await use('d', 40, 12)).toBe('full');
    const token = await verified(await sign(key));
    expect(await useOnce(token, memoryUses(0), NOW)).toMatchObject({ code: 'REPLAY' });
  });

  it('is one of many at once: one is the first', async () => {
    const uses = memoryUses();
    const answers = await Promise.all(Array.from({ length: 50 }, () => uses.use('a', 10, 0)));
    expect(answers.filter((answer) => answer === 'first')).toHaveLength(1);
  });
});

describe('mutants', () => {
  it('of good tokens are refused: 5,000 of them', async () => {
    const { made, accepted, codes } = await runMutants(5_000, 1);
    expect({ made, accepted }).toEqual({ made: 5_000, accepted: [] });
    expect(Object.keys(codes).length).toBeGreaterThan(4);
  });
});

/** The same private key, to be used with another padding. */
async function psOf({ privateKey }: ProviderKey): Promise<ProviderKey['privateKey']> {
  const { subtle } = globalThis.crypto;
  const pkcs8 = await subtle.exportKey('pkcs8', privateKey);
  return subtle.importKey('pkcs8', pkcs8, { name: 'RSA-PSS', hash: 'SHA-256' }, false, ['sign']);
}

interface ShortKey {
  readonly jwk: object;
  readonly sign: (data: string) => string;
}

/** jose makes no such key, so Node does. */
async function shortKey(): Promise<ShortKey> {
  const { generateKeyPairSync, sign: signBytes } = await import('node:crypto');
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'two', use: 'sig', alg: 'RS256' },
    sign: (data) => signBytes('sha256', Buffer.from(data), privateKey).toString('base64url'),
  };
}

function shortToken(short: ShortKey): string {
  const signed = `${part({ alg: 'RS256', kid: 'two' })}.${part(claimsOf())}`;
  return `${signed}.${short.sign(signed)}`;
}
