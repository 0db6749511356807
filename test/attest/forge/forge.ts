// SPDX-License-Identifier: Apache-2.0
// A forge of our own: what GitLab and GitHub document of these paths, with their failures, pages and limits.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const TOKEN = 'TEST-forge-token';
export const HEAD = 'a'.repeat(40);
export const OTHER = 'b'.repeat(40);
export const MERGED = 'c'.repeat(40);

/** One request as it came. */
export interface Came {
  readonly path: string;
  readonly authorization: string | undefined;
}

export interface LocalForge {
  readonly url: string;
  /** What is at a path, without its query; a list is given in pages. */
  readonly at: Map<string, unknown>;
  /** What happens before that, one for each request, by path. */
  readonly faults: Map<string, ((response: ServerResponse, request: IncomingMessage) => void)[]>;
  readonly came: Came[];
  /** Answers 401 to another token. */
  wantsToken: boolean;
  readonly close: () => Promise<void>;
}

export async function startForge(): Promise<LocalForge> {
  const at = new Map<string, unknown>();
  const faults: LocalForge['faults'] = new Map();
  const came: Came[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    came.push({ path: `${url.pathname}${url.search}`, authorization: request.headers.authorization });
    const fault = faults.get(url.pathname)?.shift();
    if (fault !== undefined) fault(response, request);
    else if (forge.wantsToken && request.headers.authorization !== `Bearer ${TOKEN}`) answer(response, 401);
    else if (!at.has(url.pathname)) answer(response, 404);
    else page(response, url, at.get(url.pathname));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const forge: LocalForge = {
    url: `http://127.0.0.1:${port}`,
    at,
    faults,
    came,
    wantsToken: true,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return forge;
}

/** An answer with no more than a status. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ message: `${status}` }));
}

function page(response: ServerResponse, url: URL, value: unknown): void {
  const size = Number(url.searchParams.get('per_page') ?? 0);
  const number = Number(url.searchParams.get('page') ?? 1);
  const isPaged = Array.isArray(value) && size > 0;
  const items = isPaged ? value.slice((number - 1) * size, number * size) : value;
  const isLast = !isPaged || number * size >= value.length;
  // The link leads to a host that nobody may ask.
  const next = `<http://elsewhere.invalid${url.pathname}?page=${number + 1}>; rel="next"`;
  response.writeHead(200, {
    'content-type': 'application/json',
    ...(isPaged ? { link: `<${url.origin}>; rel="first"${isLast ? '' : `, ${next}`}` } : {}),
  });
  response.end(JSON.stringify(items));
}

const gitlabUser = (id: number) => ({ id, username: `user-${id}`, state: 'active', name: `User ${id}` });
const githubUser = (id: number) => ({ id, login: `user-${id}`, type: 'User' });
export const GITLAB_PROJECT = '/api/v4/projects/shop%2Fweb';
export const MR = '/api/v4/projects/shop%2Fweb/merge_requests/42';
export const DEPLOYMENT = '/api/v4/projects/shop%2Fweb/deployments/99';
export const PULL = '/repos/shop/web/pulls/7';
export const RUN = '/repos/shop/web/actions/runs/123';

/** A merge request by user 1, whose head was pushed at ten. */
export function putMergeRequest(
  forge: LocalForge,
  approved: readonly (readonly [user: number, at?: string])[],
  more: Readonly<Record<string, unknown>> = {},
): void {
  const own = { iid: 42, state: 'opened', sha: HEAD, target_branch: 'main', author: gitlabUser(1) };
  forge.at.set(MR, { ...own, ...more });
  forge.at.set(GITLAB_PROJECT, { id: 3, path_with_namespace: 'shop/web', default_branch: 'main' });
  forge.at.set(`${MR}/versions`, [
    { id: 2, head_commit_sha: HEAD, created_at: '2026-11-24T10:00:00.000Z' },
    { id: 1, head_commit_sha: OTHER, created_at: '2026-11-24T08:00:00.000Z' },
  ]);
  forge.at.set(`${MR}/approvals`, {
    iid: 42,
    approved_by: approved.map(([user, at]) => ({
      user: gitlabUser(user),
      ...(at === undefined ? {} : { approved_at: `2026-11-24T${at}Z` }),
    })),
  });
}

/** A deployment by user 1. */
export function putDeployment(
  forge: LocalForge,
  approved: readonly (readonly [user: number, status: string])[],
  environment = 'production',
): void {
  forge.at.set(DEPLOYMENT, {
    id: 99,
    sha: HEAD,
    status: 'blocked',
    user: gitlabUser(1),
    environment: { id: 9, name: environment },
    approvals: approved.map(([user, status]) => ({
      user: gitlabUser(user),
      status,
      created_at: '2026-11-24T10:30:00.000Z',
      comment: '',
    })),
  });
}

/** One review: who, its state, and of which commit. */
export type ReviewOf = readonly [user: number, state: string, commit?: string];

/** A pull request by user 1 with a commit of user 4. */
export function putPull(
  forge: LocalForge,
  reviews: readonly ReviewOf[],
  more: Readonly<Record<string, unknown>> = {},
): void {
  forge.at.set(PULL, {
    number: 7,
    state: 'open',
    merged: false,
    commits: 2,
    head: { sha: HEAD },
    base: { ref: 'main', repo: { default_branch: 'main' } },
    user: githubUser(1),
    ...more,
  });
  forge.at.set(`${PULL}/commits`, [
    { sha: OTHER, author: githubUser(4), committer: githubUser(1) },
    { sha: HEAD, author: null, committer: null },
  ]);
  forge.at.set(
    `${PULL}/reviews`,
    reviews.map(([user, state, commit = HEAD], index) => ({
      id: index,
      user: githubUser(user),
      state,
      commit_id: commit,
      submitted_at: `2026-11-24T10:${String(index % 60).padStart(2, '0')}:00Z`,
    })),
  );
}

/** A run by user 1. */
export function putRun(
  forge: LocalForge,
  reviews: readonly (readonly [user: number, state: string, environment?: string])[],
  more: Readonly<Record<string, unknown>> = {},
): void {
  const actors = { actor: githubUser(1), triggering_actor: githubUser(5) };
  forge.at.set(RUN, { id: 123, head_sha: HEAD, ...actors, ...more });
  forge.at.set(
    `${RUN}/approvals`,
    reviews.map(([user, state, environment = 'production']) => ({
      state,
      comment: '',
      environments: [{ id: 1, name: environment }],
      user: githubUser(user),
    })),
  );
}
