// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { checked, objectOf, predicateOf, type Shop, shopOf } from './shop.ts';

// What is recorded is compiled afresh.
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

const ABOUT = ['--env', 'production', '--reason', 'driver', '--ticket', 'SEC-1', '--expires', '14d'];
const WEB = 'shop.example/Machine/shop/web';

describe('a waiver', () => {
  it('lets through exactly what it is about, once somebody else has approved it', async () => {
    const here = shop();
    here.put('deploy/web.yaml', objectOf('web', true));
    expect((await checked(here, undefined)).exit).toBe(1);
    const asked = await here.as('alice', ['waive', 'main.deny_privileged', '--object', WEB, ...ABOUT]);
    expect(asked).toMatchObject({ exit: 0, err: '' });
    const file = asked.out.split(':')[0] ?? '';
    expect(
      asked.out
        .replaceAll(here.folder, 'DIR')
        .replaceAll(/[0-9a-f]{64}/g, 'SHA')
        .replaceAll(/[0-9a-f]{12}/g, 'ID'),
    ).toBe(
      `DIR/signed/waiver-ID.json: alice asks for an exception from "main.deny_privileged"
object      shop.example/Machine/shop/web
environment production
until       2026-12-08T12:00:00.000Z
not for     what is critical: it is too long for that
statement   sha256:SHA
next: countersign approve DIR/signed/waiver-ID.json --env production, by somebody else
`,
    );
    const alone = await checked(here, undefined);
    expect(alone).toMatchObject({ exit: 1 });
    expect(alone.err).toContain('nobody but alice, who asks for it, has approved it');

    expect(await here.as('alice', ['approve', file, '--env', 'production'])).toMatchObject({
      exit: 2,
      err: 'countersign: alice has signed it already\nhint: somebody else is to approve it\n',
    });
    const agreed = await here.as('carol', ['approve', file, '--env', 'production'], '12:01:00');
    expect(agreed).toMatchObject({ exit: 0, err: '' });
    expect(agreed.out).toContain('carol approves the waiver of alice');

    const allowed = await checked(here, 'ci', [], '12:02:00');
    const id = /sha256:([0-9a-f]{64})/.exec(asked.out)?.[1];
    expect({ exit: allowed.exit, basis: allowed.decision['basis'] }).toEqual({ exit: 0, basis: 'waiver' });
    expect(allowed.decision['findings']).toMatchObject([
      { rule: 'main.deny_privileged', result: 'skip', waiver: id },
    ]);
    expect(predicateOf(here)).toMatchObject({
      verdict: 'allow',
      basis: 'waiver',
      findings: [{ result: 'skip', waiver: id }],
    });

    here.put('deploy/web.yaml', `${objectOf('web', true)}---\n${objectOf('web-2', true)}`);
    const text = await here.run(['check', here.path('deploy'), '--env', 'production'], '12:02:00');
    expect(text.exit).toBe(1);
    expect(text.out).toContain(`    waived by sha256:${id}\n`);
    expect(text.out).toContain('denied: 1 failure, 0 warnings, 1 waived in 2 objects');
    const sarif = await here.run(
      ['check', here.path('deploy'), '--env', 'production', '--format', 'sarif'],
      '12:02:00',
    );
    expect(sarif.out).toContain(`"justification": "signed statement sha256:${id}"`);
    const junit = await here.run(
      ['check', here.path('deploy'), '--env', 'production', '--format', 'junit'],
      '12:02:00',
    );
    expect(junit.out).toContain(`<skipped message="web is privileged (sha256:${id})"/>`);

    const staging = await here.run(['check', here.path('deploy'), '--env', 'staging'], '12:02:00');
    expect(staging.exit).toBe(1);
  });

  it('that is too long for how severe it is does not count, and check says why', async () => {
    const here = shop();
    here.put('deploy/web.yaml', objectOf('web', true));
    const argv = ['waive', 'main.deny_privileged', '--object', WEB, ...ABOUT.slice(0, -1), '40d'];
    const { out } = await here.as('alice', argv);
    expect(out).toContain(
      'not for     what is critical: it is too long for that\nnot for     what is high: it is too long for that\n',
    );
    const file = out.split(':')[0] ?? '';
    await here.as('bob', ['approve', file, '--env', 'production'], '12:01:00');
    const id = /sha256:([0-9a-f]{64})/.exec(out)?.[1];
    const denied = await here.run(['check', here.path('deploy'), '--env', 'production'], '12:02:00');
    expect({ exit: denied.exit, err: denied.err }).toEqual({
      exit: 1,
      err: `note: waiver sha256:${id} does not count: what is high is waived for 30 days at most\n`,
    });
    expect(denied.out).toContain('denied: 1 failure, 0 warnings in 1 object');
  });

  it('is listed by the ledger with how often it was used, and counted in reports', async () => {
    const here = shop();
    here.put('deploy/web.yaml', objectOf('web', true));
    for (const object of [WEB, 'shop.example/Machine/shop/db']) {
      const { out } = await here.as('alice', ['waive', 'main.deny_privileged', '--object', object, ...ABOUT]);
      await here.as('bob', ['approve', out.split(':')[0] ?? '', '--env', 'production'], '12:01:00');
    }
    for (const time of ['12:02:00', '12:03:00']) expect((await checked(here, 'ci', [], time)).exit).toBe(0);
    const argv = ['records', 'waivers', '--env', 'production', '--state', here.path('state')];
    const list = await here.run(argv, '12:04:00');
    expect(list.out.replaceAll(/[0-9a-f]{64}/g, 'SHA').split('\n')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^expiring: main.deny_privileged for shop.example\/Machine\/shop\/web/),
        '    sha256:SHA, used by 2 decisions',
        expect.stringMatching(/^expiring, unused: main.deny_privileged for shop.example\/Machine\/shop\/db/),
        '    sha256:SHA, used by 0 decisions',
      ]),
    );
    const span = ['--from', '2026-11-24', '--state', here.path('state')];
    const report = ['report', 'sample', '--env', 'production', ...span, '--seed', 's', '--out'];
    expect((await here.run([...report, here.path('sample')], '12:05:00')).exit).toBe(0);
    expect(here.read('sample/index.md')).toContain(
      '- Waivers covered 2 findings in 2 of these decisions; 0 were let through by break-glass.',
    );
  });

  it('that was approved once more was used before that as well', async () => {
    const here = shop();
    here.put('deploy/web.yaml', objectOf('web', true));
    const { out } = await here.as('alice', ['waive', 'main.deny_privileged', '--object', WEB, ...ABOUT]);
    const approve = ['approve', out.split(':')[0] ?? '', '--env', 'production', '--expires'];
    expect((await here.as('bob', [...approve, '2h'], '12:01:00')).exit).toBe(0);
    expect((await checked(here, 'ci', [], '12:02:00')).exit).toBe(0);
    expect((await here.as('bob', [...approve, '3h'], '12:03:00')).exit).toBe(0);
    const argv = ['records', 'waivers', '--env', 'production', '--state', here.path('state')];
    const list = await here.run([...argv, '--format', 'json'], '12:04:00');
    expect(JSON.parse(list.out)).toEqual([
      expect.objectContaining({ notBefore: '2026-11-24T12:03:00.000Z', uses: 1, isUnused: false }),
    ]);
  });

  it('is listed with what is the matter with it', async () => {
    const here = shop();
    const waived = async (object: string, expires: string): Promise<void> => {
      const argv = ['waive', 'main.deny_privileged', '--object', object, ...ABOUT.slice(0, -1), expires];
      const { out, exit } = await here.as('alice', argv, '08:00:00');
      expect(exit).toBe(0);
      await here.as('bob', ['approve', out.split(':')[0] ?? '', '--env', 'production'], '08:01:00');
    };
    await waived(WEB, '3h');
    await waived('shop.example/Machine/shop/*', '10d');
    await waived('shop.example/Machine/shop/db', '30d');
    here.put('deploy/web.yaml', objectOf('db', true));
    const { out } = await checked(here, undefined);
    const decision = here.put('decision.json', out);
    const list = await here.run(['waivers', '--env', 'production', decision]);
    expect(list.out.replaceAll(/[0-9a-f]{64}/g, 'SHA')).toBe(
      `expired: main.deny_privileged for shop.example/Machine/shop/web, until 2026-11-24T11:00:00.000Z
    SEC-1, asked for by alice, approved by bob: driver
    sha256:SHA, used by 0 decisions
expiring, unused, too broad: main.deny_privileged for shop.example/Machine/shop/*, until 2026-12-04T08:00:00.000Z
    SEC-1, asked for by alice, approved by bob: driver
    sha256:SHA, used by 0 decisions
in force: main.deny_privileged for shop.example/Machine/shop/db, until 2026-12-24T08:00:00.000Z
    SEC-1, asked for by alice, approved by bob: driver
    sha256:SHA, used by 1 decision
3 waivers
`,
    );
    const json = await here.run(['waivers', '--env', 'production', '--format', 'json']);
    expect(JSON.parse(json.out)).toHaveLength(3);
  });

  it('can be taken back, and no copy of it helps', async () => {
    const here = shop();
    here.put('deploy/web.yaml', objectOf('web', true));
    const { out } = await here.as('alice', ['waive', 'main.deny_privileged', '--object', WEB, ...ABOUT]);
    const file = out.split(':')[0] ?? '';
    await here.as('carol', ['approve', file, '--env', 'production']);
    expect((await checked(here, undefined, [], '12:01:00')).exit).toBe(0);
    const revoked = await here.as('bob', ['revoke', file, '--env', 'production', '--reason', 'mended']);
    expect(revoked.out).toContain('bob revokes the waiver of alice');
    here.put('signed/copy.json', here.read(file.slice(here.folder.length + 1)));
    const denied = await checked(here, undefined, [], '12:01:00');
    expect(denied.exit).toBe(1);
    expect(denied.err).toContain('does not count: it was revoked');
  });

  it.each([
    [['waive', 'main.deny_privileged', '--object', 'web', ...ABOUT], '--object "web" is no id of an object'],
    [['waive', 'approval.missing', '--object', WEB, ...ABOUT], 'rule "approval.missing" is never waived'],
    [
      ['waive', 'x', '--object', WEB, ...ABOUT.slice(0, -1), '181d'],
      'what is low is waived for 180 days at most',
    ],
    [['waive', 'x', '--object', WEB, ...ABOUT.slice(0, -1), 'soon'], '--expires "soon" is no time to come'],
    [['waive', 'x', '--object', WEB, ...ABOUT.slice(0, -2)], '--expires is missing'],
    [['waive'], 'one rule is wanted'],
  ] as const)('is not signed: %j', async (argv, message) => {
    const here = shop();
    const { exit, err } = await here.as('alice', argv);
    expect({ exit, first: err.split('\n')[0] }).toEqual({ exit: 2, first: `countersign: ${message}` });
  });

  it('is not signed with a key that would not count', async () => {
    const here = shop();
    const { exit, err } = await here.as('ci', ['waive', 'x', '--object', WEB, ...ABOUT]);
    expect({ exit, err }).toEqual({
      exit: 5,
      err: 'countersign: this waiver would not count: key "ci" is not trusted for waiver [KEY_MISMATCH]\nhint: name the key under trust.keys with this use and environment, and under the people that it is one of theirs\n',
    });
  });
});
