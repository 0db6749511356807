// SPDX-License-Identifier: Apache-2.0
import type { Change } from '../change.ts';
import { type Finding, objectId } from '../decide/finding.ts';
import { oldOf } from '../earlier.ts';
import { type Document, imagesOf } from '../manifest/index.ts';
import { readObject } from '../record/normal.ts';
import { objectOf } from '../record/set.ts';

/** One artefact of a release, as it was locked or left open. */
export interface LockEntry {
  readonly kind: 'image' | 'object';
  /** `registry/repository` of an image; `<group>/<Kind>/<namespace>/<name>` of an object. */
  readonly name: string;
  readonly digest: { readonly sha256: string };
  readonly state: 'locked' | 'open';
  /** Who may change it while it is open; anybody where there is none. */
  readonly roles?: readonly string[];
}

/** A lock in force: the newest of its release. */
export interface Lock {
  readonly id: string;
  readonly environment: string;
  readonly release: string;
  readonly entries: readonly LockEntry[];
}

/** The rule that speaks where a locked artefact is another one. */
export const LOCK_RULE = 'lock.changed';
/** The rule that speaks where an open one that is not everybody's is another one. */
export const LOCK_ROLE_RULE = 'lock.role';

/** What is judged, and which roles have approved it. */
export interface LockFrame {
  readonly change: Pick<Change, 'phase' | 'operation' | 'oldObject'>;
  readonly hasRole: (role: string) => boolean;
}

interface Changed {
  readonly message: string;
  readonly path?: string;
}

/**
 * What locks say of a document: a locked artefact that is another one is denied, and so is an open one that is not everybody's, unless
 * somebody of one of its roles has approved the set. Of several locks that speak of one artefact each counts.
 */
export function lockFindings(
  document: Document,
  locks: readonly Lock[],
  frame: LockFrame,
): readonly Finding[] {
  return locks.flatMap(({ release, entries }) =>
    entries
      .filter(({ state, roles = [] }) => state === 'locked' || roles.length > 0)
      .flatMap((entry) =>
        changesOf(document, entry, frame.change).map((changed) =>
          findingOf({ entry, release, changed, document }, frame),
        ),
      ),
  );
}

/**
 * What an image is called in a lock, however its registry is spelled: a host has no case, 443 is its port where none is written, and
 * Docker's has several names. What cannot be read as a reference may be any image.
 */
export function imageName({ registry, repository }: { registry: string; repository: string }): string {
  const host = registry.toLowerCase().replace(/:443$/, '').replace(/\.$/, '');
  if (!/^(?:index\.|registry-1\.)?docker\.io$/.test(host)) return `${host}/${repository}`;
  return `docker.io/${repository.includes('/') ? repository : `library/${repository}`}`;
}

/** The same of a name that stands in a lock. */
function nameAsWritten(name: string): string {
  const slash = name.indexOf('/');
  return imageName({ registry: name.slice(0, slash), repository: name.slice(slash + 1) });
}

/**
 * How this document changes an artefact. An image that is named without its digest is another one: nobody can say that it is the same.
 * An object at admission has the API server's defaults in it, so there it is compared with what it was, and not when it is new.
 */
function changesOf(document: Document, entry: LockEntry, change: LockFrame['change']): readonly Changed[] {
  const { phase, operation, oldObject } = change;
  const isDelete = operation === 'DELETE';
  if (entry.kind === 'image')
    return isDelete
      ? []
      : imagesOf(document)
          .filter((image) => image.registry === '' || imageName(image) === nameAsWritten(entry.name))
          .filter(({ digest }) => digest !== `sha256:${entry.digest.sha256}`)
          .map(({ ref, path }) => ({
            path,
            message: `is ${JSON.stringify(ref)}, not @sha256:${entry.digest.sha256}`,
          }));
  if (entry.name !== objectId(objectOf(document))) return [];
  if (isDelete) return [{ message: 'is to be deleted' }];
  const { digest } = readObject(document);
  if (phase === 'check')
    return digest === entry.digest.sha256
      ? []
      : [{ message: `is sha256:${digest}, not sha256:${entry.digest.sha256}` }];
  if (operation !== 'UPDATE' || oldObject === undefined) return [];
  return readObject({ ...document, ...oldOf(oldObject) }).digest === digest
    ? []
    : [{ message: 'is to be changed' }];
}

function findingOf(
  of: {
    readonly entry: LockEntry;
    readonly release: string;
    readonly changed: Changed;
    readonly document: Document;
  },
  { change, hasRole }: LockFrame,
): Finding {
  const { entry, release, changed, document } = of;
  const about = { object: objectOf(document), controls: [] };
  const path = changed.path === undefined ? {} : { path: changed.path };
  const what = `${entry.kind} ${JSON.stringify(entry.name)} of release ${JSON.stringify(release)}`;
  if (entry.state === 'locked')
    return {
      rule: LOCK_RULE,
      result: 'fail',
      message: `${what} is locked, and ${changed.message}`,
      severity: 'critical',
      remedy: 'deploy what was locked, or countersign unlock it first',
      ...about,
      ...path,
    };
  const { roles = [] } = entry;
  // One admission is not the set that was approved: whether somebody of the role has approved it is not known there.
  const open = change.phase === 'check' ? 'fail' : 'warn';
  return {
    rule: LOCK_ROLE_RULE,
    result: roles.some(hasRole) ? 'skip' : open,
    message: `${what} may be changed by ${roles.map((role) => JSON.stringify(role)).join(' or ')}, and ${changed.message}`,
    severity: 'high',
    remedy: 'somebody of that role is to approve the change',
    ...about,
    ...path,
  };
}

/** Whether anything is less held back than before: no longer locked, another one, or open to more roles. */
export function weakens(entries: readonly LockEntry[], before: readonly LockEntry[]): boolean {
  return before.some((was) => {
    const is = entries.find((one) => one.kind === was.kind && one.name === was.name);
    if (is === undefined) return true;
    if (was.state === 'locked') return is.state !== 'locked' || is.digest.sha256 !== was.digest.sha256;
    const [roles, wider] = [was.roles ?? [], is.roles ?? []];
    if (roles.length === 0) return false;
    // Another digest is a change, which is for those roles to approve.
    if (is.digest.sha256 !== was.digest.sha256) return true;
    if (is.state === 'locked') return false;
    return wider.length === 0 || wider.some((role) => !roles.includes(role));
  });
}
