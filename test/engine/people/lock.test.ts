// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { Change } from '../../../engine/change.ts';
import type { Finding } from '../../../engine/decide/finding.ts';
import { type Lock, type LockEntry, lockFindings, weakens } from '../../../engine/people/lock.ts';
import { readObject } from '../../../engine/record/normal.ts';
import { openJudge, openProjectJudge } from '../../../engine/review.ts';
import { changeOf, documentOf, FACTS, policyOf, projectOf } from '../judge.ts';
import { approved, gathered, signed } from './signing.ts';

const DIGEST = '1'.repeat(64);
const deployment = (image: string, replicas = 1): ReturnType<typeof documentOf> =>
  documentOf({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { replicas, template: { spec: { containers: [{ name: 'web', image }] } } },
  });
const LOCKED = deployment(`registry.example/web@sha256:${DIGEST}`);
const IMAGE: LockEntry = {
  kind: 'image',
  name: 'registry.example/web',
  digest: { sha256: DIGEST },
  state: 'locked',
};
const OBJECT: LockEntry = {
  kind: 'object',
  name: 'apps/Deployment/shop/web',
  digest: { sha256: readObject(LOCKED).digest },
  state: 'locked',
};
const lockOf = (...entries: LockEntry[]): Lock => ({
  id: '2'.repeat(64),
  environment: 'production',
  release: '1.4',
  entries,
});

const found = (
  document: ReturnType<typeof documentOf>,
  entry: LockEntry,
  change: Pick<Change, 'phase' | 'operation' | 'oldObject'> = { phase: 'check', operation: 'CREATE' },
  roles: readonly string[] = [],
): readonly (readonly [string, Finding['result']])[] =>
  lockFindings(document, [lockOf(entry)], { change, hasRole: (role) => roles.includes(role) }).map(
    ({ rule, result }) => [rule, result] as const,
  );

describe('a locked image', () => {
  it('is what was locked, by digest alone', () => {
    expect(found(LOCKED, IMAGE)).toEqual([]);
    expect(found(deployment(`registry.example/web:1.4@sha256:${DIGEST}`), IMAGE)).toEqual([]);
    expect(found(deployment('registry.example/other:2'), IMAGE)).toEqual([]);
    const no = [['lock.changed', 'fail']];
    expect(found(deployment(`registry.example/web@sha256:${'3'.repeat(64)}`), IMAGE)).toEqual(no);
    expect(found(deployment('registry.example/web:1.4'), IMAGE)).toEqual(no);
    expect(
      found(deployment('registry.example/web:1.4'), IMAGE, { phase: 'admission', operation: 'UPDATE' }),
    ).toEqual(no);
  });

  it.each(['REGISTRY.example/web:2', 'registry.example:443/web:2', 'registry.example./web:2'])(
    'is none that is spelled %s',
    (image) => {
      expect(found(deployment(image), IMAGE)).toEqual([['lock.changed', 'fail']]);
    },
  );

  it('has the name of what is meant', () => {
    expect(found(deployment(`REGISTRY.example:443/web@sha256:${DIGEST}`), IMAGE)).toEqual([]);
    const docker = { ...IMAGE, name: 'docker.io/library/web' };
    expect(found(deployment('registry-1.docker.io/web:2'), docker)).toEqual([['lock.changed', 'fail']]);
  });
});

describe('a locked object', () => {
  const old = LOCKED.json;
  it('is compared by its digest in a check, and with what it was at admission', () => {
    const other = deployment(`registry.example/web@sha256:${DIGEST}`, 3);
    const no = [['lock.changed', 'fail']];
    expect(found(LOCKED, OBJECT)).toEqual([]);
    expect(found(other, OBJECT)).toEqual(no);
    expect(found(LOCKED, OBJECT, { phase: 'admission', operation: 'UPDATE', oldObject: old })).toEqual([]);
    expect(found(other, OBJECT, { phase: 'admission', operation: 'UPDATE', oldObject: old })).toEqual(no);
    expect(found(LOCKED, OBJECT, { phase: 'admission', operation: 'DELETE' })).toEqual(no);
    expect(found(other, OBJECT, { phase: 'admission', operation: 'CREATE' })).toEqual([]);
  });
});

describe('an open artefact', () => {
  const open: LockEntry = { ...IMAGE, state: 'open', roles: ['owner'] };
  it('is for its roles to change, and for everybody where it has none', () => {
    const other = deployment('registry.example/web:2');
    expect(found(other, open)).toEqual([['lock.role', 'fail']]);
    expect(found(other, open, undefined, ['owner'])).toEqual([['lock.role', 'skip']]);
    expect(found(other, open, { phase: 'admission', operation: 'UPDATE' })).toEqual([['lock.role', 'warn']]);
    expect(found(other, { ...IMAGE, state: 'open' })).toEqual([]);
  });
});

describe('the locks of a release', () => {
  const put = (by: string, entries: readonly LockEntry[], previous?: string, release = '1.4') =>
    signed(
      by,
      'release-lock',
      { name: 'web', digest: DIGEST },
      {
        environment: 'production',
        release,
        time: '2026-11-24T10:00:00Z',
        entries,
        ...(previous === undefined ? {} : { previous: { sha256: previous } }),
      },
    );
  const open: LockEntry = { ...IMAGE, state: 'open' };
  const states = (files: Parameters<typeof gathered>[0]): readonly string[][] =>
    gathered(files).standing.locks.map(({ entries }) => entries.map(({ state }) => state));

  it('follow each other; what opens something takes a second person', async () => {
    const first = await put('alice', [IMAGE]);
    const second = await put('alice', [open], first.id);
    expect(states([first, second])).toEqual([['locked']]);
    const self = await approved('alice', { role: 'lock' }, second.id);
    expect(states([first, second, self])).toEqual([['locked']]);
    const other = await approved('bob', { role: 'lock' }, second.id);
    expect(states([first, second, other])).toEqual([['open']]);
    expect(states([first, second, await approved('bob', { role: 'security' }, second.id)])).toEqual([
      ['locked'],
    ]);
  });

  it('stay where a forged, a foreign or a fresh one would take their place', async () => {
    const first = await put('alice', [IMAGE]);
    expect(states([first, await put('alice', [open], undefined, '1.5')])).toEqual([['locked'], ['open']]);
    expect(states([first, await put('alice', [open], first.id, '1.5')])).toEqual([['locked']]);
    const { standing } = gathered([first, await put('mallory', [open], first.id)]);
    expect(standing.locks).toHaveLength(1);
    expect(standing.unverified[0]).toMatch(/does not count: no trusted key has the id/);
  });

  it('weaken in each of these ways', () => {
    const roles = (...names: string[]): LockEntry => ({ ...open, roles: names });
    for (const [before, after, expected] of [
      [[IMAGE], [IMAGE], false],
      [[IMAGE], [], true],
      [[IMAGE], [open], true],
      [[IMAGE], [{ ...IMAGE, digest: { sha256: '4'.repeat(64) } }], true],
      [[open], [IMAGE], false],
      [[roles('a')], [roles('a')], false],
      [[roles('a', 'b')], [roles('a')], false],
      [[roles('a')], [roles('a', 'b')], true],
      [[roles('a')], [open], true],
      [[roles('a')], [{ ...roles('a'), digest: { sha256: '4'.repeat(64) } }], true],
      [[roles('a')], [{ ...IMAGE, digest: { sha256: '4'.repeat(64) } }], true],
    ] as const)
      expect(weakens(after, before)).toBe(expected);
  });
});

describe('a judgement of locked artefacts', () => {
  const bench = {
    policies: [policyOf('main', [{ code: 'pod.x', says: () => [] }])],
    enforcement: {},
    environment: { name: 'production', tier: 'production' },
    standing: { waivers: [], longestDays: {}, breakGlass: [], locks: [lockOf(IMAGE)], unverified: [] },
  };
  const change = changeOf(deployment('registry.example/web:2').value, { namespace: 'shop' });

  it('denies in a check and at admission alike', () => {
    for (const phase of ['check', 'admission'] as const)
      expect(openJudge(bench).review({ ...change, phase }, FACTS).decision.verdict).toBe('deny');
  });

  it('warns where an UPDATE leaves a wrong image as it was', () => {
    const update = {
      ...change,
      operation: 'UPDATE' as const,
      oldObject: change.documents[0]?.json ?? new Uint8Array(),
    };
    const { decision } = openJudge(bench).review(update, FACTS);
    expect([decision.verdict, decision.findings.map(({ inherited }) => inherited)]).toEqual([
      'allow',
      [true],
    ]);
  });

  it('denies where labels or replicas of a locked object change, which is never as it was', () => {
    const standing = { ...bench.standing, locks: [lockOf(OBJECT)] };
    const old = deployment(`registry.example/web@sha256:${DIGEST}`, 3).json;
    const update = { ...changeOf(LOCKED.value, { namespace: 'shop' }), operation: 'UPDATE' as const };
    const { decision } = openJudge({ ...bench, standing }).review({ ...update, oldObject: old }, FACTS);
    expect([decision.verdict, decision.findings.map(({ rule }) => rule)]).toEqual(['deny', ['lock.changed']]);
  });

  it('denies while something that should hold back does not verify', () => {
    const standing = { ...bench.standing, locks: [], unverified: ['"lock.json" does not count: no'] };
    const { decision } = openJudge({ ...bench, standing }).review(change, FACTS);
    expect(decision.findings.map(({ rule, result }) => [rule, result])).toEqual([
      ['statement.unverified', 'fail'],
    ]);
  });

  it('holds for what is of no environment, where waivers and broken glasses do not', () => {
    const wide = {
      ...bench,
      policies: [policyOf('main', [{ code: 'pod.x', says: () => ['no'] }])],
      standing: {
        ...bench.standing,
        breakGlass: [
          {
            id: '5'.repeat(64),
            environment: 'production',
            incident: 'I',
            people: ['a'],
            from: '2026-11-24T00:00:00Z',
            until: '2026-11-25T00:00:00Z',
          },
        ],
      },
    };
    const project = projectOf({
      unmapped: 'warn',
      environments: [{ name: 'production', tier: 'production' }],
    });
    const judge = openProjectJudge(project, new Map([['production', wide]]));
    const { namespace: _none, ...clusterWide } = change;
    const { decision } = judge.review(clusterWide, FACTS);
    expect(decision.verdict).toBe('deny');
    expect(decision.findings.map(({ rule, result }) => [rule, result])).toEqual([
      ['environment.unmapped', 'warn'],
      ['lock.changed', 'fail'],
      ['pod.x', 'fail'],
    ]);
  });
});
