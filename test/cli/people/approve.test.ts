// SPDX-License-Identifier: Apache-2.0
// Two people approve, one of them twice, a third deploys; then each link is broken in turn.
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { countersign } from '../world.ts';
import { APPROVALS, checked, objectOf, predicateOf, type Shop, shopOf } from './shop.ts';

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

const TWO = 'approvals: [{role: security, count: 2, from: [security]}]';
const approve = (here: Shop, who: string, more: readonly string[] = []) =>
  here.as(who, ['approve', here.path('deploy'), '--env', 'production', ...more], '11:00:00');
const messages = (decision: Record<string, unknown>): string => JSON.stringify(decision['findings']);

describe('approvals', () => {
  it('by two people let a third deploy, and one of them twice does not', async () => {
    const here = shop(TWO);
    const before = await checked(here, 'alice');
    expect(before).toMatchObject({ exit: 1, decision: { verdict: 'deny' } });
    expect(messages(before.decision)).toMatch(
      /role \\"security\\" has 0 of 2 approvals of sha256:[0-9a-f]{64}"/,
    );

    const first = await approve(here, 'carol');
    expect(first).toMatchObject({ exit: 0, err: '' });
    expect(
      first.out
        .replaceAll(here.folder, 'DIR')
        .replaceAll(/[0-9a-f]{64}/g, 'SHA')
        .replaceAll(/[0-9a-f]{12}/g, 'ID'),
    ).toBe(
      `set sha256:SHA: allow, once it is approved
object shop.example/Machine/shop/web
DIR/signed/approval-ID.json: carol approves sha256:SHA for "production"
`,
    );
    expect((await approve(here, 'token', ['--comment', 'again'])).exit).toBe(0);
    const twice = await checked(here, 'alice');
    expect(twice.exit).toBe(1);
    expect(messages(twice.decision)).toContain('has 1 of 2 approvals');
    expect(messages(twice.decision)).toContain('carol counts once');

    expect((await approve(here, 'bob')).exit).toBe(0);
    const done = await checked(here, 'alice');
    expect({ exit: done.exit, basis: done.decision['basis'] }).toEqual({ exit: 0, basis: undefined });
    expect(predicateOf(here)).toMatchObject({
      verdict: 'allow',
      requester: { id: 'alice', how: 'key', trust: 'verified' },
      approvalRule: {
        required: [{ role: 'security', count: 2 }],
        excluded: [{ person: 'carol', why: 'counted' }],
      },
    });
    expect(predicateOf(here)['approvalRule']).toMatchObject({
      got: [{ role: 'security' }, { role: 'security' }],
    });
  });

  it('are stale when the set changes, and whoever asks or wrote it never counts', async () => {
    const here = shop(APPROVALS);
    await approve(here, 'carol');
    expect((await checked(here, 'alice')).exit).toBe(0);
    const self = await checked(here, 'carol');
    expect(self.exit).toBe(1);
    expect(messages(self.decision)).toContain('carol asked for the change');
    const author = await checked(here, 'alice', ['--author', 'carol']);
    expect(author.exit).toBe(1);
    expect(messages(author.decision)).toContain('carol wrote it');
    const named = await checked(here, 'alice', ['--requester', 'carol']);
    expect(named.exit).toBe(1);
    here.put('deploy/web.yaml', objectOf('web-2'));
    const stale = await checked(here, 'alice');
    expect(stale.exit).toBe(1);
    expect(messages(stale.decision)).toContain('carol approved another set');
  });

  it('take a requester who is proved', async () => {
    const here = shop(APPROVALS);
    await approve(here, 'carol');
    const unknown = await checked(here, undefined);
    expect(unknown.exit).toBe(1);
    expect(messages(unknown.decision)).toContain('it is not known who asks');
    const said = await checked(here, undefined, ['--requester', 'alice']);
    expect(said.exit).toBe(1);
    const nobody = await checked(here, 'ci');
    expect(nobody.exit).toBe(1);
    expect(messages(nobody.decision)).toContain('that \\"ci\\" asks is not proved');
    const there = shop(`${APPROVALS}, requester: asserted`);
    await approve(there, 'carol');
    expect((await checked(there, undefined, ['--requester', 'alice'])).exit).toBe(0);
    expect((await checked(there, undefined, ['--requester', 'carol'])).exit).toBe(1);
    expect((await checked(there, 'ci')).exit).toBe(0);
    expect((await checked(there, 'ci', ['--requester', 'carol'])).exit).toBe(1);
    here.put('other.pem', here.read('ci.pem'));
  });

  it('end, can be taken back, and count for the Project that they were given under', async () => {
    const here = shop(APPROVALS);
    const { out } = await approve(here, 'carol', ['--expires', '2h']);
    expect((await checked(here, 'alice')).exit).toBe(0);
    expect((await checked(here, 'alice', [], '13:00:00')).exit).toBe(1);
    const file = /^(\S+): carol approves/m.exec(out)?.[1] ?? '';
    await here.as('carol', ['revoke', file, '--env', 'production', '--reason', 'withdrawn']);
    const revoked = await checked(here, 'alice');
    expect(messages(revoked.decision)).toContain('carol took it back');

    const there = shop(APPROVALS);
    await approve(there, 'carol');
    there.put('countersign.yaml', `${there.read('countersign.yaml')}strictErrors: true\n`);
    const other = await checked(there, 'alice');
    expect(messages(other.decision)).toContain('carol approved under another Project file');
  });

  it('may lie in a folder that the job brings along, where they are verified all the same', async () => {
    const here = shop(APPROVALS);
    mkdirSync(here.path('brought'));
    await approve(here, 'carol', ['--out', here.path('brought/a.json')]);
    expect(readdirSync(here.path('signed'))).toEqual([]);
    expect((await checked(here, 'alice')).exit).toBe(1);
    expect((await checked(here, 'alice', ['--approvals', here.path('brought')])).exit).toBe(0);
    const envelope = JSON.parse(here.read('brought/a.json'));
    const payload = Buffer.from(envelope.payload, 'base64').toString().replace('"security"', '"securitY"');
    here.put(
      'brought/a.json',
      JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString('base64') }),
    );
    const tampered = await checked(here, 'alice', ['--approvals', here.path('brought')]);
    expect(tampered.exit).toBe(1);
    expect(tampered.err).toContain('does not count: the signature is not by key "carol"');
    here.put('brought/a.json', '{"approved": true}');
    expect((await checked(here, 'alice', ['--approvals', here.path('brought')])).exit).toBe(1);
  });

  it('of a record are of its set, where it holds', async () => {
    const here = shop(APPROVALS);
    await checked(here, 'alice');
    const project = here.read('countersign.yaml');
    const root = here.read('state/trusted_root.json').trim();
    here.put(
      'countersign.yaml',
      project.replace('trust: {keys', `trust: {logs: [${JSON.stringify(JSON.parse(root))}], keys`),
    );
    const shown = await here.run(['approve', here.path('r.json'), '--env', 'production'], '11:00:00');
    expect(shown.err).toBe('note: nothing is signed without --key or --login\n');
    expect(shown.out).toContain('object shop.example/Machine/shop/web\n');
    expect(
      (await here.as('carol', ['approve', here.path('r.json'), '--env', 'production'], '11:00:00')).exit,
    ).toBe(0);
    expect((await checked(here, 'alice')).exit).toBe(0);
    here.put('r.json', here.read('r.json').replace('"hint":"', '"hint":"A'));
    const other = await here.run(['approve', here.path('r.json'), '--env', 'production'], '11:00:00');
    expect(other).toMatchObject({ exit: 1, out: '' });
    expect(other.err).toMatch(/does not hold: .*\[KEY_UNKNOWN\]\n$/);
  });

  it('show what is new, other and gone', async () => {
    const here = shop(APPROVALS);
    here.put('deploy/db.yaml', objectOf('db'));
    await checked(here, 'alice');
    rmSync(here.path('deploy/db.yaml'));
    here.put('deploy/web.yaml', `${objectOf('web', true)}---\n${objectOf('queue')}`);
    const { out } = await here.run([
      'approve',
      here.path('deploy'),
      '--env',
      'production',
      '--previous',
      here.path('r.json.set.txt'),
    ]);
    expect(out.replaceAll(/[0-9a-f]{64}/g, 'SHA')).toBe(
      `set sha256:SHA: deny
new shop.example/Machine/shop/queue
changed shop.example/Machine/shop/web
gone shop.example/Machine/shop/db
fail: main.deny_privileged: shop.example/Machine/shop/web: web is privileged
`,
    );
  });

  it('are not asked for where nobody is named to give them', async () => {
    const here = shop();
    expect(await approve(here, 'carol')).toMatchObject({
      exit: 2,
      err: 'countersign: environment "production" asks for no approvals\nhint: give it approvals in the Project\n',
    });
    expect(await checked(here, undefined, ['--author', 'x'])).toMatchObject({
      exit: 2,
      err: 'countersign: --author has no effect: environment "production" asks for no approvals\nhint: leave it out, or give the environment approvals\n',
    });
    rmSync(here.path('signed'), { recursive: true });
    const gone = await checked(here, undefined);
    expect(gone).toMatchObject({ exit: 3 });
    expect(gone.err).toMatch(/cannot read the statements in .*: ENOENT \[INPUT_UNREADABLE\]/);
  });

  it('are asked of whoever signs with an encrypted key by one question for its password', async () => {
    const here = shop(APPROVALS);
    await approve(here, 'carol');
    const locked = createPrivateKey(here.read('alice.pem'));
    here.put(
      'alice.pem',
      locked.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'TEST' }).toString(),
    );
    const asked: string[] = [];
    const argv = ['check', here.path('deploy'), '--env', 'production', '--project'];
    const record = ['--record', here.path('r.json'), '--state', here.path('state')];
    const { exit } = await countersign(
      [...argv, here.path('countersign.yaml'), ...record, '--key', here.path('alice.pem')],
      {
        askPassword: async (question) => {
          asked.push(question);
          return 'TEST';
        },
      },
    );
    expect({ exit, asked }).toEqual({
      exit: 0,
      asked: [`password of ${JSON.stringify(here.path('alice.pem'))}: `],
    });
  });

  it('in more files than anybody signs are refused, and not counted for minutes', async () => {
    const here = shop(APPROVALS);
    for (let index = 0; index <= 10_000; index++) here.put(`signed/${index}.json`, '');
    const { exit, err } = await checked(here, undefined);
    expect({ exit, isSo: /holds 10001 statements, more than 10000 \[INPUT_TOO_LARGE\]/.test(err) }).toEqual({
      exit: 3,
      isSo: true,
    });
  });
});
