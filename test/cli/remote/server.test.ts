// SPDX-License-Identifier: Apache-2.0
// `check --server` against a server in this process: the same decision as the server's own `check`, and no answer where there is none.
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { countersign, type Outcome } from '../world.ts';
import { podOf, type Running, remove, type Shop, serve, shopOf } from './shop.ts';

jest.setTimeout(120_000);

let shop: Shop;
let server: Running;
beforeAll(async () => {
  shop = await shopOf();
  server = await serve(shop);
});
afterAll(async () => {
  await server.stop();
  remove(shop);
});

const ask = (argv: readonly string[], env: Record<string, string> = {}): Promise<Outcome> =>
  countersign(['check', ...argv, '--server', server.url, '--server-ca', shop.path('state/ca.pem')], {
    env,
    now: () => new Date(),
  });
const production = async (file: string, argv: readonly string[] = [], more: object = {}): Promise<Outcome> =>
  ask([shop.path(file), '--env', 'production', '--id-token', 'ID_TOKEN', ...argv], await shop.token(more));
const trusted = (): string[] => ['--trust', shop.path('state/trust.json')];

describe('a check at a server', () => {
  it('allows what its policies allow, and writes a record that its trust file verifies', async () => {
    const record = shop.path('web.json');
    const { exit, err } = await production('job/web.yaml', [...trusted(), '--record', record]);
    expect({ exit, err }).toEqual({ exit: 0, err: `note: recorded allow in ${record}\n` });
    const argv = ['verify', 'record', record, ...trusted(), '--env', 'production'];
    const verified = await countersign([...argv, '--manifests', shop.path('job/web.yaml')], {
      now: () => new Date(),
    });
    expect(verified.exit).toBe(0);
    expect(readFileSync(`${record}.set.txt`, 'utf8')).toMatch(/^[0-9a-f]{64} {2}\/Pod\/shop\/web\n$/);
  });

  it('denies, with the positions of the job, as the same check with the Project of the server', async () => {
    const { exit, out, err } = await production('job/bad.yaml', [...trusted(), '--format', 'json']);
    expect({ exit, err }).toEqual({ exit: 1, err: '' });
    const decision = JSON.parse(out);
    const own = await countersign(
      [
        ...['check', shop.path('job/bad.yaml'), '--env', 'production', '--format', 'json'],
        ...['--project', shop.path('server/countersign.yaml'), '--id-token', 'ID_TOKEN'],
      ],
      { env: await shop.token(), now: () => new Date() },
    );
    const { findings, passed, evaluated, policies, projectDigest, setDigest } = JSON.parse(own.out);
    expect(decision).toMatchObject({
      ...{ verdict: 'deny', phase: 'check', environment: 'production' },
      ...{ findings, passed, evaluated, policies, projectDigest, setDigest },
    });
    expect(findings[0].location).toEqual({ file: shop.path('job/bad.yaml'), line: 10, column: 7 });
  });

  it('denies what definitions in the set deny, as the same check with the Project of the server', async () => {
    const definition =
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: guards.shop.example}\nspec:\n  group: shop.example\n  scope: Namespaced\n  names: {kind: Guard, plural: guards}\n  versions:\n    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {mode: {type: string}}}}}}}\n';
    const guard =
      'apiVersion: shop.example/v1\nkind: Guard\nmetadata: {name: g, namespace: shop}\nspec: {mode: 7, mdoe: off}\n';
    const file = shop.put('job/guard.yaml', `${definition}---\n${guard}`);
    const { exit, out } = await production('job/guard.yaml', [...trusted(), '--format', 'json']);
    const own = await countersign(
      [
        ...['check', file, '--env', 'production', '--format', 'json'],
        ...['--project', shop.path('server/countersign.yaml'), '--id-token', 'ID_TOKEN'],
      ],
      { env: await shop.token(), now: () => new Date() },
    );
    const { findings, policies } = JSON.parse(own.out);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ verdict: 'deny', findings, policies });
    expect(policies.map(({ name }: { name: string }) => name)).toContain('crds');
  });

  it.each(['text', 'sarif', 'junit'])('is told as %s as any check is', async (format) => {
    const { exit, out } = await production('job/bad.yaml', ['--format', format]);
    expect(exit).toBe(1);
    expect(out).toContain('bad is privileged');
  });

  it('shows rules what the token proves', async () => {
    expect(await production('job/web.yaml', [], { ref_protected: 'false' })).toMatchObject({ exit: 1 });
  });

  it('says where nobody is trusted for the record', async () => {
    expect(await production('job/web.yaml')).toMatchObject({
      exit: 0,
      err: "note: the record's signature was not verified: nobody is trusted for it (--trust FILE)\n",
    });
  });

  it('reads standard input, and puts objects into a namespace', async () => {
    const input = podOf('free').replace('  namespace: shop\n', '');
    const argv = ['check', '-', '--env', 'production', '--namespace', 'shop', '--id-token', 'ID_TOKEN'];
    const outcome = await countersign(
      [...argv, '--server', server.url, '--server-ca', shop.path('state/ca.pem'), '--format', 'json'],
      { env: await shop.token(), now: () => new Date(), input },
    );
    expect(outcome.exit).toBe(0);
  });

  it('checks for anybody where the environment says so, and for nobody else', async () => {
    const file = shop.put('job/open.yaml', podOf('open').replace('namespace: shop', 'namespace: open'));
    expect(await ask([file, '--env', 'open'])).toMatchObject({ exit: 0 });
    expect(await ask([file, '--env', 'production'])).toEqual({
      exit: 5,
      out: '',
      err: `countersign: the server "${new URL(server.url).host}" gives no decision: 401 CALLER_REFUSED: "the caller is refused: an id token is required" [SERVER_REFUSED]\nhint: the server says: the Project of the server names under issuers whose id tokens are believed, and for which audience\n`,
    });
  });
});

describe('no decision', () => {
  const refused = async (outcome: Promise<Outcome>, why: string, code = 'SERVER_REFUSED'): Promise<void> => {
    const { exit, out, err } = await outcome;
    expect({ exit, out }).toEqual({ exit: 5, out: '' });
    expect(err).toContain(why);
    expect(err).toContain(`[${code}]`);
  };

  it('for a token that was used before, also by a server that was started anew', async () => {
    const env = await shop.token();
    const argv = [shop.path('job/web.yaml'), '--env', 'production', '--id-token', 'ID_TOKEN'];
    expect(await ask(argv, env)).toMatchObject({ exit: 0 });
    await refused(ask(argv, env), 'the token was used before');
    await server.stop();
    server = await serve(shop);
    await refused(ask(argv, env), 'the token was used before');
  });

  it.each([
    ['for another audience', { aud: 'somebody' }, 'not for \\"countersign\\" alone'],
    ['of another issuer', { iss: 'https://evil.example' }, 'is trusted'],
    ['that has expired', { iat: 1_000_000, exp: 1_000_300 }, 'expired'],
    ['without an id', { jti: undefined }, 'has no id'],
  ])('for a token %s', async (_, claims, why) => {
    await refused(production('job/web.yaml', [], claims), why);
  });

  it('for an environment that the server does not have', async () => {
    const argv = [shop.path('job/web.yaml'), '--env', 'staging', '--id-token', 'ID_TOKEN'];
    await refused(ask(argv, await shop.token()), '404 REQUEST_ENVIRONMENT');
  });

  it('where the certificate is not proved, and no token is sent', async () => {
    const argv = ['check', shop.path('job/web.yaml'), '--env', 'production', '--id-token', 'ID_TOKEN'];
    const env = await shop.token();
    const outcome = countersign([...argv, '--server', server.url], { env, now: () => new Date() });
    await refused(outcome, 'cannot be reached', 'SERVER_UNAVAILABLE');
    // Images of jobs set it, and whoever is on the way would be believed.
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const unproved = countersign([...argv, '--server', server.url], { env, now: () => new Date() });
      await refused(unproved, 'cannot be reached', 'SERVER_UNAVAILABLE');
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
    expect(await ask(argv.slice(1), env)).toMatchObject({ exit: 0 });
  });

  it('where nobody listens', async () => {
    const argv = ['check', shop.path('job/web.yaml'), '--env', 'open', '--server', 'https://127.0.0.1:1'];
    await refused(countersign(argv), 'ECONNREFUSED', 'SERVER_UNAVAILABLE');
  });

  it('and no file where a record was wanted', async () => {
    const record = shop.path('none.json');
    await refused(ask([shop.path('job/web.yaml'), '--env', 'production', '--record', record]), '401');
    expect([record, `${record}.set.txt`].filter(existsSync)).toEqual([]);
  });

  it('where somebody else is trusted for the record', async () => {
    const other = await shopOf();
    const { generateKeyPair } = await import('../../../attest/sign/index.ts');
    const trust = JSON.parse(readFileSync(shop.path('state/trust.json'), 'utf8'));
    trust.keys[0].publicKey = generateKeyPair().publicKeyPem;
    const file = other.put('trust.json', JSON.stringify(trust));
    await refused(production('job/web.yaml', ['--trust', file]), 'its record does not hold', 'SERVER_ANSWER');
    remove(other);
  });
});

describe('what is refused before anything is sent', () => {
  const usage = async (argv: readonly string[], message: string): Promise<void> => {
    const { exit, out, err } = await countersign(['check', shop.path('job/web.yaml'), ...argv]);
    expect({ exit, out, first: err.split('\n')[0] }).toEqual({
      exit: 2,
      out: '',
      first: `countersign: ${message}`,
    });
  };
  const URL_FAULT = '--server is no https URL without user, query and fragment';

  it.each([
    [['--server', 'https://x.example'], '--server needs an environment'],
    [['--server', 'https://x.example', '--env', 'all'], '--server decides for one environment'],
    [['--server', 'http://x.example', '--env', 'e'], URL_FAULT],
    [['--server', 'https://u:p@x.example', '--env', 'e'], URL_FAULT],
    [['--server', 'https://x.example/?a', '--env', 'e'], URL_FAULT],
    [['--server', 'x', '--env', 'e'], URL_FAULT],
    [
      ['--server', 'https://x.example', '--env', 'e', '--id-token', 'a', '--id-token', 'b'],
      '--server takes one id token',
    ],
  ])('%j', usage);

  it('a file of certificates that holds none', async () => {
    const file = shop.path('job/web.yaml');
    await usage(
      ['--server', 'https://x.example', '--env', 'e', '--server-ca', file],
      `--server-ca ${JSON.stringify(file)} holds no certificate`,
    );
  });

  it('an object twice', async () => {
    const file = shop.put('job/twice.yaml', `${podOf('web')}---\n${podOf('web')}`);
    expect(await ask([file, '--env', 'open'])).toMatchObject({ exit: 3, out: '' });
  });
});
