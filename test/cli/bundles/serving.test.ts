// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals';
import { loadLock } from '../../../cli/bundles/lock.ts';
import { type LoadedJudge, openPolicies } from '../../../cli/bundles/serving.ts';
import type { Io } from '../../../cli/io.ts';
import { EngineError, type Judge } from '../../../engine/index.ts';
import type { Lock, Release } from '../../../engine/policy/release/index.ts';
import { IO, place } from './place.ts';

const here = place();
afterAll(() => here.remove());
const said: string[] = [];
const io: Io = { ...IO, err: (text) => void said.push(text), homeDirectory: here.at('home') };

/** A judge that says who it is by what it throws. */
const judgeOf = (name: string): Judge => ({
  review: () => {
    throw new Error(name);
  },
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
const asked = (judge: Judge) => () =>
  judge.review(
    { phase: 'admission', operation: 'CREATE', documents: [], sources: [] },
    { time: io.now(), id: 'x' },
  );

/** A loader that gives these one after the other, and what it was told of releases seen. */
function loader(...outcomes: readonly (LoadedJudge | Error)[]) {
  const seen: Lock[] = [];
  const load = async (known: Lock): Promise<LoadedJudge> => {
    const outcome = outcomes[seen.push(known) - 1];
    if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('no more');
    return outcome;
  };
  return { load, seen };
}

describe('the policies of a server', () => {
  it('are loaded once without an interval, and what is wrong with them is thrown', async () => {
    await expect(openPolicies(undefined, here.at('a'), loader(refusal).load, io)).rejects.toBe(refusal);
    const { load } = loader({ judge: judgeOf('one'), releases: [] });
    const once = await openPolicies(undefined, here.at('a'), load, io);
    expect(once.refresh).toBeUndefined();
    expect(once.notReady()).toEqual([]);
    expect(asked(once.judge)).toThrow('one');
  });

  it('keep the last good ones when a later load is refused', async () => {
    const { load } = loader({ judge: judgeOf('one'), releases: [] }, refusal, {
      judge: judgeOf('two'),
      releases: [],
    });
    const { judge, refresh, notReady } = await openPolicies(10_000, here.at('b'), load, io);
    await expect(refresh?.run()).rejects.toBe(refusal);
    expect(asked(judge)).toThrow('one');
    expect(notReady()).toEqual([]);
    await refresh?.run();
    expect(asked(judge)).toThrow('two');
  });

  it('are not ready until some were good, and judge nothing till then', async () => {
    const { load } = loader(refusal, refusal, { judge: judgeOf('one'), releases: [] });
    const { judge, refresh, notReady } = await openPolicies(10_000, here.at('c'), load, io);
    expect(said.at(-1)).toBe('note: no policies yet, not ready: older [BUNDLE_ROLLBACK]\n');
    expect(notReady()).toEqual(['no policies']);
    expect(asked(judge)).toThrow(EngineError);
    await expect(refresh?.run()).rejects.toBe(refusal);
    expect(notReady()).toEqual(['no policies']);
    await refresh?.run();
    expect(notReady()).toEqual([]);
    expect(asked(judge)).toThrow('one');
  });

  it('remember the releases they came from over a restart', async () => {
    const state = here.at('d');
    const first = loader(
      { judge: judgeOf('one'), releases: [releaseOf(3)] },
      { judge: judgeOf('two'), releases: [releaseOf(5)] },
    );
    const running = await openPolicies(10_000, state, first.load, io);
    await running.refresh?.run();
    expect(first.seen[1]?.releases.get('p')?.version).toBe(3);
    const second = loader({ judge: judgeOf('three'), releases: [] });
    await openPolicies(10_000, state, second.load, io);
    const { digest } = releaseOf(5).release;
    expect(second.seen[0]).toEqual({
      bundles: new Map([['oci://r.example/p:latest', { digest, release: 'p' }]]),
      releases: new Map([['p', { version: 5, digest }]]),
    });
    expect(loadLock(here.at('d/releases.json')).releases.get('p')?.version).toBe(5);
  });

  it('are refused where what was seen cannot be told', async () => {
    here.write({ 'e/releases.json': '{' });
    const { load } = loader({ judge: judgeOf('one'), releases: [] });
    await expect(openPolicies(undefined, here.at('e'), load, io)).rejects.toMatchObject({
      code: 'LOCK_SHAPE',
    });
  });
});
