// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';

/** A user as the forge knows them: its number, which is never given to another one, and the name, which may be. */
export interface ForgeUser {
  readonly subject: string;
  readonly name: string;
}

/** One approval that stands. */
export interface ForgeApproval {
  readonly user: ForgeUser;
  /** RFC 3339, UTC; absent where the forge does not say. */
  readonly at?: string;
}

/** What a forge says of one change at one moment. */
export interface ForgeReading {
  /** The head commit that was approved, in lower-case hex. */
  readonly commit: string;
  /** Commits that the same change has become by being merged. */
  readonly merged: readonly string[];
  /** Who opened it or set it going, and on GitHub who is known there as author or committer of its commits. GitLab does not say. */
  readonly authors: readonly ForgeUser[];
  readonly approvals: readonly ForgeApproval[];
  /** What stands there and counts for nothing, and why. */
  readonly skipped: readonly string[];
  /** The environment there that a deployment is to. */
  readonly environment?: string;
  /** The branch that a merge or pull request is into. */
  readonly target?: string;
}

/** Which merge or pull request is meant. */
export interface AskedRequest {
  readonly number: string;
  /** The branch that it must be into; by default that of the project. */
  readonly target?: string;
}

/** Why none of its approvals counts: what is merged elsewhere is looked at by other eyes. */
export function faultsOf(isClosed: boolean, target: string, wanted: string): string[] {
  const where = `it is into branch ${JSON.stringify(target)}, and not into ${JSON.stringify(wanted)}`;
  return [...(isClosed ? ['it is closed'] : []), ...(target === wanted ? [] : [where])];
}

/** The own member of a JSON object. */
export const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;

/** A text that must be there. @throws {AttestError} FORGE_UNAVAILABLE */
export function text(value: unknown, key: string): string {
  const found = field(value, key);
  if (typeof found === 'string' && found !== '') return found;
  throw malformed(`it says no ${JSON.stringify(key)}`);
}

/** A list that must be there. @throws {AttestError} FORGE_UNAVAILABLE */
export function list(value: unknown, key: string): readonly unknown[] {
  const found = field(value, key);
  if (Array.isArray(found)) return found;
  throw malformed(`it says no ${JSON.stringify(key)}`);
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** A whole commit id. @throws {AttestError} FORGE_UNAVAILABLE */
export function commitOf(value: unknown, key: string): string {
  const found = text(value, key);
  if (COMMIT.test(found)) return found;
  throw malformed(`${JSON.stringify(key)} is no commit: ${JSON.stringify(found.slice(0, 80))}`);
}

/** Those of these members that are commits. */
export const commitsIn = (value: unknown, keys: readonly string[]): readonly string[] =>
  keys.flatMap((key) => {
    const found = field(value, key);
    return typeof found === 'string' && COMMIT.test(found) ? [found] : [];
  });

/** A user by number. @throws {AttestError} FORGE_UNAVAILABLE */
export function userOf(value: unknown, nameKey: 'login' | 'username'): ForgeUser {
  const id = field(value, 'id');
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id <= 0)
    throw malformed('a user of it has no number');
  return { subject: String(id), name: text(value, nameKey) };
}

/** A time as we write it, or undefined where there is none. */
export function timeOf(value: unknown, key: string): string | undefined {
  const found = field(value, key);
  const time = typeof found === 'string' ? Date.parse(found) : Number.NaN;
  return Number.isFinite(time) ? new Date(time).toISOString() : undefined;
}

/** Each user once. */
export const distinct = (users: readonly ForgeUser[]): readonly ForgeUser[] => [
  ...new Map(users.map((user) => [user.subject, user] as const)).values(),
];

/** What a forge answers is not what it documents. */
export const malformed = (why: string): AttestError =>
  new AttestError('FORGE_UNAVAILABLE', `what the forge answers cannot be read: ${why}`, {
    hint: 'check api of the forge in the Project',
  });

/** Between two answers it became another one. */
export const movedMeanwhile = (): AttestError =>
  new AttestError('FORGE_UNAVAILABLE', 'the change got another head commit or branch while it was read', {
    hint: 'nothing was signed: try again',
  });
