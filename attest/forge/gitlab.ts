// SPDX-License-Identifier: Apache-2.0
import type { ForgeClient } from './client.ts';
import {
  type AskedRequest,
  commitOf,
  commitsIn,
  distinct,
  type ForgeApproval,
  type ForgeReading,
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
 * Reads the approvals of a merge request into one branch that were given after its head commit was pushed. GitLab says of an approval when it was given
 * and not for which commit; an instance that does not say when proves nothing.
 * @throws {AttestError} FORGE_UNAVAILABLE | FORGE_REFUSED
 * @see https://docs.gitlab.com/api/merge_request_approvals/  https://docs.gitlab.com/api/merge_requests/#list-merge-request-diff-versions
 */
export async function readMergeRequest(
  client: ForgeClient,
  project: string,
  { number, target: stated }: AskedRequest,
): Promise<ForgeReading> {
  const root = `projects/${encodeURIComponent(project)}`;
  const path = `${root}/merge_requests/${number}`;
  const request = await client.one(path);
  const [commit, target] = [commitOf(request, 'sha'), text(request, 'target_branch')];
  const wanted = stated ?? text(await client.one(root), 'default_branch');
  const pushedMs = pushedAt(await client.all(`${path}/versions`), commit);
  const given = list(await client.one(`${path}/approvals`), 'approved_by');
  const after = await client.one(path);
  if (commitOf(after, 'sha') !== commit || text(after, 'target_branch') !== target) throw movedMeanwhile();
  const faults = faultsOf(field(request, 'state') === 'closed', target, wanted);
  const skipped = [...faults];
  const approvals = given.flatMap((one): ForgeApproval[] => {
    const user = userOf(field(one, 'user'), 'username');
    const at = timeOf(one, 'approved_at');
    const why =
      at === undefined
        ? 'GitLab does not say when'
        : Date.parse(at) < pushedMs
          ? 'approved an earlier commit'
          : undefined;
    if (why !== undefined) skipped.push(`${user.name}: ${why}`);
    return why !== undefined || faults.length > 0 || at === undefined ? [] : [{ user, at }];
  });
  return {
    commit,
    merged:
      field(request, 'state') === 'merged'
        ? commitsIn(request, ['merge_commit_sha', 'squash_commit_sha'])
        : [],
    authors: [userOf(field(request, 'author'), 'username')],
    approvals,
    skipped,
    target,
  };
}

/** When the head commit came: versions are listed with the newest first. */
function pushedAt(versions: readonly unknown[], commit: string): number {
  const times = versions
    .filter((one) => field(one, 'head_commit_sha') === commit)
    .map((one) => Date.parse(timeOf(one, 'created_at') ?? ''));
  // The same commit may have been there, gone, and come back: only what was approved since then is about it.
  const newest = Math.max(...times);
  if (Number.isFinite(newest)) return newest;
  throw malformed('no version of the merge request has its head commit');
}

/**
 * Reads the approvals of a deployment that waits for them. One rejection and none counts.
 * @throws {AttestError} FORGE_UNAVAILABLE | FORGE_REFUSED
 * @see https://docs.gitlab.com/api/deployments/#retrieve-a-deployment
 */
export async function readDeployment(
  client: ForgeClient,
  project: string,
  id: string,
): Promise<ForgeReading> {
  const deployment = await client.one(`projects/${encodeURIComponent(project)}/deployments/${id}`);
  const skipped: string[] = [];
  const approvals = list(deployment, 'approvals').flatMap((one): ForgeApproval[] => {
    const user = userOf(field(one, 'user'), 'username');
    const at = timeOf(one, 'created_at');
    if (field(one, 'status') !== 'approved') {
      skipped.push(`${user.name}: rejected it`);
      return [];
    }
    if (at === undefined) skipped.push(`${user.name}: GitLab does not say when`);
    return at === undefined ? [] : [{ user, at }];
  });
  const isRejected = list(deployment, 'approvals').some((one) => field(one, 'status') !== 'approved');
  return {
    commit: commitOf(deployment, 'sha'),
    merged: [],
    authors: distinct([userOf(field(deployment, 'user'), 'username')]),
    approvals: isRejected ? [] : approvals,
    skipped,
    environment: text(field(deployment, 'environment'), 'name'),
  };
}
