// SPDX-License-Identifier: Apache-2.0
// What a record says its decision rested on: statements and tokens by their digests, and whom it was believed of.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { trustDigest } from '../../engine/context/trust.ts';
import { EngineError } from '../../engine/error.ts';
import { evidenceOf } from '../../engine/evidence.ts';
import type { JsonObject } from '../../engine/manifest/index.ts';
import { canonicalText } from '../../engine/record/canonical.ts';
import { readDecision } from '../../engine/record/predicate.ts';
import { statementOf } from '../../engine/record/statement.ts';
import { openJudge } from '../../engine/review.ts';
import { expectThrown } from '../expect.ts';
import { changeOf, FACTS, policyOf, ruleAt } from './judge.ts';

const hex = (digit: string): string => digit.repeat(64);
const IMAGE = `sha256:${hex('a')}`;
const OTHER = `sha256:${hex('b')}`;

const claim = (part: JsonObject = {}): string =>
  canonicalText({
    subject: IMAGE,
    digest: `sha256:${hex('1')}`,
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: { secret: 'hunter2' },
    known: true,
    signer: { kind: 'keyless', name: 'ci', issuer: 'https://issuer.example', identity: 'https://ci.example' },
    at: '2026-11-24T11:00:00.000Z',
    ...part,
  });

const TOKEN: JsonObject = {
  issuer: 'https://gitlab.example',
  provider: 'gitlab',
  subject: 'project_path:shop/web',
  audience: ['countersign'],
  issuedAt: '2026-11-24T11:59:00.000Z',
  expiresAt: '2026-11-24T12:05:00.000Z',
  jti: 'j-1',
  kid: 'k',
  alg: 'ES256',
  digest: `sha256:${hex('2')}`,
  trust: 'verified',
  claims: { email: 'hunter2@example' },
};

const STATED = {
  subject: { sha256: hex('a') },
  predicateType: 'https://slsa.dev/provenance/v1',
  digest: { sha256: hex('1') },
  signer: { kind: 'keyless', name: 'ci', issuer: 'https://issuer.example', identity: 'https://ci.example' },
  at: '2026-11-24T11:00:00.000Z',
};

describe('evidence', () => {
  it('names each statement and token by its digest, whole, and nothing of their content', () => {
    const bare = claim({
      subject: OTHER,
      digest: `sha256:${hex('3')}`,
      signer: { kind: 'key', name: 'k', keyId: 'id' },
    });
    const claims = new Map([
      [OTHER, [bare.replace(/"at":"[^"]*",/, '')]],
      [IMAGE, [claim(), claim()]],
    ]);
    expect(evidenceOf({ claims, oidc: [TOKEN] }, 300)).toEqual({
      evidence: [
        {
          subject: { sha256: hex('b') },
          predicateType: 'https://slsa.dev/provenance/v1',
          digest: { sha256: hex('3') },
          signer: { kind: 'key', name: 'k', keyId: 'id' },
        },
        STATED,
        {
          token: {
            issuer: 'https://gitlab.example',
            subject: 'project_path:shop/web',
            audience: ['countersign'],
            jti: 'j-1',
            kid: 'k',
            issuedAt: '2026-11-24T11:59:00.000Z',
            expiresAt: '2026-11-24T12:05:00.000Z',
          },
          digest: { sha256: hex('2') },
        },
      ].sort((a, b) => ('token' in a ? 1 : 'token' in b ? -1 : canonicalText(a) < canonicalText(b) ? -1 : 1)),
    });
  });

  it('is empty where nothing was found, and absent where nothing was looked for', () => {
    expect(evidenceOf({ claims: new Map([[IMAGE, []]]) }, 300)).toEqual({ evidence: [] });
    expect(evidenceOf({}, 300)).toEqual({});
  });

  it('is the same whatever the order it was found in; listed and counted are all', () => {
    const texts = Array.from({ length: 9 }, (_, index) =>
      claim({ digest: `sha256:${hex(String(index))}`, predicateType: index < 7 ? 'a' : 'b' }),
    );
    const whole = evidenceOf({ claims: new Map([[IMAGE, texts]]) }, 3);
    expect(whole).toMatchObject({
      evidence: { length: 5 },
      omittedEvidence: [{ predicateType: 'a', count: 4 }],
    });
    fc.assert(
      fc.property(fc.shuffledSubarray(texts, { minLength: 9 }), (shuffled) => {
        expect(evidenceOf({ claims: new Map([[IMAGE, shuffled]]) }, 3)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});

const ENGINE = { version: '0.1.0', opa: '1.22.2' };
const BENCH = { policies: [policyOf('p', [ruleAt('pod.a', '/metadata', () => false)])], enforcement: {} };
const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'shop' } };

/** The record of a check of a Pod. */
const recordOf = (part: object): Uint8Array =>
  statementOf(openJudge(BENCH).review(changeOf(POD, part), FACTS), ENGINE);

describe('a record', () => {
  it('says what its decision rested on, and of whom that was believed', () => {
    const { evidence, trustDigest: whom } = readDecision(
      recordOf({ claims: new Map([[IMAGE, [claim()]]]), oidc: [TOKEN], trustDigest: hex('9') }),
    );
    expect([evidence, whom]).toEqual([
      [STATED, { token: expect.objectContaining({ jti: 'j-1' }), digest: { sha256: hex('2') } }],
      { sha256: hex('9') },
    ]);
    const plain = readDecision(recordOf({}));
    expect([plain.evidence, plain.trustDigest]).toEqual([undefined, undefined]);
  });

  it('holds no predicate and no claim of a token', () => {
    const text = Buffer.from(recordOf({ claims: new Map([[IMAGE, [claim()]]]), oidc: [TOKEN] })).toString();
    expect(text).not.toContain('hunter2');
  });

  it('of more than 256 KiB counts statements by type, and stays a record', () => {
    const texts = Array.from({ length: 2_000 }, (_, index) =>
      claim({ digest: `sha256:${String(index).padStart(64, '0')}` }),
    );
    const { evidence = [], omittedEvidence } = readDecision(recordOf({ claims: new Map([[IMAGE, texts]]) }));
    expect([evidence.length, omittedEvidence]).toEqual([
      300,
      [{ predicateType: 'https://slsa.dev/provenance/v1', count: 1_700 }],
    ]);
  });

  it.each([
    ['no signer', { subject: { sha256: hex('a') }, predicateType: 't', digest: { sha256: hex('1') } }],
    ['an unknown member', { ...STATED, verified: true }],
    ['another digest', { ...STATED, digest: { sha512: hex('1') } }],
    ['no hexadecimal', { ...STATED, digest: { sha256: hex('G') } }],
    ['another kind of signer', { ...STATED, signer: { kind: 'friend' } }],
    ['a time that is none', { ...STATED, at: 'yesterday' }],
    ['a token and a statement', { ...STATED, token: {} }],
    ['a token of nobody', { token: { issuer: 'i' }, digest: { sha256: hex('1') } }],
    ['text', 'sha256'],
  ])('with evidence that is %s is refused', (_, evidence) => {
    const statement = JSON.parse(Buffer.from(recordOf({})).toString());
    const changed = { ...statement, predicate: { ...statement.predicate, evidence: [evidence] } };
    expectThrown(() => readDecision(Buffer.from(JSON.stringify(changed))), EngineError, 'RECORD_SHAPE');
  });

  it.each([
    ['evidence', {}],
    ['trustDigest', hex('1')],
    ['omittedEvidence', []],
    ['omittedEvidence', [{ predicateType: 't', count: 0 }]],
  ])('with %s of another shape is refused', (member, value) => {
    const statement = JSON.parse(Buffer.from(recordOf({})).toString());
    const changed = { ...statement, predicate: { ...statement.predicate, [member]: value } };
    expectThrown(() => readDecision(Buffer.from(JSON.stringify(changed))), EngineError, 'RECORD_SHAPE');
  });
});

describe('the trust digest', () => {
  const trust = { keys: [{ name: 'k' }] };
  const root = `sha256:${hex('4')}`;

  it('is that of the canonical JSON of whom was believed', () => {
    // printf '{"trust":{"keys":[{"name":"k"}]},"trustedRoot":"sha256:4444…"}' | sha256sum
    expect(trustDigest({ trust }, root)).toBe(
      '9b4a509235ad1f0d51634813c6bbe0b270cd052c6b31efa6db7c757051a94d5f',
    );
  });

  it('is another one for any other key, issuer, login or root', () => {
    const issuer = {
      name: 'i',
      issuer: 'https://i.example',
      audience: 'a',
      kind: 'generic',
      jwks: { file: 'f' },
    } as const;
    const login = { issuer: 'i', uses: ['approval'], environments: ['*'] };
    const digests = [
      trustDigest({}),
      trustDigest({ trust }),
      trustDigest({ trust }, root),
      trustDigest({ trust }, `sha256:${hex('5')}`),
      trustDigest({ trust: { identities: [{ name: 'k' }] } }),
      trustDigest({ issuers: [issuer] }),
      trustDigest({ login }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    // Where the file lies says nothing of whom is believed.
    const moved = { ...issuer, jwks: { file: '../f' } };
    expect(trustDigest({ issuers: [moved] })).toBe(trustDigest({ issuers: [issuer] }));
  });
});
