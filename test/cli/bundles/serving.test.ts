// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals';
import { loadLock } from '../../../cli/bundles/lock.ts';
import { type LoadedJudge, openPolicies } from '../../../cli/bundles/serving.ts';
import type { Io } from '../../../cli/io.ts';
import type { Checks } from '../../../cli/remote/environments.ts';
import { EngineError } from '../../../engine/index.ts';
import type { JudgeParts } from '../../../engine/parts.ts';
import type { Lock, Release } from '../../../engine/policy/release/index.ts';
import { IO, place } from './place.ts';

const here = place();
afterAll(() => here.remove());
const said: string[] = [];
const io: Io = { ...IO, err: (text) => void said.push(text), homeDirectory: here.at('home') };

/** Parts that say who they are by the name of their environment. */
const partsOf = (name: string): JudgeParts => ({
  bench: { policies: [], enforcement: {}, environment: { name, tier: 'other' } },
});
const releaseOf = (version: number): { reference: string; release: Release } => ({
  reference: 'oci://r.example/p',
  release: {
    name: 'p',
    version,
    expires: '2027-01-01T00:00:00Z',
    roots: [''],
    digest: `sha256:${String(version).repeat(64)}`,
  },
});
const refusal = new EngineError('BUNDLE_ROLLBACK', 'older');

/** A loader that gives these one after the other, and what it was told of releases seen. */
function loader(...outcomes: readonly (LoadedJudge | Error)[]) {
  const seen: Lock[] = [];
  const load = async (known: Lock): Promise<LoadedJudge> => {
    const outcome = outcomes[seen.push(known) - 1];
    if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('no more');
    return outcome;
  };
  const used: JudgeParts[] = [];
  return {
    load,
    use: async (parts: JudgeParts) => void used.push(parts),
    useChecks: () => undefined,
    seen,
    used,
  };
}

describe('the policies of a server', () => {
  it('are loaded once without an interval, and what is wrong with them is thrown', async () => {
    await expect(openPolicies(undefined, here.at('a'), loader(refusal), io)).rejects.toBe(refusal);
    const loading = loader({ parts: partsOf('one'), releases: [] });
    const once = await openPolicies(undefined, here.at('a'), loading, io);
    expect(once.refresh).toBeUndefined();
    expect(once.notReady()).toEqual([]);
    expect(loading.used).toEqual([partsOf('one')]);
  });

  it('keep the last good ones when a later load is refused', async () => {
    const loading = loader({ parts: partsOf('one'), releases: [] }, refusal, {
      parts: partsOf('two'),
      releases: [],
    });
    const { refresh, notReady } = await openPolicies(10_000, here.at('b'), loading, io);
    await expect(refresh?.run()).rejects.toBe(refusal);
    expect(loading.used).toEqual([partsOf('one')]);
    expect(notReady()).toEqual([]);
    await refresh?.run();
    expect(loading.used).toEqual([partsOf('one'), partsOf('two')]);
  });

  it('are as they were when nobody can judge by new ones', async () => {
    const { load } = loader({ parts: partsOf('one'), releases: [] }, { parts: partsOf('two'), releases: [] });
    const gone = new Error('no memory');
    let count = 0;
    const use = async (): Promise<void> => {
      if (count++ > 0) throw gone;
    };
    const { refresh, notReady } = await openPolicies(
      10_000,
      here.at('f'),
      { load, use, useChecks: () => undefined },
      io,
    );
    await expect(refresh?.run()).rejects.toBe(gone);
    expect(notReady()).toEqual([]);
  });

  it('are not ready until some were good, and judge nothing till then', async () => {
    const loading = loader(refusal, refusal, { parts: partsOf('one'), releases: [] });
    const { refresh, notReady } = await openPolicies(10_000, here.at('c'), loading, io);
    expect(said.at(-1)).toBe('note: no policies yet, not ready: older [BUNDLE_ROLLBACK]\n');
    expect(notReady()).toEqual(['no policies']);
    expect(loading.used).toEqual([]);
    await expect(refresh?.run()).rejects.toBe(refusal);
    expect(notReady()).toEqual(['no policies']);
    await refresh?.run();
    expect(notReady()).toEqual([]);
    expect(loading.used).toEqual([partsOf('one')]);
  });

  it('hand what sets are checked by on where their trusted roots were fetched anew', async () => {
    const checks: Checks = {
      parts: { environments: new Map(), customKinds: [] },
      rules: { environments: new Map(), issuers: [] },
      whoAsks: () => undefined,
    };
    const given: Checks[] = [];
    const loading = {
      ...loader({ parts: partsOf('one'), releases: [], refreshRoots: async (use) => use(checks) }),
      useChecks: (one: Checks) => void given.push(one),
    };
    const { refreshRoots } = await openPolicies(undefined, here.at('g'), loading, io);
    expect(given).toEqual([]);
    await refreshRoots();
    expect(given).toEqual([checks]);
  });

  it('remember the releases they came from over a restart', async () => {
    const state = here.at('d');
    const first = loader(
      { parts: partsOf('one'), releases: [releaseOf(3)] },
      { parts: partsOf('two'), releases: [releaseOf(5)] },
    );
    const running = await openPolicies(10_000, state, first, io);
    await running.refresh?.run();
    expect(first.seen[1]?.releases.get('p')?.version).toBe(3);
    const second = loader({ parts: partsOf('three'), releases: [] });
    await openPolicies(10_000, state, second, io);
    const { digest } = releaseOf(5).release;
    expect(second.seen[0]).toEqual({
      bundles: new Map([['oci://r.example/p:latest', { digest, release: 'p' }]]),
      releases: new Map([['p', { version: 5, digest }]]),
    });
    expect(loadLock(here.at('d/releases.json')).releases.get('p')?.version).toBe(5);
  });

  it('are refused where what was seen cannot be told', async () => {
    here.write({ 'e/releases.json': '{' });
    const loading = loader({ parts: partsOf('one'), releases: [] });
    await expect(openPolicies(undefined, here.at('e'), loading, io)).rejects.toMatchObject({
      code: 'LOCK_SHAPE',
    });
  });
});
