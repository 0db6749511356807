// SPDX-License-Identifier: Apache-2.0
// Trusted roots of Sigstore instances that are fetched: where they are kept, and how a server keeps them fresh. Never inside a request.
import { join } from 'node:path';
import { AttestError } from '../../attest/error.ts';
import { type FetchedRoot, refreshRoot, type TufRepository } from '../../attest/trust/index.ts';
import type { Attestations } from '../../engine/context/project.ts';
import { codeOf, messageOf } from '../cause.ts';
import { findInstallation } from '../installation.ts';
import type { Io } from '../io.ts';
import { userCache } from '../loading/project.ts';

type TufSource = NonNullable<Attestations['tuf']>;

/**
 * Has the trusted root that a TUF repository publishes, or the last that was good (`attest/trust/tuf.ts`).
 * @throws {AttestError} TRUST_UNAVAILABLE | TRUST_EXPIRED | TRUST_UNREADABLE | TRUST_SHAPE
 */
export function fetchRoot({ mirror, root, offline }: TufSource, io: Io): Promise<FetchedRoot> {
  return refreshRoot({
    directory: rootsFolder(io),
    userId: io.userId,
    offline: offline === true,
    now: io.now(),
    ...(mirror === undefined ? {} : { repository: repositoryOf(mirror, root) }),
  });
}

export const repositoryOf = (mirror: string, root: string | undefined): TufRepository => ({
  mirrorUrl: mirror.replace(/\/+$/, ''),
  ...(root === undefined ? {} : { rootFile: root }),
});

/** The folder of roots that were fetched, in the cache of the user. @throws {AttestError} TRUST_UNAVAILABLE where there is none */
export function rootsFolder(io: Io): string {
  const cache = userCache(io, findInstallation());
  if (cache !== undefined) return join(cache.directory, '..', 'trust');
  throw new AttestError('TRUST_UNAVAILABLE', 'there is no folder to keep the trusted root in', {
    hint: 'name one outside the working folder with COUNTERSIGN_CACHE, or a file with the trusted root',
  });
}

/** How often the roots of a server are fetched, in milliseconds; sooner where some could not be had. */
export interface RootTimes {
  readonly everyMs: number;
  readonly retryMs: number;
}

const TIMES: RootTimes = { everyMs: 60 * 60_000, retryMs: 5 * 60_000 };

/**
 * Calls `refresh` from time to time, one call at a time. What it is rejected with is said, and nothing else happens: the last good roots
 * serve until they expire. Returns what stops it.
 */
export function keepFresh(refresh: () => Promise<void>, io: Io, times: RootTimes = TIMES): () => void {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const wait = (ms: number): void => {
    if (!isStopped) timer = setTimeout(() => void turn(), ms).unref();
  };
  const turn = async (): Promise<void> => {
    try {
      await refresh();
      wait(times.everyMs);
    } catch (error) {
      io.err(
        `note: ${messageOf(error)} [${codeOf(error)}]; the last good trusted root serves until it expires\n`,
      );
      wait(times.retryMs);
    }
  };
  wait(times.everyMs);
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
