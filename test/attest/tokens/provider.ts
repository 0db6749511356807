// SPDX-License-Identifier: Apache-2.0
// An OIDC provider of our own: keys, their key set, and tokens as GitLab and GitHub issue them.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { fixedKeyring, type IssuerKind, type TokenIssuer } from '../../../attest/tokens/index.ts';

export const ISSUER = 'https://gitlab.example.com';
export const AUDIENCE = 'countersign';
export const NOW = new Date('2026-11-24T12:00:00Z');
export const NOW_S = NOW.getTime() / 1_000;

/** One key of the provider. */
export interface ProviderKey {
  readonly id: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function providerKey(id: string, algorithm: string, bits = 2_048): Promise<ProviderKey> {
  const options = /^[RP]S/.test(algorithm) ? { modulusLength: bits } : {};
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { ...options, extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: id, use: 'sig', alg: algorithm };
  return { id, algorithm, privateKey, jwk };
}

export const jwksOf = (...keys: readonly object[]): Buffer => Buffer.from(JSON.stringify({ keys }));

export const issuerOf = (jwks: Buffer, kind: IssuerKind = 'gitlab', issuer = ISSUER): TokenIssuer => ({
  name: 'shop',
  issuer,
  audience: AUDIENCE,
  kind,
  keyring: fixedKeyring(jwks),
});

/** What every token has; a member that is undefined is left out. */
export const claimsOf = (more: object = {}): object => ({
  iss: ISSUER,
  sub: 'project_path:shop/web:ref_type:branch:ref:main',
  aud: AUDIENCE,
  iat: NOW_S - 60,
  nbf: NOW_S - 65,
  exp: NOW_S + 300,
  jti: '0192f1c4-0000-7000-8000-000000000000',
  ...more,
});

export function sign(key: ProviderKey, claims: object = claimsOf(), header: object = {}): Promise<string> {
  const plain: Record<string, unknown> = JSON.parse(JSON.stringify(claims));
  return new SignJWT(plain)
    .setProtectedHeader({ alg: key.algorithm, typ: 'JWT', kid: key.id, ...header })
    .sign(key.privateKey);
}

/** A job of GitLab as its documentation lists the claims: ids and booleans are strings. */
export const GITLAB_JOB = {
  project_id: '20',
  project_path: 'shop/web',
  namespace_id: '72',
  namespace_path: 'shop',
  user_id: '1',
  user_login: 'alice',
  user_email: 'alice@shop.example',
  user_access_level: 'developer',
  job_project_id: '20',
  job_project_path: 'shop/web',
  pipeline_id: '574',
  pipeline_source: 'push',
  job_id: '302',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  groups_direct: ['shop', 'shop/payments'],
  environment: 'production',
  environment_protected: 'false',
  deployment_tier: 'production',
  environment_action: 'start',
  runner_id: 1,
  runner_environment: 'self-hosted',
  sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
  project_visibility: 'private',
  ci_config_ref_uri: 'gitlab.example.com/shop/web//.gitlab-ci.yml@refs/heads/main',
  ci_config_sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
  job_source: 'pipeline_execution_policy',
  job_config: { url: 'https://gitlab.example.com/shop/policies/-/blob/main/p.yml', sha: 'abc' },
};

/** A job of GitHub. */
export const GITHUB_JOB = {
  actor: 'alice',
  actor_id: '12',
  base_ref: '',
  environment: 'production',
  event_name: 'push',
  head_ref: '',
  job_workflow_ref: 'shop/ci/.github/workflows/deploy.yml@refs/tags/v1',
  job_workflow_sha: '1e5fdc8a',
  ref: 'refs/heads/main',
  ref_protected: 'true',
  ref_type: 'branch',
  repository: 'shop/web',
  repository_id: '74',
  repository_owner: 'shop',
  repository_owner_id: '65',
  repository_visibility: 'private',
  run_attempt: '2',
  run_id: '9340411',
  run_number: '10',
  runner_environment: 'github-hosted',
  sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
  workflow: 'deploy',
  workflow_ref: 'shop/web/.github/workflows/release.yml@refs/heads/main',
  workflow_sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
};

/** Answers on this machine; the URL of the key set, and how to stop. */
export function serveJwks(listener: RequestListener): Promise<{ url: URL; stop: () => Promise<void> }> {
  return new Promise((fulfil) => {
    const server: Server = createServer(listener).listen(0, '127.0.0.1', () => {
      const address: AddressInfo | string | null = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const stop = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done());
          server.closeAllConnections();
        });
      fulfil({ url: new URL(`http://127.0.0.1:${port}/jwks`), stop });
    });
  });
}
