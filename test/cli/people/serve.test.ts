// SPDX-License-Identifier: Apache-2.0
// What people signed, in the threads of a real server: the same as in a check.
import { rmSync } from 'node:fs';
import { request } from 'node:https';
import { afterAll, expect, it, jest } from '@jest/globals';
import { countersign, type Outcome } from '../world.ts';
import { checked, objectOf, type Shop, shopOf } from './shop.ts';

jest.setTimeout(120_000);

const shops: Shop[] = [];
afterAll(() => {
  for (const { folder } of shops) rmSync(folder, { recursive: true });
});

type Answer = {
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
  readonly status?: { readonly message: string };
};

/** Starts a server at a time of the day, asks, and returns what it logged. */
async function serving(
  here: Shop,
  time: string,
  work: (ask: (object: object) => Promise<Answer>) => Promise<void>,
): Promise<Outcome> {
  let stop = (): void => undefined;
  let started: (url: string) => void = () => undefined;
  const listening = new Promise<string>((resolve) => {
    started = resolve;
  });
  const argv = ['serve', '--listen', '127.0.0.1:0', '--threads', '2', '--state', here.path('state')];
  const ended = countersign([...argv, '--project', here.path('countersign.yaml')], {
    out: (text) => started(/https:\/\/\S+/.exec(text)?.[0] ?? ''),
    now: () => new Date(`2026-11-24T${time}Z`),
    onStop: (listener) => {
      stop = listener;
    },
  });
  const url = await Promise.race([listening, ended.then(({ err }) => Promise.reject(new Error(err)))]);
  // Its certificate begins at the server's own time, which the client's clock knows nothing of.
  const ask = (object: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = {
        method: 'POST',
        rejectUnauthorized: false,
        agent: false,
        headers: { 'content-type': 'application/json' },
      };
      const call = request(`${url}/v1/admit`, options, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve(JSON.parse(text).response));
      });
      call.on('error', reject);
      call.end(JSON.stringify(reviewFor(object)));
    });
  try {
    await work(ask);
  } finally {
    stop();
  }
  return ended;
}

const machine = (name: string): object => ({
  apiVersion: 'shop.example/v1',
  kind: 'Machine',
  metadata: { name, namespace: 'shop' },
  spec: { privileged: true },
});

const reviewFor = (object: object): object => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: '1c9c9c1e-0000-4000-8000-000000000001',
    kind: { group: 'shop.example', version: 'v1', kind: 'Machine' },
    resource: { group: 'shop.example', version: 'v1', resource: 'machines' },
    operation: 'CREATE',
    namespace: 'shop',
    name: 'web',
    userInfo: { username: 'alice' },
    object,
    dryRun: false,
  },
});

it('waivers, broken glasses and locks hold in a server as in a check', async () => {
  const here = shopOf('breakGlass: {from: [alice]}');
  shops.push(here);
  here.put('deploy/web.yaml', objectOf('web', true));
  const { out } = await here.as('alice', [
    'waive',
    'main.deny_privileged',
    '--object',
    'shop.example/Machine/shop/web',
    '--env',
    'production',
    '--reason',
    'driver',
    '--ticket',
    'SEC-1',
    '--expires',
    '2h',
  ]);
  await here.as('carol', ['approve', out.split(':')[0] ?? '', '--env', 'production']);
  expect((await checked(here, undefined, [], '12:30:00')).exit).toBe(0);
  await serving(here, '12:30:00', async (ask) => {
    expect(await ask(machine('web'))).toMatchObject({ allowed: true });
    const other = await ask(machine('web-2'));
    expect(other).toMatchObject({ allowed: false });
    expect(other.status?.message).toContain('main.deny_privileged: web-2 is privileged');
  });
  await serving(here, '14:00:00', async (ask) => {
    expect(await ask(machine('web'))).toMatchObject({ allowed: false });
  });

  await here.as(
    'alice',
    ['break-glass', '--env', 'production', '--incident', 'INC-9', '--for', '1h'],
    '15:00:00',
  );
  const broken = await serving(here, '15:30:00', async (ask) => {
    const { allowed, warnings } = await ask(machine('web-2'));
    expect({ allowed, warnings }).toEqual({
      allowed: true,
      warnings: ['main.deny_privileged: web-2 is privileged'],
    });
  });
  const events = broken.err.split('\n').filter((line) => line.includes('"event":"admission"'));
  expect(events.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', verdict: 'allow', basis: 'break-glass' },
  ]);
});
