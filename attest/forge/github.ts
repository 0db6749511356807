// SPDX-License-Identifier: Apache-2.0
import type { ForgeClient } from './client.ts';
import {
  type AskedRequest,
  commitOf,
  commitsIn,
  distinct,
  type ForgeApproval,
  type ForgeReading,
  type ForgeUser,
  faultsOf,
  field,
  list,
  malformed,
  movedMeanwhile,
  text,
  timeOf,
  userOf,
} from './reading.ts';

/**
 * Reads the approving reviews of the head commit of a pull request into one branch: the last word of each reviewer counts, and a comment is none.
 * @throws {AttestError} FORGE_UNAVAILABLE | FORGE_REFUSED
 * @see https://docs.github.com/rest/pulls/reviews  https://docs.github.com/rest/pulls/pulls
 */
export async function readPullRequest(
  client: ForgeClient,
  project: string,
  { number, target: stated }: AskedRequest,
): Promise<ForgeReading> {
  const path = `repos/${project}/pulls/${number}`;
  const pull = await client.one(path);
  const [commit, target] = [commitOf(field(pull, 'head'), 'sha'), text(field(pull, 'base'), 'ref')];
  const wanted = stated ?? text(field(field(pull, 'base'), 'repo'), 'default_branch');
  const commits = await client.all(`${path}/commits`);
  // GitHub lists 250 of them at most, and who is not seen is not excluded.
  if (field(pull, 'commits') !== commits.length)
    throw malformed(`it lists ${commits.length} of the commits of the pull request`);
  const reviews = await client.all(`${path}/reviews`);
  const after = await client.one(path);
  if (commitOf(field(after, 'head'), 'sha') !== commit || text(field(after, 'base'), 'ref') !== target)
    throw movedMeanwhile();
  const isMerged = field(pull, 'merged') === true;
  const faults = faultsOf(field(pull, 'state') === 'closed' && !isMerged, target, wanted);
  const skipped = [...faults];
  const approvals = lastWords(reviews).flatMap(([user, review]): ForgeApproval[] => {
    const at = timeOf(review, 'submitted_at');
    const why = faultOf(review, commit);
    if (why !== undefined) skipped.push(`${user.name}: ${why}`);
    return why !== undefined || faults.length > 0 ? [] : [{ user, ...(at === undefined ? {} : { at }) }];
  });
  return {
    commit,
    merged: isMerged ? commitsIn(pull, ['merge_commit_sha']) : [],
    authors: distinct([userOf(field(pull, 'user'), 'login'), ...commits.flatMap(committersOf)]),
    approvals,
    skipped,
    target,
  };
}

function faultOf(review: unknown, commit: string): string | undefined {
  const state = text(review, 'state');
  if (state === 'CHANGES_REQUESTED') return 'asks for changes';
  if (state !== 'APPROVED') return 'the review was dismissed';
  if (field(review, 'commit_id') !== commit) return 'approved an earlier commit';
  return timeOf(review, 'submitted_at') === undefined ? 'GitHub does not say when' : undefined;
}

const WORDS: ReadonlySet<unknown> = new Set(['APPROVED', 'CHANGES_REQUESTED', 'DISMISSED']);

/** Reviews are listed in the order of time. Who is gone from GitHub has no number, and no say. */
function lastWords(reviews: readonly unknown[]): readonly (readonly [ForgeUser, unknown])[] {
  const last = new Map<string, readonly [ForgeUser, unknown]>();
  for (const review of reviews) {
    const state = field(review, 'state');
    if (state === 'COMMENTED' || state === 'PENDING') continue;
    if (!WORDS.has(state)) throw malformed(`a review is ${JSON.stringify(state)}`);
    if (field(review, 'user') === null) continue;
    const user = userOf(field(review, 'user'), 'login');
    last.set(user.subject, [user, review]);
  }
  return [...last.values()];
}

/** Who wrote and who committed it, where GitHub knows them. */
const committersOf = (commit: unknown): readonly ForgeUser[] =>
  ['author', 'committer'].flatMap((key) => {
    const user = field(commit, key);
    return field(user, 'id') === undefined ? [] : [userOf(user, 'login')];
  });

/**
 * Reads the reviews of the deployments of a workflow run to one environment. GitHub does not say when they were given. One rejection
 * and none counts.
 * @throws {AttestError} FORGE_UNAVAILABLE | FORGE_REFUSED
 * @see https://docs.github.com/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
 */
export async function readDeploymentReviews(
  client: ForgeClient,
  project: string,
  asked: { readonly run: string; readonly environment: string },
): Promise<ForgeReading> {
  const path = `repos/${project}/actions/runs/${asked.run}`;
  const run = await client.one(path);
  const reviews = await client.one(`${path}/approvals`);
  if (!Array.isArray(reviews)) throw malformed('the reviews of a run are no list');
  const own = reviews.filter((review) =>
    list(review, 'environments').some((one) => field(one, 'name') === asked.environment),
  );
  const skipped: string[] = [];
  const approvals = own.flatMap((review): ForgeApproval[] => {
    if (field(review, 'state') === 'pending') return [];
    const user = userOf(field(review, 'user'), 'login');
    if (field(review, 'state') === 'approved') return [{ user }];
    skipped.push(`${user.name}: rejected it`);
    return [];
  });
  return {
    commit: commitOf(run, 'head_sha'),
    merged: [],
    // Who is not seen is not excluded.
    authors: distinct(['actor', 'triggering_actor'].map((key) => userOf(field(run, key), 'login'))),
    approvals: skipped.length > 0 ? [] : approvals,
    skipped,
    environment: asked.environment,
  };
}
