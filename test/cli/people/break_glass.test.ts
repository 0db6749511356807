// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { checked, objectOf, predicateOf, type Shop, shopOf } from './shop.ts';

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

const BREAK = 'approvals: [{role: security, count: 1, from: [security]}], breakGlass: {from: [alice, bob]}';
const INCIDENT = ['break-glass', '--env', 'production', '--incident', 'INC-9', '--for', '2h'];

describe('a broken glass', () => {
  it('lets recorded changes through, is announced, and is reviewed by somebody else', async () => {
    const here = shop(BREAK);
    here.put('deploy/web.yaml', objectOf('web', true));
    const broken = await here.as('alice', INCIDENT);
    expect(broken.exit).toBe(0);
    expect(broken.out).toContain(
      'alice breaks the glass of "production" for "INC-9", until 2026-11-24T14:00:00.000Z\n',
    );
    expect(broken.err).toBe(
      'warning: until 2026-11-24T14:00:00.000Z denied changes go through in "production"\nhint: each is recorded; somebody else is to review it within 72 hours of its end\n',
    );

    const unrecorded = await checked(here, undefined, [], '12:30:00');
    expect(unrecorded.exit).toBe(1);
    expect(unrecorded.err).toContain('it counts only for a decision that is recorded (--record)\n');

    const through = await checked(here, 'ci', [], '12:30:00');
    expect({ exit: through.exit, basis: through.decision['basis'] }).toEqual({
      exit: 0,
      basis: 'break-glass',
    });
    expect(through.err).toContain(
      'warning: break-glass "INC-9" by alice for "production", until 2026-11-24T14:00:00.000Z: 3 denials go through\n',
    );
    expect(predicateOf(here)).toMatchObject({ verdict: 'allow', basis: 'break-glass' });
    const text = await here.as(
      'ci',
      [
        'check',
        here.path('deploy'),
        '--env',
        'production',
        '--record',
        here.path('r.json'),
        '--state',
        here.path('state'),
      ],
      '12:31:00',
    );
    expect(text.out).toMatch(/ {4}let through by sha256:[0-9a-f]{64}\n/);
    expect(text.out).toMatch(/allowed: 0 failures, 3 warnings, let through by break-glass in 1 object/);

    expect((await checked(here, 'ci', [], '14:00:00')).exit).toBe(1);

    const open = await here.run(['reviews', '--env', 'production'], '13:00:00');
    expect(open).toMatchObject({ exit: 0 });
    expect(open.out).toContain(
      'open: "INC-9" by alice, until 2026-11-24T14:00:00.000Z, to be reviewed by 2026-11-27T14:00:00.000Z\n',
    );
    const file = broken.out.split(':')[0] ?? '';
    expect((await here.as('alice', ['approve', file, '--env', 'production'])).exit).toBe(2);
    expect((await here.as('carol', ['approve', file, '--env', 'production'], '15:00:00')).exit).toBe(0);
    const done = await here.run(['reviews', '--env', 'production'], '15:00:00');
    expect(done.out).toContain('reviewed by carol\n');
  });

  it('stays overdue until it is reviewed', async () => {
    const here = shop('breakGlass: {from: [alice], reviewWithinHours: 1}');
    await here.as('alice', [...INCIDENT.slice(0, -1), '30m']);
    const late = await here.run(['reviews', '--env', 'production'], '14:00:00');
    expect(late).toMatchObject({ exit: 1 });
    expect(late.out).toContain('1 overdue of 1\n');
    const { err } = await checked(here, undefined, [], '14:00:00');
    expect(err).toContain(
      'warning: the review of break-glass "INC-9" by alice is overdue since 2026-11-24T13:30:00.000Z\n',
    );
  });

  it('takes as many people as the environment says', async () => {
    const here = shop('breakGlass: {from: [alice, bob], quorum: 2}');
    here.put('deploy/web.yaml', objectOf('web', true));
    await here.as('alice', INCIDENT);
    expect((await checked(here, 'ci', [], '12:30:00')).exit).toBe(1);
    await here.as('bob', INCIDENT, '12:10:00');
    expect((await checked(here, 'ci', [], '12:30:00')).exit).toBe(0);
  });

  it.each([
    ['', INCIDENT, 'alice', 'the glass of environment "production" cannot be broken'],
    ['breakGlass: {from: [bob]}', INCIDENT, 'alice', 'alice may not break the glass of "production"'],
    ['breakGlass: {from: [bob]}', [...INCIDENT.slice(0, -1), '5h'], 'bob', '--for is longer than 4 hours'],
  ] as const)('is none under %j: %j by %s', async (environment, argv, who, message) => {
    const { exit, err } = await shop(environment).as(who, argv);
    expect({ exit, first: err.split('\n')[0] }).toEqual({ exit: 2, first: `countersign: ${message}` });
  });
});
