// SPDX-License-Identifier: Apache-2.0
// Replay from outside: records of real policies, decided again from what the state folder keeps.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../../attest/fixture.ts';
import { countersign, type Outcome } from '../world.ts';

const folders = temporaryFolders();
const root = folders.make();
const state = join(root, '.countersign');
const project = join(root, 'countersign.yaml');
afterAll(() => folders.removeAll());

const put = (name: string, text: string): string => {
  writeFileSync(join(root, name), text);
  return join(root, name);
};
const ruleOf = (name: string, kind: string): string => {
  mkdirSync(join(root, name), { recursive: true });
  return put(
    `${name}/policy.rego`,
    `package main\nimport rego.v1\ndeny_${kind.toLowerCase()} contains "no" if input.kind == "${kind}"\n`,
  );
};
const projectOf = (folder: string, more = ''): string =>
  `apiVersion: countersign.dev/v1alpha1\nkind: Project\nenvironments:\n  - {name: test, tier: testing}\npolicies: [{path: ${folder}}]\n${more}`;
const object = (kind: string, name: string, team: string): string =>
  `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop, labels: {team: ${team}}}\n`;

const record = (name: string, manifest: string, now = '2026-11-24T12:00:00Z'): Promise<Outcome> =>
  countersign(
    [
      ...['check', manifest, '--project', project, '--env', 'test', '--record', join(root, name)],
      ...['--key', join(state, 'key.pem'), '--state', state],
    ],
    { now: () => new Date(now) },
  );
const replay = (...argv: string[]): Promise<Outcome> => countersign(['replay', ...argv, '--state', state]);
const idOf = (name: string): string => {
  const { dsseEnvelope } = JSON.parse(readFileSync(join(root, name), 'utf8'));
  return JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString()).predicate.id;
};

beforeAll(async () => {
  await countersign(['init', root]);
  ruleOf('strict', 'Pod');
  ruleOf('other', 'Service');
  writeFileSync(project, projectOf('strict'));
  const pod = put('pod.yaml', object('Pod', 'web', 'shop'));
  const service = put('service.yaml', object('Service', 'web', 'till'));
  const secret = put('secret.yaml', `${object('Secret', 'db', 'shop')}stringData: {a: hunter2}\n`);
  expect((await record('pod.json', pod)).exit).toBe(1);
  expect((await record('service.json', service)).exit).toBe(0);
  expect((await record('secret.json', secret)).exit).toBe(0);
}, 60_000);

describe('replay', () => {
  it('by the recorded policies gives the same', async () => {
    expect(await replay(join(root, 'pod.json'), join(root, 'service.json'))).toEqual({
      exit: 0,
      out: 'replayed 2 records: 2 the same, 0 differ\nverified 2 records: 2 hold, 0 do not\n',
      err: '',
    });
  });

  it('of a span of time reads the ledger, and says what it cannot repeat', async () => {
    const span = ['--from', '2026-11-24', '--to', '2026-11-25', '--env', 'test'];
    const { exit, out } = await replay(...span);
    expect({ exit, out }).toEqual({
      exit: 3,
      out: [
        `not repeated: ${idOf('secret.json')}: it cannot be repeated: secret-values`,
        'replayed 2 records: 2 the same, 0 differ',
        'not repeated: 1 of 3 records',
        'verified 3 records: 3 hold, 0 do not',
        '',
      ].join('\n'),
    });
    expect(await replay(...span, '--partial')).toEqual({ exit: 0, out, err: '' });
    const json = JSON.parse((await replay(...span, '--format', 'json')).out);
    expect(json).toMatchObject({ replayed: 2, left: [{ id: idOf('secret.json') }], isVerified: true });
    const markdown = await replay(...span, '--policy', join(root, 'strict'), '--format', 'markdown');
    expect(markdown).toMatchObject({
      exit: 3,
      out: expect.stringContaining('- not repeated: 1 of 3 records\n- verified 3 records: 3 hold'),
    });
  });

  it('of nothing is no pass', async () => {
    const nothing = await replay('--from', '2020-01-01', '--to', '2020-01-02');
    expect(nothing).toMatchObject({ exit: 3, out: '', err: expect.stringContaining('[INPUT_EMPTY]') });
    expect(await replay(join(root, 'secret.json'))).toMatchObject({ exit: 3 });
    expect(await replay(join(root, 'secret.json'), '--partial')).toMatchObject({ exit: 3 });
  });

  it('by other policies says what is newly denied and allowed', async () => {
    const both = [join(root, 'pod.json'), join(root, 'service.json')];
    const other = await replay(...both, '--policy', join(root, 'other'));
    expect(other).toEqual({
      exit: 1,
      out: [
        `newly denied: ${idOf('service.json')} (test): main.deny_service`,
        `newly allowed: ${idOf('pod.json')} (test): main.deny_pod`,
        'by rule:',
        '  main.deny_pod: 0 denied, 1 allowed',
        '  main.deny_service: 1 denied, 0 allowed',
        'by team:',
        '  shop: 0 denied, 1 allowed',
        '  till: 1 denied, 0 allowed',
        'by environment:',
        '  test: 1 denied, 1 allowed',
        'replayed 2 records: 1 newly denied, 1 newly allowed',
        'verified 2 records: 2 hold, 0 do not',
        '',
      ].join('\n'),
      err: '',
    });
    const json = JSON.parse((await replay(...both, '--policy', join(root, 'other'), '--format', 'json')).out);
    expect(json).toMatchObject({
      replayed: 2,
      denied: [{ id: idOf('service.json'), denying: ['main.deny_service'], teams: ['till'] }],
      allowed: [{ id: idOf('pod.json'), allowing: ['main.deny_pod'] }],
      byEnvironment: [{ name: 'test', denied: 1, allowed: 1 }],
    });
    const { out } = await replay(...both, '--policy', join(root, 'other'), '--format', 'markdown');
    expect(out).toContain(
      '2 records replayed: **1 newly denied**, **1 newly allowed**.\n\n- verified 2 records: 2 hold, 0 do not\n',
    );
    expect(out).toContain('| `main.deny_service` | 1 | 0 |');
  });

  it('of a record that does not hold is refused, unless nobody is to look', async () => {
    const bundle = JSON.parse(readFileSync(join(root, 'pod.json'), 'utf8'));
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString();
    bundle.dsseEnvelope.payload = Buffer.from(payload.replace('"CREATE"', '"DELETE"')).toString('base64');
    const file = put('tampered.json', JSON.stringify(bundle));
    const { exit, out } = await replay(file, join(root, 'service.json'));
    expect({ exit, out }).toEqual({
      exit: 1,
      out: expect.stringMatching(
        /^does not hold: \S+: .*\[SIGNATURE\]\nreplayed 1 record: 1 the same, 0 differ\nverified 2 records: 1 hold, 1 do not\n$/,
      ),
    });
    const asItIs = await replay(file, '--unverified');
    expect(asItIs).toMatchObject({
      exit: 1,
      out: expect.stringMatching(
        /^differs: .*\nreplayed 1 .*\nno signature was verified \(--unverified\)\n$/,
      ),
    });
    const empty = put(
      'empty.json',
      '{"apiVersion": "countersign.dev/v1alpha1", "kind": "Trust", "keys": [], "logs": []}',
    );
    expect(await replay(join(root, 'pod.json'), '--trust', empty)).toMatchObject({
      exit: 1,
      out: expect.stringContaining('does not hold'),
    });
    const nobody = await countersign(['replay', file, '--state', root]);
    expect(nobody).toMatchObject({ exit: 5, err: expect.stringContaining('[TRUST_UNREADABLE]') });
  });

  it('by the environments of another Project, whose rules hold', async () => {
    const instead = put(
      'instead.yaml',
      projectOf('strict').replace('tier: testing', 'tier: testing, rules: {main.deny_pod: warn}'),
    );
    expect(await replay(join(root, 'pod.json'), '--instead', instead)).toMatchObject({
      exit: 1,
      out: expect.stringContaining('newly allowed'),
    });
    const same = put('same.yaml', projectOf('strict'));
    expect(await replay(join(root, 'pod.json'), '--instead', same)).toMatchObject({ exit: 0 });
  });

  it('says where inputs or policies are gone or changed', async () => {
    const moved = join(root, 'moved');
    mkdirSync(moved);
    for (const name of ['inputs.sqlite3', 'trust.json']) copyFileSync(join(state, name), join(moved, name));
    const database = new DatabaseSync(join(moved, 'inputs.sqlite3'));
    database.exec("DELETE FROM item WHERE kind = 'policy'");
    const one = await countersign(['replay', join(root, 'pod.json'), '--state', moved]);
    expect(one).toMatchObject({
      exit: 3,
      out: expect.stringContaining('a policy that decided it is not here'),
    });
    database.exec("DELETE FROM item WHERE kind = 'input'");
    database.close();
    const two = await countersign(['replay', join(root, 'pod.json'), '--state', moved]);
    expect(two).toMatchObject({
      exit: 3,
      out: expect.stringContaining('its inputs are not here, or no longer'),
    });
    rmSync(join(moved, 'inputs.sqlite3'));
    const none = await countersign(['replay', join(root, 'pod.json'), '--state', moved]);
    expect(none).toMatchObject({ exit: 5, err: expect.stringContaining('[INPUTS_UNAVAILABLE]') });
  });
});

describe('inputs: none', () => {
  it('keeps nothing, and the record says nothing of it', async () => {
    const own = join(root, 'none');
    await countersign(['init', own]);
    writeFileSync(join(own, 'countersign.yaml'), projectOf('../strict', 'inputs: none\n'));
    const argv = [
      'check',
      join(root, 'pod.yaml'),
      '--project',
      join(own, 'countersign.yaml'),
      '--env',
      'test',
    ];
    const key = join(own, '.countersign', 'key.pem');
    const more = ['--record', join(own, 'r.json'), '--key', key, '--state', join(own, '.countersign')];
    expect((await countersign([...argv, ...more])).exit).toBe(1);
    expect(existsSync(join(own, '.countersign', 'inputs.sqlite3'))).toBe(false);
    expect(
      await countersign([
        ...['replay', join(own, 'r.json'), '--state', state],
        ...['--trust', join(own, '.countersign', 'trust.json')],
      ]),
    ).toMatchObject({
      exit: 3,
      out: expect.stringContaining('its inputs were not kept'),
    });
  });
});
