// SPDX-License-Identifier: Apache-2.0
// check --id-token: a rule that asks who deploys, a local provider, and tokens that do not hold.
import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { trustDigest } from '../../engine/context/trust.ts';
import { readDecision } from '../../engine/record/predicate.ts';
import {
  claimsOf,
  GITLAB_JOB,
  ISSUER,
  jwksOf,
  type ProviderKey,
  providerKey,
  sign,
} from '../attest/tokens/provider.ts';
import { countersign, type Outcome } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-tokens-'));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const PROJECT = put(
  'countersign.yaml',
  `apiVersion: countersign.dev/v1alpha1
kind: Project
issuers:
  - name: shop
    issuer: ${ISSUER}
    audience: countersign
    kind: gitlab
    jwks: {file: jwks.json}
`,
);
const RULE = put(
  'protected.rego',
  `# METADATA
# scope: package
# title: "Protected branches deploy"
# description: "The job that asks runs on a protected ref."
# custom:
#   severity: high
#   controls: []
#   remedy: "deploy from a protected branch"
package countersign.rules.job.protected_ref

import rego.v1

deny contains {"msg": "no job on a protected ref asks for this"} if not _is_protected

_is_protected if {
	some token in input.context.oidc
	token.trust == "verified"
	token.norm.refProtected == true
	token.norm.project == "shop/web"
}
`,
);
const OBJECT = put('object.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: web}\n');

let key: ProviderKey;
beforeAll(async () => {
  key = await providerKey('one', 'ES256');
  writeFileSync(join(folder, 'jwks.json'), jwksOf(key.jwk));
});

const check = (argv: readonly string[], env: Record<string, string> = {}): Promise<Outcome> =>
  countersign(['check', OBJECT, '--policy', RULE, ...argv], { env });
const withToken = async (claims: object): Promise<Outcome> =>
  check(['--project', PROJECT, '--id-token', 'ID_TOKEN'], { ID_TOKEN: await sign(key, claimsOf(claims)) });

describe('check --id-token', () => {
  it('shows rules what the token proves', async () => {
    expect(await withToken(GITLAB_JOB)).toMatchObject({ exit: 0, err: '' });
    expect(await withToken({ ...GITLAB_JOB, ref_protected: 'false' })).toMatchObject({ exit: 1, err: '' });
    expect(await check(['--project', PROJECT])).toMatchObject({ exit: 1 });
  });

  it('takes a file, and one line end behind the token', async () => {
    const file = put('token', `${await sign(key, claimsOf(GITLAB_JOB))}\n`);
    expect(await check(['--project', PROJECT, '--id-token', file])).toMatchObject({ exit: 0 });
  });

  it('changes the digest of the context, which is in the record', async () => {
    const digest = async (argv: readonly string[], env = {}): Promise<unknown> =>
      JSON.parse((await check([...argv, '--format', 'json'], env)).out).contextDigest;
    const env = { ID_TOKEN: await sign(key, claimsOf(GITLAB_JOB)) };
    const [without, one, same] = [
      await digest(['--project', PROJECT]),
      await digest(['--project', PROJECT, '--id-token', 'ID_TOKEN'], env),
      await digest(['--project', PROJECT, '--id-token', 'ID_TOKEN', '--id-token', 'ID_TOKEN'], env),
    ];
    expect(one).not.toBe(without);
    expect(same).toBe(one);
  });

  it('is named in the record by its digest, with the issuers that were believed', async () => {
    const deploy = put(
      'deploy.yaml',
      `${readFileSync(PROJECT, 'utf8')}environments: [{name: production, tier: production, namespaces: [web], packs: [{name: baseline, parameters: {images.registry: {registries: [r.example]}}}]}]\n`,
    );
    await countersign(['init', join(folder, 'new')]);
    const [record, keyFile] = [join(folder, 'record.json'), join(folder, 'new/.countersign/key.pem')];
    const recorded = ['--record', record, '--key', keyFile, '--state', join(folder, 'state')];
    const token = await sign(key, claimsOf(GITLAB_JOB));
    const argv = ['--project', deploy, '--env', 'production', '--id-token', 'ID_TOKEN', ...recorded];
    expect(await check(argv, { ID_TOKEN: token })).toMatchObject({ exit: 0 });
    const { payload } = JSON.parse(readFileSync(record, 'utf8')).dsseEnvelope;
    const statement = Buffer.from(payload, 'base64');
    const { evidence, trustDigest: whom } = readDecision(statement);
    const issuers = [
      { name: 'shop', issuer: ISSUER, audience: 'countersign', kind: 'gitlab', jwks: { file: 'jwks.json' } },
    ] as const;
    expect([evidence, whom]).toEqual([
      [
        {
          token: {
            issuer: ISSUER,
            subject: 'project_path:shop/web:ref_type:branch:ref:main',
            audience: ['countersign'],
            jti: '0192f1c4-0000-7000-8000-000000000000',
            kid: 'one',
            issuedAt: '2026-11-24T11:59:00.000Z',
            expiresAt: '2026-11-24T12:05:00.000Z',
          },
          digest: { sha256: hash('sha256', token) },
        },
      ],
      { sha256: trustDigest({ issuers }) },
    ]);
    for (const secret of [token, 'alice@shop.example']) expect(statement.toString()).not.toContain(secret);
  });

  it('is no answer where the token does not hold', async () => {
    const cases: readonly (readonly [object, string])[] = [
      [{ aud: 'other' }, 'the token is for "other", not for "countersign" alone'],
      [{ iss: 'https://evil.example' }, 'no issuer "https://evil.example" is trusted'],
      [
        { exp: claimsExp(-120), iat: claimsExp(-300), nbf: undefined },
        'the token expired at 2026-11-24T11:58:00.000Z',
      ],
    ];
    for (const [claims, reason] of cases)
      expect(await withToken({ ...GITLAB_JOB, ...claims })).toEqual({
        exit: 5,
        out: '',
        err: [
          `countersign: token "ID_TOKEN" is refused: ${reason} [TOKEN_REFUSED]`,
          'hint: the Project names under issuers whose tokens are believed, for which audience and by which keys\n',
        ].join('\n'),
      });
  });

  it('is refused without a Project that trusts an issuer', async () => {
    const empty = put('empty.yaml', 'apiVersion: countersign.dev/v1alpha1\nkind: Project\n');
    for (const argv of [[], ['--project', empty]])
      expect(await check([...argv, '--id-token', 'ID_TOKEN'], { ID_TOKEN: 'x' })).toEqual({
        exit: 2,
        out: '',
        err: [
          'countersign: --id-token needs a Project that trusts an issuer',
          'hint: declare it under issuers, with its audience and keys; see docs/tokens.md\n',
        ].join('\n'),
      });
  });

  it('says where there is no token, and never prints one', async () => {
    const missing = await check(['--project', PROJECT, '--id-token', 'NONE']);
    expect(missing.err.split('\n')[0]).toBe(
      'countersign: "NONE" is no variable of the environment, and no file that can be read [TOKEN_UNREADABLE]',
    );
    const empty = await check(['--project', PROJECT, '--id-token', 'ID_TOKEN'], { ID_TOKEN: '' });
    expect(empty.err.split('\n')[0]).toBe('countersign: there is no token in "ID_TOKEN" [TOKEN_UNREADABLE]');
    const secret = 'c2VjcmV0';
    const broken = await check(['--project', PROJECT, '--id-token', 'ID_TOKEN'], {
      ID_TOKEN: `${secret}.${secret}.${secret}`,
    });
    expect({
      exit: broken.exit,
      shown: broken.err.includes(secret) || broken.err.includes('secret'),
    }).toEqual({
      exit: 5,
      shown: false,
    });
  });

  it('is an error where the key set is none', async () => {
    put('jwks-broken.json', '{}');
    const project = put(
      'broken.yaml',
      `apiVersion: countersign.dev/v1alpha1\nkind: Project\nissuers: [{name: a, issuer: "https://a.example", audience: b, kind: generic, jwks: {file: jwks-broken.json}}]\n`,
    );
    const { exit, err } = await check(['--project', project, '--id-token', 'ID_TOKEN'], { ID_TOKEN: 'x' });
    expect({ exit, code: /\[(\w+)\]/.exec(err)?.[1] }).toEqual({ exit: 5, code: 'TOKEN_KEYS' });
  });
});

const claimsExp = (seconds: number): number => Date.parse('2026-11-24T12:00:00Z') / 1_000 + seconds;
