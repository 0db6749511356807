// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type VerifiedToken, verifyToken } from '../../../attest/tokens/index.ts';
import { compileSchema, oidcOf } from '../../../engine/context/index.ts';
import {
  claimsOf,
  GITHUB_JOB,
  GITLAB_JOB,
  ISSUER,
  issuerOf,
  jwksOf,
  NOW,
  providerKey,
  sign,
} from '../../attest/tokens/provider.ts';

const input: { $defs: object } = JSON.parse(readFileSync(resolve('engine/policy/input.schema.json'), 'utf8'));
const faultsOf = compileSchema({ $ref: '#/$defs/context', $defs: input.$defs });

async function tokenOf(kind: VerifiedToken['kind'], claims: object): Promise<VerifiedToken> {
  const key = await providerKey('one', 'ES256');
  const verdict = await verifyToken(await sign(key, claims), [issuerOf(jwksOf(key.jwk), kind)], NOW);
  if (!verdict.ok) throw new Error(verdict.reason);
  return verdict.token;
}

describe('a token in the context', () => {
  it.each([
    ['gitlab', GITLAB_JOB],
    ['github', GITHUB_JOB],
    ['generic', {}],
  ] as const)('of kind %s has the shape that is published', async (kind, job) => {
    const oidc = oidcOf(await tokenOf(kind, claimsOf(job)));
    expect(faultsOf({ time: NOW.toISOString(), oidc: [oidc] })).toEqual([]);
  });

  it('says what was verified, and leaves out what nobody said', async () => {
    const claims = claimsOf({ jti: undefined });
    expect(oidcOf(await tokenOf('generic', claims))).toEqual({
      issuer: ISSUER,
      provider: 'other',
      subject: 'project_path:shop/web:ref_type:branch:ref:main',
      audience: ['countersign'],
      issuedAt: '2026-11-24T11:59:00.000Z',
      expiresAt: '2026-11-24T12:05:00.000Z',
      kid: 'one',
      alg: 'ES256',
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      trust: 'verified',
      claims: JSON.parse(JSON.stringify(claims)),
    });
  });
});
