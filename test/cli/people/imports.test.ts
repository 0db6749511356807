// SPDX-License-Identifier: Apache-2.0
// Approvals that a forge knows of: read, signed by the key that the Project names for it, and counted where a rule accepts them.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  answer,
  HEAD,
  type LocalForge,
  MERGED,
  MR,
  OTHER,
  putDeployment,
  putMergeRequest,
  putPull,
  putRun,
  startForge,
  TOKEN,
} from '../../attest/forge/forge.ts';
import { countersign, type Outcome } from '../world.ts';
import { checked, objectOf, predicateOf, type Shop, shopOf } from './shop.ts';

jest.setTimeout(120_000);

let forge: LocalForge;
const shops: Shop[] = [];
beforeAll(async () => {
  forge = await startForge();
});
beforeEach(() => {
  forge.at.clear();
  forge.faults.clear();
  forge.came.length = 0;
});
afterAll(async () => {
  await forge.close();
  for (const { folder } of shops) rmSync(folder, { recursive: true });
});

const ACCEPTS = '{forge: work, project: shop/web, via: [merge-request, deployment], longestHours: 4}';
const rule = (imported: string | undefined, count = 1): string =>
  `approvals: [{role: security, count: ${count}, from: [security, payments]${imported === undefined ? '' : `, imported: ${imported}`}}]`;

/** A shop whose people have numbers on the forge (alice 1, bob 2, carol 3), and whose ci may import. */
function shop(approvals: string, kind: 'gitlab' | 'github' = 'gitlab'): Shop {
  const api = kind === 'gitlab' ? `${forge.url}/api/v4` : forge.url;
  const here = shopOf(
    approvals,
    `forges: [{name: work, kind: ${kind}, api: '${api}', issuer: 'https://forge.example'}]\n`,
  );
  shops.push(here);
  const numbers = { '[alice]': 1, '[bob]': 2, '[carol, token]': 3 };
  let project = here.read('countersign.yaml').replace('"uses":["record"]', '"uses":["record","import"]');
  for (const [keys, number] of Object.entries(numbers))
    project = project.replace(
      `keys: ${keys}}`,
      `keys: ${keys}, identities: [{issuer: 'https://forge.example', subject: '${number}'}]}`,
    );
  here.put('countersign.yaml', project);
  return here;
}

const importing = (
  here: Shop,
  more: readonly string[] = ['--merge-request', '42'],
  { key = 'ci', commit = HEAD, time = '12:00:00' } = {},
): Promise<Outcome> =>
  countersign(
    [
      'approvals',
      'import',
      here.path('deploy'),
      ...['--env', 'production', '--commit', commit, '--token', 'FORGE_TOKEN'],
      ...['--key', here.path(`${key}.pem`), '--project', here.path('countersign.yaml'), ...more],
    ],
    { now: () => new Date(`2026-11-24T${time}Z`), env: { FORGE_TOKEN: TOKEN } },
  );

const statements = (here: Shop): Record<string, unknown>[] =>
  readdirSync(here.path('signed'))
    .map((name) => JSON.parse(readFileSync(join(here.path('signed'), name), 'utf8')))
    .map(({ payload }) => JSON.parse(Buffer.from(payload, 'base64').toString()));

const missing = (outcome: Awaited<ReturnType<typeof checked>>): unknown =>
  Object(outcome.decision)['findings'].map(({ message }: { message: string }) =>
    message.replace(/[0-9a-f]{64}/, 'SET'),
  );

describe('approvals import', () => {
  it('signs who approved what and when, and a rule that accepts it is met', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00'], [9, '10:06:00'], [1, '10:07:00'], [3]]);
    const outcome = await importing(here);
    expect({ ...outcome, out: outcome.out.replace(/^\S*approval-[0-9a-f]{12}/, 'FILE') }).toEqual({
      exit: 0,
      out: 'FILE.json: bob approved merge-request 42 (user-2), until 2026-11-24T16:00:00.000Z\n',
      err: [
        'note: user-3: GitLab does not say when',
        'note: user-9: number 9 of https://forge.example is none of the people',
        'note: user-1: wrote it or set it going',
        `note: they bind merge-request 42 at ${HEAD}, and not these objects\n`,
      ].join('\n'),
    });
    expect(statements(here)).toEqual([
      expect.objectContaining({
        predicate: {
          environment: 'production',
          role: 'security',
          projectDigest: { sha256: expect.any(String) },
          time: '2026-11-24T12:00:00.000Z',
          expires: '2026-11-24T16:00:00.000Z',
          imported: {
            issuer: 'https://forge.example',
            project: 'shop/web',
            via: 'merge-request',
            number: '42',
            target: 'main',
            commit: HEAD,
            approver: { subject: '2', name: 'user-2' },
            authors: [{ subject: '1', name: 'user-1' }],
            approvedAt: '2026-11-24T10:05:00.000Z',
          },
        },
      }),
    ]);
    expect(await checked(here, 'carol')).toMatchObject({
      exit: 0,
      err: expect.stringContaining(
        `note: that of bob is imported: it binds merge-request 42 at ${HEAD}, and not these objects\n`,
      ),
    });
    expect(predicateOf(here)).toMatchObject({
      approvalRule: { got: [{ person: 'bob', role: 'security' }], excluded: [] },
    });
    // After its hours it is to be imported again.
    expect((await checked(here, 'carol', [], '16:00:00')).exit).toBe(1);
    expect(new Set(forge.came.map(({ authorization }) => authorization))).toEqual(
      new Set([`Bearer ${TOKEN}`]),
    );
  });

  it('counts nothing where the rule does not say so', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']]);
    await importing(here);
    const strict = here.read('countersign.yaml').replace(`, imported: ${ACCEPTS}`, '');
    const bound = statements(here);
    here.put('countersign.yaml', strict);
    expect(bound).toHaveLength(1);
    // It was for another Project as well: that alone is no reason to tell.
    expect(missing(await checked(here, 'carol'))).toEqual([
      'role "security" has 0 of 1 approvals of sha256:SET (bob approved under another Project file)',
    ]);
    expect(await importing(here)).toEqual({
      exit: 2,
      out: '',
      err: `countersign: no rule of environment "production" accepts an approval of a merge-request\nhint: imported of the rule in the Project says what it accepts; without it nothing but what people sign\n`,
    });
  });

  it('counts a person once, by what they signed, and never who wrote it, however they approve', async () => {
    const here = shop(rule(ACCEPTS, 2));
    putMergeRequest(forge, [[2, '10:05:00']]);
    await importing(here);
    const approve = ['approve', here.path('deploy'), '--env', 'production'];
    expect((await here.as('bob', approve)).exit).toBe(0);
    expect((await here.as('alice', approve)).exit).toBe(0);
    expect(missing(await checked(here, 'carol'))).toEqual([
      'role "security" has 1 of 2 approvals of sha256:SET (alice wrote it, bob counts once)',
    ]);
    const { got } = Object(predicateOf(here)['approvalRule']);
    const signed = statements(here).find(({ predicate }) => Object(predicate)['imported'] !== undefined);
    expect(got).toHaveLength(1);
    expect(signed).toBeDefined();
  });

  it('is not of another commit, and takes back what it was', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']]);
    expect(await importing(here, undefined, { commit: OTHER })).toEqual({
      exit: 1,
      out: '',
      err: `countersign: merge-request 42 is at commit ${HEAD}, and not at ${OTHER}\n`,
    });
    expect((await importing(here)).exit).toBe(0);
    expect((await checked(here, 'carol')).exit).toBe(0);
    putMergeRequest(forge, [[2, '10:05:00']], { sha: OTHER });
    const pushed = await importing(here, undefined, { time: '12:01:00' });
    expect([pushed.exit, pushed.out.replace(/^\S*revocation-[0-9a-f]{12}/, 'FILE')]).toEqual([
      1,
      'FILE.json: that of bob is taken back\n',
    ]);
    expect(missing(await checked(here, 'carol', [], '12:02:00'))).toEqual([
      'role "security" has 0 of 1 approvals of sha256:SET (bob took it back)',
    ]);
  });

  it('is not of another branch, and is taken back when the change is turned there', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']]);
    expect((await importing(here)).exit).toBe(0);
    putMergeRequest(forge, [[2, '10:05:00']], { target_branch: 'scratch' });
    const turned = await importing(here, undefined, { time: '12:01:00' });
    expect({ ...turned, out: turned.out.replace(/^\S*revocation-[0-9a-f]{12}/, 'FILE') }).toEqual({
      exit: 1,
      out: 'FILE.json: that of bob is taken back\n',
      err: [
        'note: it is into branch "scratch", and not into "main"',
        'countersign: no approval of merge-request 42 stands that could count\n',
      ].join('\n'),
    });
    const other = shop(rule(ACCEPTS.replace('via:', 'target: scratch, via:')));
    expect((await importing(other)).exit).toBe(0);
    expect((await checked(other, 'carol')).exit).toBe(0);
  });

  it('takes back one that was withdrawn, once, and counts it when it is given again', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']]);
    await importing(here);
    putMergeRequest(forge, []);
    const gone = await importing(here, undefined, { time: '12:01:00' });
    expect([gone.exit, gone.err]).toEqual([
      1,
      'countersign: no approval of merge-request 42 stands that could count\n',
    ]);
    expect((await importing(here, undefined, { time: '12:02:00' })).out).toBe('');
    expect((await checked(here, 'carol', [], '12:03:00')).exit).toBe(1);
    putMergeRequest(forge, [[2, '12:04:00']]);
    expect((await importing(here, undefined, { time: '12:05:00' })).exit).toBe(0);
    expect((await checked(here, 'carol', [], '12:06:00')).exit).toBe(0);
  });

  it('does not undo what somebody took back here, and signs it once it is given again', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']]);
    await importing(here);
    const [name = ''] = readdirSync(here.path('signed'));
    const revoked = ['revoke', here.path(`signed/${name}`), '--reason', 'no', '--env', 'production'];
    expect((await here.as('bob', revoked, '12:01:00')).exit).toBe(0);
    expect(await importing(here, undefined, { time: '12:02:00' })).toEqual({
      exit: 1,
      out: '',
      err: [
        'note: user-2: was taken back here, and not given since',
        'countersign: each approval of merge-request 42 was taken back here\n',
      ].join('\n'),
    });
    expect(readdirSync(here.path('signed'))).toHaveLength(2);
    expect((await checked(here, 'carol', [], '12:03:00')).exit).toBe(1);
    putMergeRequest(forge, [[2, '12:04:00']]);
    expect((await importing(here, undefined, { time: '12:05:00' })).exit).toBe(0);
    expect((await checked(here, 'carol', [], '12:06:00')).exit).toBe(0);
  });

  it('is of what it was merged as too', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']], { state: 'merged', merge_commit_sha: MERGED });
    expect((await importing(here, undefined, { commit: MERGED })).exit).toBe(0);
    expect((await checked(here, 'carol')).exit).toBe(0);
  });

  it('writes elsewhere what is believed there too', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']]);
    const { out } = await importing(here, ['--merge-request', '42', '--into', here.path('state-of-it')]);
    expect(out).toBe('');
    const outcome = await importing(here, ['--merge-request', '42', '--into', here.path('policy')]);
    expect([outcome.exit, readdirSync(here.path('signed'))]).toEqual([0, []]);
    expect((await checked(here, 'carol', ['--approvals', here.path('policy')])).exit).toBe(0);
  });

  it('is for this set alone', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']]);
    await importing(here);
    here.put('deploy/other.yaml', objectOf('other'));
    expect((await checked(here, 'carol')).exit).toBe(1);
  });
});

describe('other ways', () => {
  it('a deployment of GitLab, to the environment of the rule', async () => {
    const here = shop(rule(ACCEPTS));
    putDeployment(forge, [[2, 'approved']]);
    expect((await importing(here, ['--deployment', '99'])).exit).toBe(0);
    expect((await checked(here, 'carol')).exit).toBe(0);
    putDeployment(forge, [[2, 'approved']], 'staging');
    expect((await importing(here, ['--deployment', '99'])).err).toBe(
      'countersign: deployment 99 is to environment "staging", and not to "production"\n',
    );
    putDeployment(forge, [
      [2, 'approved'],
      [3, 'rejected'],
    ]);
    const rejected = await importing(here, ['--deployment', '99'], { time: '12:01:00' });
    expect([rejected.exit, rejected.out.includes('that of bob is taken back')]).toEqual([1, true]);
  });

  it('a pull request and a run of GitHub', async () => {
    const here = shop(rule('{forge: work, project: shop/web, via: [pull-request, run]}'), 'github');
    putPull(forge, [[2, 'APPROVED']]);
    expect((await importing(here, ['--pull-request', '7'])).exit).toBe(0);
    expect((await checked(here, 'carol')).exit).toBe(0);
    const other = shop(rule('{forge: work, project: shop/web, via: [run]}'), 'github');
    putRun(forge, [[3, 'approved']]);
    expect((await importing(other, ['--run', '123'])).exit).toBe(0);
    expect((await checked(other, 'carol')).exit).toBe(1);
    expect((await checked(other, 'bob')).exit).toBe(0);
  });
});

describe('who may not', () => {
  it('signs nothing with a key that does not import', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']]);
    const outcome = await importing(here, undefined, { key: 'carol' });
    expect([outcome.exit, outcome.err.split('\n')[0]]).toEqual([
      5,
      'countersign: this approval would not count: key "carol" is not trusted for import [KEY_MISMATCH]',
    ]);
    expect(readdirSync(here.path('signed'))).toEqual([]);
  });

  it('revokes nothing that somebody signed', async () => {
    const here = shop(rule(ACCEPTS));
    await here.as('bob', [
      'approve',
      here.path('deploy'),
      '--env',
      'production',
      '--out',
      here.path('signed/b.json'),
    ]);
    const argv = ['revoke', here.path('signed/b.json'), '--reason', 'no', '--env', 'production'];
    expect(await here.as('ci', argv)).toMatchObject({
      exit: 2,
      err: expect.stringContaining('key "ci" takes back imports alone'),
    });
    expect(readdirSync(here.path('signed'))).toEqual(['b.json']);
  });

  it('is no person of the Project', async () => {
    const here = shop(rule(ACCEPTS));
    here.put('countersign.yaml', here.read('countersign.yaml').replace('keys: [bob]', 'keys: [bob, ci]'));
    const outcome = await importing(here);
    expect([outcome.exit, outcome.err.includes('key "ci" imports approvals, so it is no person\'s')]).toEqual(
      [3, true],
    );
  });

  it('is a forge that gives no answer, and nothing is taken back for that', async () => {
    const here = shop(rule(ACCEPTS));
    putMergeRequest(forge, [[2, '10:05:00']]);
    await importing(here);
    forge.faults.set(MR, [(response) => answer(response, 404)]);
    const outcome = await importing(here);
    expect([outcome.exit, outcome.out, outcome.err.includes('[FORGE_REFUSED]')]).toEqual([5, '', true]);
    expect((await checked(here, 'carol')).exit).toBe(0);
  });
});

describe('a command line that cannot be', () => {
  it.each<[string, readonly string[], string]>([
    ['names nothing', [], 'it is not said what to import'],
    ['names no number', ['--merge-request', '!42'], '--merge-request "!42" is no number'],
    ['asks for too long', ['--merge-request', '42', '--expires', '5h'], '--expires is later than in 4 hours'],
    [
      'asks for another role',
      ['--merge-request', '42', '--role', 'release'],
      'no rule of environment "production" accepts an approval of a merge-request in role "release"',
    ],
    [
      'asks GitLab for a run',
      ['--run', '1'],
      'no rule of environment "production" accepts an approval of a run',
    ],
  ])('%s', async (_, more, message) => {
    const here = shop(rule(ACCEPTS));
    const outcome = await importing(here, more);
    expect([outcome.exit, outcome.err.split('\n')[0]]).toEqual([2, `countersign: ${message}`]);
    expect(forge.came).toEqual([]);
  });

  it('has a token that is none', async () => {
    const here = shop(rule(ACCEPTS));
    here.put('token', `${TOKEN}\nHost: elsewhere.invalid\n`);
    const argv = ['approvals', 'import', here.path('deploy'), '--env', 'production', '--commit', HEAD];
    const more = ['--merge-request', '42', '--token', here.path('token')];
    const outcome = await here.as('ci', [...argv, ...more]);
    expect([outcome.exit, outcome.err.includes('[TOKEN_UNREADABLE]'), outcome.err.includes(TOKEN)]).toEqual([
      5,
      true,
      false,
    ]);
    expect(forge.came).toEqual([]);
  });
});

describe('a Project', () => {
  it.each([
    ['a forge that is not declared', 'forge: work,', 'forge: other,', 'no forge "other" is declared'],
    [
      'a way that the forge does not know',
      'via: [merge-request',
      'via: [run, merge-request',
      'gitlab knows no "run"',
    ],
  ])('cannot name %s', async (_, from, to, message) => {
    const here = shop(rule(ACCEPTS));
    here.put('countersign.yaml', here.read('countersign.yaml').replace(from, to));
    const outcome = await importing(here);
    expect([outcome.exit, outcome.err.includes(message)]).toEqual([3, true]);
  });
});
