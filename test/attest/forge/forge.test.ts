// SPDX-License-Identifier: Apache-2.0
// What is read of a forge, and how it fails: by the rules that GitLab and GitHub document.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AttestError } from '../../../attest/error.ts';
import {
  type ForgeClient,
  openForge,
  readDeployment,
  readDeploymentReviews,
  readMergeRequest,
  readPullRequest,
} from '../../../attest/forge/index.ts';
import {
  answer,
  GITLAB_PROJECT,
  HEAD,
  type LocalForge,
  MERGED,
  MR,
  OTHER,
  PULL,
  putDeployment,
  putMergeRequest,
  putPull,
  putRun,
  type ReviewOf,
  startForge,
  TOKEN,
} from './forge.ts';

let forge: LocalForge;
let waits: number[] = [];
beforeAll(async () => {
  forge = await startForge();
});
beforeEach(() => {
  forge.at.clear();
  forge.faults.clear();
  forge.came.length = 0;
  forge.wantsToken = true;
  waits = [];
});
afterAll(() => forge.close());

const client = (kind: 'gitlab' | 'github', token: string | null = TOKEN): ForgeClient =>
  openForge({
    api: kind === 'gitlab' ? `${forge.url}/api/v4` : forge.url,
    kind,
    ...(token === null ? {} : { token }),
    now: () => new Date('2026-11-24T12:00:00Z'),
    wait: async (ms) => {
      waits.push(ms);
    },
  });
const mergeRequest = (token?: string | null) =>
  readMergeRequest(client('gitlab', token), 'shop/web', { number: '42' });
const pull = () => readPullRequest(client('github'), 'shop/web', { number: '7' });
const user = (number: number) => ({ subject: String(number), name: `user-${number}` });

async function failure(work: Promise<unknown>): Promise<readonly [code: string, message: string]> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof AttestError)) throw new Error('it did not fail as it should', { cause: error });
  return [error.code, error.message.replaceAll(forge.url.slice(7), 'FORGE')];
}

describe('a merge request', () => {
  it('has the approvals that were given since its head was pushed', async () => {
    putMergeRequest(forge, [[2, '10:05:00'], [3, '09:59:59'], [5]]);
    expect(await mergeRequest()).toEqual({
      commit: HEAD,
      merged: [],
      authors: [user(1)],
      approvals: [{ user: user(2), at: '2026-11-24T10:05:00.000Z' }],
      skipped: ['user-3: approved an earlier commit', 'user-5: GitLab does not say when'],
      target: 'main',
    });
  });

  it('is also what it was merged as, and nothing when it was closed', async () => {
    const shas = { merge_commit_sha: MERGED, squash_commit_sha: null };
    putMergeRequest(forge, [[2, '10:05:00']], { state: 'merged', ...shas });
    expect((await mergeRequest()).merged).toEqual([MERGED]);
    putMergeRequest(forge, [[2, '10:05:00']], { state: 'opened', ...shas });
    expect((await mergeRequest()).merged).toEqual([]);
    putMergeRequest(forge, [[2, '10:05:00']], { state: 'closed' });
    expect(await mergeRequest()).toMatchObject({ approvals: [], skipped: ['it is closed'] });
  });

  it('has none where it is into another branch than is meant, by default that of the project', async () => {
    putMergeRequest(forge, [[2, '10:05:00']], { target_branch: 'scratch' });
    expect(await mergeRequest()).toMatchObject({
      approvals: [],
      skipped: ['it is into branch "scratch", and not into "main"'],
      target: 'scratch',
    });
    forge.at.delete(GITLAB_PROJECT);
    const asked = { number: '42', target: 'scratch' };
    expect(await readMergeRequest(client('gitlab'), 'shop/web', asked)).toMatchObject({
      approvals: [{ user: user(2) }],
      skipped: [],
    });
    const main = { number: '42', target: 'main' };
    expect((await readMergeRequest(client('gitlab'), 'shop/web', main)).approvals).toEqual([]);
  });

  it('is not read while its branch changes', async () => {
    putMergeRequest(forge, [[2, '10:05:00']]);
    forge.faults.set(`${MR}/approvals`, [
      (response) => {
        forge.at.set(MR, { sha: HEAD, target_branch: 'scratch' });
        response.end(JSON.stringify({ approved_by: [] }));
      },
    ]);
    expect((await failure(mergeRequest()))[1]).toContain('another head commit or branch');
  });

  it('counts from when the same head came back', async () => {
    putMergeRequest(forge, [[2, '10:05:00']]);
    forge.at.set(`${MR}/versions`, [
      { head_commit_sha: HEAD, created_at: '2026-11-24T11:00:00Z' },
      { head_commit_sha: OTHER, created_at: '2026-11-24T10:30:00Z' },
      { head_commit_sha: HEAD, created_at: '2026-11-24T10:00:00Z' },
    ]);
    expect((await mergeRequest()).approvals).toEqual([]);
  });

  it('is not read while it changes', async () => {
    putMergeRequest(forge, [[2, '10:05:00']]);
    forge.faults.set(`${MR}/approvals`, [
      (response) => {
        forge.at.set(MR, { sha: OTHER });
        response.end(JSON.stringify({ approved_by: [] }));
      },
    ]);
    expect(await failure(mergeRequest())).toEqual([
      'FORGE_UNAVAILABLE',
      'the change got another head commit or branch while it was read',
    ]);
  });

  it.each([
    ['no head', { sha: null }, 'it says no "sha"'],
    ['a short head', { sha: 'abc' }, '"sha" is no commit: "abc"'],
    ['no branch that it is into', { target_branch: undefined }, 'it says no "target_branch"'],
    ['no author', { author: null }, 'a user of it has no number'],
    ['an author without a name', { author: { id: 1 } }, 'it says no "username"'],
    ['a head of no version', { sha: MERGED }, 'no version of the merge request has its head commit'],
  ])('is not read with %s', async (_, more, why) => {
    putMergeRequest(forge, [], more);
    expect(await failure(mergeRequest())).toEqual([
      'FORGE_UNAVAILABLE',
      `what the forge answers cannot be read: ${why}`,
    ]);
  });
});

describe('a deployment', () => {
  const deployment = () => readDeployment(client('gitlab'), 'shop/web', '99');

  it('has its approvals', async () => {
    putDeployment(forge, [[2, 'approved']]);
    expect(await deployment()).toEqual({
      commit: HEAD,
      merged: [],
      authors: [user(1)],
      approvals: [{ user: user(2), at: '2026-11-24T10:30:00.000Z' }],
      skipped: [],
      environment: 'production',
    });
  });

  it('has none where one rejects it', async () => {
    putDeployment(forge, [
      [2, 'approved'],
      [3, 'rejected'],
    ]);
    expect(await deployment()).toMatchObject({ approvals: [], skipped: ['user-3: rejected it'] });
  });
});

describe('a pull request', () => {
  it.each<[string, readonly ReviewOf[], readonly number[], readonly string[]]>([
    ['of its head', [[2, 'APPROVED']], [2], []],
    ['of an earlier commit', [[2, 'APPROVED', OTHER]], [], ['user-2: approved an earlier commit']],
    [
      'with a comment after it',
      [
        [2, 'APPROVED'],
        [2, 'COMMENTED', OTHER],
      ],
      [2],
      [],
    ],
    [
      'taken back',
      [
        [2, 'APPROVED'],
        [2, 'CHANGES_REQUESTED'],
      ],
      [],
      ['user-2: asks for changes'],
    ],
    ['dismissed', [[2, 'DISMISSED']], [], ['user-2: the review was dismissed']],
    [
      'given after all',
      [
        [2, 'CHANGES_REQUESTED'],
        [2, 'APPROVED'],
        [3, 'PENDING'],
      ],
      [2],
      [],
    ],
  ])('has an approval %s', async (_, reviews, approved, skipped) => {
    putPull(forge, reviews);
    const reading = await pull();
    expect(reading.approvals.map((one) => one.user)).toEqual(approved.map(user));
    expect(reading.skipped).toEqual(skipped);
    expect(reading.authors).toEqual([user(1), user(4)]);
  });

  it('is also what it was merged as, and nothing when it was closed', async () => {
    putPull(forge, [[2, 'APPROVED']], { state: 'closed', merged: true, merge_commit_sha: MERGED });
    expect(await pull()).toMatchObject({ merged: [MERGED], approvals: [{ user: user(2) }] });
    // Of one that is open it is what merging would give.
    putPull(forge, [[2, 'APPROVED']], { merge_commit_sha: MERGED });
    expect((await pull()).merged).toEqual([]);
    putPull(forge, [[2, 'APPROVED']], { state: 'closed' });
    expect(await pull()).toMatchObject({ merged: [], approvals: [], skipped: ['it is closed'] });
  });

  it('has none where it is into another branch than is meant, by default that of the project', async () => {
    const base = { ref: 'scratch', repo: { default_branch: 'main' } };
    putPull(forge, [[2, 'APPROVED']], { base });
    expect(await pull()).toMatchObject({
      approvals: [],
      skipped: ['it is into branch "scratch", and not into "main"'],
    });
    const asked = { number: '7', target: 'scratch' };
    expect(await readPullRequest(client('github'), 'shop/web', asked)).toMatchObject({
      approvals: [{ user: user(2) }],
      target: 'scratch',
    });
  });

  it('has the last word of somebody on the third page', async () => {
    const many = Array.from({ length: 230 }, (): ReviewOf => [3, 'COMMENTED']);
    putPull(forge, [[2, 'APPROVED'], ...many, [2, 'CHANGES_REQUESTED']]);
    expect(await pull()).toMatchObject({ approvals: [], skipped: ['user-2: asks for changes'] });
    expect(forge.came.filter(({ path }) => path.includes('/reviews')).map(({ path }) => path)).toEqual(
      [1, 2, 3].map((page) => `${PULL}/reviews?per_page=100&page=${page}`),
    );
  });

  it.each([
    ['more commits than are listed', { commits: 251 }, [], 'it lists 2 of the commits of the pull request'],
    ['a review of a kind that is not known', {}, [[2, 'BLESSED']], 'a review is "BLESSED"'],
  ] as const)('is not read with %s', async (_, more, reviews, why) => {
    putPull(forge, reviews, more);
    expect(await failure(pull())).toEqual([
      'FORGE_UNAVAILABLE',
      `what the forge answers cannot be read: ${why}`,
    ]);
  });

  it('is not read to the end where there is none', async () => {
    putPull(
      forge,
      Array.from({ length: 2001 }, (): ReviewOf => [3, 'COMMENTED']),
    );
    expect(await failure(pull())).toEqual(['FORGE_UNAVAILABLE', 'the forge lists more than 2000 of them']);
  });
});

describe('the reviews of a run', () => {
  const run = () =>
    readDeploymentReviews(client('github'), 'shop/web', { run: '123', environment: 'production' });

  it('are those of one environment, and GitHub does not say when', async () => {
    putRun(forge, [
      [2, 'approved'],
      [3, 'approved', 'staging'],
      [3, 'pending'],
    ]);
    expect(await run()).toEqual({
      commit: HEAD,
      merged: [],
      authors: [user(1), user(5)],
      approvals: [{ user: user(2) }],
      skipped: [],
      environment: 'production',
    });
  });

  it.each([
    ['actor', undefined],
    ['actor', null],
    ['triggering_actor', undefined],
  ])('are not read where its %s is %s', async (key, actor) => {
    putRun(forge, [[2, 'approved']], { [key]: actor });
    expect(await failure(run())).toEqual([
      'FORGE_UNAVAILABLE',
      'what the forge answers cannot be read: a user of it has no number',
    ]);
  });

  it('are none where one rejects it', async () => {
    putRun(forge, [
      [2, 'approved'],
      [3, 'rejected'],
    ]);
    expect(await run()).toMatchObject({ approvals: [], skipped: ['user-3: rejected it'] });
  });
});

describe('a forge that gives no answer', () => {
  const faulty = (...faults: Parameters<LocalForge['faults']['set']>[1]): void => {
    putMergeRequest(forge, [[2, '10:05:00']]);
    forge.faults.set(MR, faults);
  };
  const status = (code: number, headers?: Record<string, string>): void =>
    faulty((response) => answer(response, code, headers));
  const times = (count: number, code: number, headers?: Record<string, string>): void =>
    faulty(
      ...Array.from({ length: count }, () => (response: Parameters<typeof answer>[0]) => {
        answer(response, code, headers);
      }),
    );
  const path = '"/api/v4/projects/shop%2Fweb/merge_requests/42"';

  it.each([
    [403, 'the token may not read that'],
    [404, 'it knows nothing of that, or shows it to nobody with this token'],
    [410, 'it gives no answer'],
    [301, 'it sends us elsewhere, and the token goes nowhere else'],
    [307, 'it sends us elsewhere, and the token goes nowhere else'],
  ])('says so by %s', async (code, why) => {
    const elsewhere = await startForge();
    status(code, code < 400 ? { location: `${elsewhere.url}${MR}` } : {});
    expect(await failure(mergeRequest())).toEqual([
      'FORGE_REFUSED',
      `"FORGE" answers ${code} for ${path}: ${why}`,
    ]);
    expect(elsewhere.came).toEqual([]);
    expect(waits).toEqual([]);
    await elsewhere.close();
  });

  it.each([
    ['another token', 'TEST-other'],
    ['no token', null],
  ] as const)('does not accept %s', async (_, token) => {
    putMergeRequest(forge, []);
    expect(await failure(mergeRequest(token))).toEqual([
      'FORGE_REFUSED',
      `"FORGE" answers 401 for ${path}: it does not accept the token`,
    ]);
    expect(forge.came).toHaveLength(1);
  });

  it.each<[number, Record<string, string>, number]>([
    [429, { 'retry-after': '7' }, 7000],
    [429, { 'retry-after': 'Tue, 24 Nov 2026 12:00:09 GMT' }, 9000],
    [403, { 'retry-after': '3' }, 3000],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1795521611' }, 11_000],
    [503, { 'retry-after': '2' }, 2000],
    [500, {}, 1000],
  ])('is asked again after %s with %j', async (code, headers, ms) => {
    status(code, headers);
    expect((await mergeRequest()).approvals).toHaveLength(1);
    expect(waits).toEqual([ms]);
  });

  it('is asked four times', async () => {
    times(9, 502);
    expect(await failure(mergeRequest())).toEqual([
      'FORGE_UNAVAILABLE',
      '"FORGE" answers 502, and asks to wait 8 s',
    ]);
    expect(waits).toEqual([1000, 2000, 4000]);
    expect(forge.came).toHaveLength(4);
  });

  it('is not waited for where it asks for more than a minute', async () => {
    status(429, { 'retry-after': '3600' });
    expect(await failure(mergeRequest())).toEqual([
      'FORGE_UNAVAILABLE',
      '"FORGE" answers 429, and asks to wait 3600 s',
    ]);
    expect(waits).toEqual([]);
  });

  it('is not read beyond its cap, nor where it is no JSON', async () => {
    faulty((response) => response.end('x'.repeat(4 * 1024 * 1024 + 1)));
    expect(await failure(mergeRequest())).toEqual([
      'FORGE_UNAVAILABLE',
      '"FORGE" answers with more than 4194304 bytes',
    ]);
    faulty((response) => response.end('<html>log in</html>'));
    expect(await failure(mergeRequest())).toEqual([
      'FORGE_UNAVAILABLE',
      'what the forge answers cannot be read: it is no JSON',
    ]);
    faulty((response) => response.destroy());
    expect(await failure(mergeRequest())).toEqual([
      'FORGE_UNAVAILABLE',
      expect.stringMatching(/^"FORGE" cannot be reached: /),
    ]);
  });

  it('has the token in no message', async () => {
    for (const code of [401, 403, 404, 301]) {
      status(code, { location: `http://elsewhere.invalid/${TOKEN}` });
      const error: unknown = await mergeRequest().catch((cause: unknown) => cause);
      expect(JSON.stringify([String(error), Reflect.get(Object(error), 'hint')])).not.toContain(TOKEN);
    }
    expect(new Set(forge.came.map(({ authorization }) => authorization))).toEqual(
      new Set([`Bearer ${TOKEN}`]),
    );
  });

  it('speaks http on this machine alone', async () => {
    const far = openForge({
      api: 'http://192.0.2.1/api/v4',
      kind: 'gitlab',
      token: TOKEN,
      now: () => new Date(),
      wait: async () => undefined,
    });
    expect(await failure(readMergeRequest(far, 'shop/web', { number: '42' }))).toEqual([
      'FORGE_UNAVAILABLE',
      'host "192.0.2.1" has the address 192.0.2.1: http is spoken with this machine only',
    ]);
  });
});
