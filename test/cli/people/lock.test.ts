// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { APPROVALS, checked, type Shop, shopOf } from './shop.ts';

jest.setTimeout(120_000);

const shops: Shop[] = [];
const shop = (...given: Parameters<typeof shopOf>): Shop => {
  const made = shopOf(...given);
  shops.push(made);
  return made;
};
afterAll(() => {
  for (const { folder } of shops) rmSync(folder, { recursive: true });
});

const pod = (image: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: [{name: web, image: '${image}'}]}\n`;
const WEB = `registry.example/web@sha256:${'1'.repeat(64)}`;
const OTHER = `registry.example/web@sha256:${'2'.repeat(64)}`;
const about = ['--env', 'production', '--release', '1.4'];

describe('a lock', () => {
  it('freezes what it names until two people open it', async () => {
    const here = shop();
    here.put('deploy/web.yaml', pod(WEB));
    const locked = await here.as('alice', ['lock', here.path('deploy'), '--objects', ...about]);
    expect(
      locked.out
        .replaceAll(here.folder, 'DIR')
        .replaceAll(/[0-9a-f]{64}/g, 'SHA')
        .replaceAll(/[0-9a-f]{12}/g, 'ID'),
    ).toBe(
      `DIR/signed/release-lock-ID.json: alice signs the lock of release "1.4"
locked image registry.example/web sha256:SHA
locked object /Pod/shop/web sha256:SHA
`,
    );
    expect((await checked(here, undefined)).exit).toBe(0);
    expect(await here.run(['verify', 'lock', here.path('deploy'), '--env', 'production'])).toMatchObject({
      exit: 0,
    });

    here.put('deploy/web.yaml', pod(OTHER));
    const denied = await checked(here, undefined);
    expect(denied.exit).toBe(1);
    expect(denied.decision['findings']).toMatchObject([{ rule: 'lock.changed' }, { rule: 'lock.changed' }]);
    const verified = await here.run(['verify', 'lock', here.path('deploy'), '--env', 'production']);
    expect(verified.exit).toBe(1);
    expect(verified.out).toContain('no  image "registry.example/web" of release "1.4" is locked, and is');

    const opened = await here.as(
      'alice',
      ['unlock', 'registry.example/web', '/Pod/shop/web', ...about],
      '12:10:00',
    );
    const next = /^next: countersign approve (\S+)/m.exec(opened.out)?.[1] ?? '';
    expect((await checked(here, undefined, [], '12:20:00')).exit).toBe(1);
    expect((await here.as('alice', ['approve', next, '--env', 'production'], '12:20:00')).exit).toBe(2);
    expect((await here.as('bob', ['approve', next, '--env', 'production'], '12:20:00')).exit).toBe(0);
    expect((await checked(here, undefined, [], '12:30:00')).exit).toBe(0);

    const again = await here.as('alice', ['lock', here.path('deploy'), ...about], '12:40:00');
    expect(again.out).toContain(`locked image registry.example/web sha256:${'2'.repeat(64)}\n`);
    expect(again.out).not.toContain('next:');
  });

  it('opens an artefact to a role, whose approval lets it change', async () => {
    const here = shop(APPROVALS);
    here.put('deploy/web.yaml', pod(WEB));
    await here.as('alice', ['lock', here.path('deploy'), ...about]);
    const { out } = await here.as(
      'bob',
      ['unlock', 'registry.example/web', '--role', 'owner', ...about],
      '12:10:00',
    );
    await here.as(
      'carol',
      ['approve', /^next: countersign approve (\S+)/m.exec(out)?.[1] ?? '', '--env', 'production'],
      '12:20:00',
    );
    here.put('deploy/web.yaml', pod(OTHER));
    await here.as('carol', ['approve', here.path('deploy'), '--env', 'production'], '12:21:00');
    const denied = await checked(here, 'alice', [], '12:30:00');
    expect(denied.exit).toBe(1);
    expect(denied.decision['findings']).toMatchObject([{ rule: 'lock.role', result: 'fail' }]);
  });

  it('that was tampered with denies instead of being passed over', async () => {
    const here = shop();
    here.put('deploy/web.yaml', pod(WEB));
    const { out } = await here.as('alice', ['lock', here.path('deploy'), ...about]);
    const name = (out.split(':')[0] ?? '').slice(here.folder.length + 1);
    const envelope = JSON.parse(here.read(name));
    const payload = Buffer.from(envelope.payload, 'base64').toString().replace('"locked"', '"open"');
    here.put(name, JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString('base64') }));
    here.put('deploy/web.yaml', pod(OTHER));
    const denied = await checked(here, undefined);
    expect(denied.exit).toBe(1);
    expect(denied.decision['findings']).toMatchObject([{ rule: 'statement.unverified', result: 'fail' }]);
    expect(await here.run(['verify', 'lock', '--env', 'production'])).toMatchObject({ exit: 1 });
  });

  it('holds objects by the names that they have in the cluster, custom kinds among them', async () => {
    const here = shop('', 'customKinds: [{group: shop.example, kind: Till, scope: Namespaced}]');
    const till = (size: number): string =>
      `apiVersion: shop.example/v1\nkind: Till\nmetadata: {name: till}\nspec: {size: ${size}}\n`;
    here.put('deploy/web.yaml', till(1));
    const argv = ['lock', here.path('deploy'), '--objects', ...about];
    const nameless = await here.as('alice', argv);
    expect({ exit: nameless.exit, code: /\[(\w+)\]/.exec(nameless.err)?.[1] }).toEqual({
      exit: 3,
      code: 'INPUT_SHAPE',
    });
    const locked = await here.as('alice', [...argv, '--namespace', 'shop']);
    expect(locked.out).toContain('locked object shop.example/Till/shop/till sha256:');
    here.put('deploy/web.yaml', till(2));
    const verify = ['verify', 'lock', here.path('deploy'), '--env', 'production'];
    expect(await here.run([...verify, '--namespace', 'shop'])).toMatchObject({ exit: 1 });
    expect(await here.run(verify)).toMatchObject({ exit: 3 });
  });

  it.each([
    [['lock', ...about], 'nothing is named that could be locked'],
    [
      ['lock', '--image', 'registry.example/web:1', ...about],
      'image "registry.example/web:1" is named without its digest',
    ],
    [['lock', '--image', WEB, '--image', OTHER, ...about], 'image "registry.example/web" has two digests'],
    [['unlock', 'x', ...about], '"x" is none of the artefacts of release "1.4"'],
  ] as const)('is not signed: %j', async (argv, message) => {
    const { exit, err } = await shop().as('alice', argv);
    expect({ exit, first: err.split('\n')[0] }).toEqual({ exit: 2, first: `countersign: ${message}` });
  });
});
