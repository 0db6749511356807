// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { ProverParts } from '../../attest/image/index.ts';
import { parseOciReference } from '../../attest/oci/index.ts';
import type { JudgeParts } from '../../engine/parts.ts';
import { type Lock, type Pin, withReleases } from '../../engine/policy/release/index.ts';
import { codeOf, messageOf } from '../cause.ts';
import type { Io } from '../io.ts';
import type { Checks } from '../remote/environments.ts';
import { makeFolder } from '../seal.ts';
import { loadLock, saveLock } from './lock.ts';
import type { ReleasedBundle } from './policies.ts';

/** A judge in parts, the releases that its policies came from, and what is asked about images. */
export interface LoadedJudge {
  readonly parts: JudgeParts;
  readonly releases: readonly ReleasedBundle[];
  readonly asked?: AskedOf | undefined;
  /** What whole sets are checked by, where there are environments. */
  readonly checks?: Checks;
  /** Fetches the trusted roots that `asked` tells of anew, and hands on what sets are checked by then; absent where none is fetched. */
  readonly refreshRoots?: (useChecks: (checks: Checks) => void) => Promise<void>;
}

/** What the environment of a namespace asks about images; undefined where it asks nothing. */
export type AskedOf = (namespace: string | undefined) => AskedClaims | undefined;

/** What one environment asks about images. */
export interface AskedClaims {
  readonly parts: ProverParts;
  readonly registries: readonly string[];
  /** Whether an admission waits for a registry. */
  readonly isLive: boolean;
  /** SHA-256 (hex) of whom all of it is believed of. */
  readonly trustDigest: string;
}

/** Where policies come from, and who is to judge by them: whoever that is keeps to the last good ones when it cannot. */
export interface Loading {
  readonly load: (memory: Lock) => Promise<LoadedJudge>;
  readonly use: (parts: JudgeParts, asked: AskedOf | undefined, checks: Checks | undefined) => Promise<void>;
  readonly useChecks: (checks: Checks) => void;
}

/** The policies of a running server. */
export interface ServingPolicies {
  /** Why nothing can be judged; empty once policies were good. */
  readonly notReady: () => readonly string[];
  /** Fetches the trusted roots of those that judge now. Rejects with {AttestError} TRUST_… */
  readonly refreshRoots: () => Promise<void>;
  readonly refresh?: {
    readonly intervalMs: number;
    readonly run: () => Promise<void>;
    readonly hasGood: () => boolean;
  };
}

/**
 * Loads policies for a server. Without an interval they are loaded once, and what is wrong with them is thrown. With one the server
 * starts whatever they are: it is not ready until some were good, and a load that fails later leaves the last good ones in place.
 * Releases that were used are written to the state folder before they judge, so that an older one is refused after a restart too.
 */
export async function openPolicies(
  intervalMs: number | undefined,
  state: string,
  { load, use, useChecks }: Loading,
  io: Io,
): Promise<ServingPolicies> {
  const file = join(state, 'releases.json');
  let isGood = false;
  let refreshRoots: LoadedJudge['refreshRoots'];
  const run = async (): Promise<void> => {
    const memory = loadLock(file);
    const loaded = await load(memory);
    if (loaded.releases.length > 0) {
      makeFolder(state);
      saveLock(file, remembered(memory, loaded.releases));
    }
    await use(loaded.parts, loaded.asked, loaded.checks);
    refreshRoots = loaded.refreshRoots;
    isGood = true;
  };
  try {
    await run();
  } catch (error) {
    if (intervalMs === undefined) throw error;
    io.err(`note: no policies yet, not ready: ${messageOf(error)} [${codeOf(error)}]\n`);
  }
  return {
    notReady: () => (isGood ? [] : ['no policies']),
    refreshRoots: async () => refreshRoots?.(useChecks),
    ...(intervalMs === undefined ? {} : { refresh: { intervalMs, run, hasGood: () => isGood } }),
  };
}

function remembered(memory: Lock, releases: readonly ReleasedBundle[]): Lock {
  const bundles = releases
    .filter(({ reference }) => reference.startsWith('oci://'))
    .map(({ reference, release: { name, digest } }): [string, Pin] => [
      parseOciReference(reference).name,
      { digest, release: name },
    ]);
  return {
    bundles: new Map([...memory.bundles, ...bundles]),
    releases: withReleases(
      memory.releases,
      releases.map(({ release }) => release),
    ),
  };
}
