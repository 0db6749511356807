// SPDX-License-Identifier: Apache-2.0
// What people have signed counts at a server as in a check: the statements of its own Project, and who asks by the token.
import { chmodSync, mkdirSync } from 'node:fs';
import { afterEach, expect, it, jest } from '@jest/globals';
import { generateKeyPair } from '../../../attest/sign/index.ts';
import { ISSUER } from '../../attest/tokens/provider.ts';
import { countersign, type Outcome } from '../world.ts';
import { podOf, type Running, remove, type Shop, serve, shopOf } from './shop.ts';

jest.setTimeout(120_000);

let server: Running | undefined;
let shop: Shop;
afterEach(async () => {
  await server?.stop();
  remove(shop);
});

const NOW = { now: () => new Date() };

async function shopWithPeople(): Promise<Shop> {
  const [alice, bob] = [generateKeyPair(), generateKeyPair()];
  const keys = [
    ['alice', alice],
    ['bob', bob],
  ] as const;
  const trusted = keys.map(([name, { publicKeyPem }]) => ({
    name,
    uses: ['approval', 'break-glass'],
    environments: ['production'],
    publicKey: publicKeyPem,
  }));
  const made = await shopOf(
    ', approvals: [{role: security, count: 1, from: [security]}], breakGlass: {from: [security]}',
    `statements: {directory: signed}
people:
  - {name: alice, groups: [security], keys: [alice], identities: [{issuer: "${ISSUER}", subject: "project_path:shop/web"}]}
  - {name: bob, groups: [security], keys: [bob]}
trust: {keys: ${JSON.stringify(trusted)}}
`,
  );
  for (const [name, { privateKeyPem }] of keys) chmodSync(made.put(`${name}.pem`, privateKeyPem), 0o600);
  mkdirSync(made.path('server/signed'));
  return made;
}

const sign = (who: string, argv: readonly string[]): Promise<Outcome> =>
  countersign(
    [
      ...argv,
      '--env',
      'production',
      '--key',
      shop.path(`${who}.pem`),
      '--project',
      shop.path('server/countersign.yaml'),
    ],
    NOW,
  );

async function ask(
  file: string,
  more: readonly string[] = [],
): Promise<Outcome & { readonly rules: string[] }> {
  const argv = ['check', shop.path(file), '--env', 'production', '--id-token', 'ID_TOKEN', ...more];
  const at = ['--server', server?.url ?? '', '--server-ca', shop.path('state/ca.pem'), '--format', 'json'];
  const trust = ['--trust', shop.path('state/trust.json')];
  const outcome = await countersign([...argv, ...at, ...trust], { ...NOW, env: await shop.token() });
  const { findings } = JSON.parse(outcome.out);
  return { ...outcome, rules: findings.map(({ rule }: { rule: string }) => rule) };
}

it('counts approvals of its own statements, and not that of who asks', async () => {
  shop = await shopWithPeople();
  server = await serve(shop);
  expect(await ask('job/web.yaml')).toMatchObject({ exit: 1, rules: ['approval.missing'] });
  expect((await sign('alice', ['approve', shop.path('job/web.yaml')])).exit).toBe(0);
  await server.stop();
  server = await serve(shop);
  expect(await ask('job/web.yaml')).toMatchObject({ exit: 1, rules: ['approval.missing'] });
  expect((await sign('bob', ['approve', shop.path('job/web.yaml')])).exit).toBe(0);
  await server.stop();
  server = await serve(shop);
  // Said to have written it, bob counts no more; nothing that a job says makes more people count.
  expect(await ask('job/web.yaml', ['--author', 'bob'])).toMatchObject({ exit: 1 });
  expect(await ask('job/web.yaml', ['--requester', 'bob'])).toMatchObject({ exit: 1 });
  expect(await ask('job/web.yaml')).toMatchObject({ exit: 0, rules: [], err: '' });
});

it('lets through what the glass is broken for, and says so', async () => {
  shop = await shopWithPeople();
  const broken = await sign('bob', ['break-glass', '--incident', 'INC-1', '--for', '1h', '--reason', 'down']);
  expect(broken.exit).toBe(0);
  server = await serve(shop);
  shop.put('job/bad.yaml', podOf('bad', true));
  const { exit, err } = await ask('job/bad.yaml');
  expect({ exit, err }).toEqual({
    exit: 0,
    err: 'warning: break-glass at the server: 2 denials go through\n',
  });
});
