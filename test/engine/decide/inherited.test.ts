// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Finding } from '../../../engine/decide/finding.ts';
import { inherit, type Unchanged, unchangedBy } from '../../../engine/decide/inherited.ts';
import type { JsonValue } from '../../../engine/manifest/document.ts';
import { canonicalText } from '../../../engine/record/canonical.ts';

type Members = Record<string, JsonValue>;

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const between = (before: unknown, after: unknown): Unchanged | undefined =>
  unchangedBy(bytes(before), bytes(after));

const object = (kind: string, o: { metadata?: Members; spec?: Members } = {}): Members => ({
  apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1',
  kind,
  metadata: { name: 'web', labels: { app: 'web' }, ...o.metadata },
  spec: { containers: [{ name: 'a', image: 'x' }], ...o.spec },
});

describe('an UPDATE leaves an object as it was', () => {
  it('where only what controllers keep house with differs', () => {
    const before = object('Pod', { metadata: { finalizers: ['a', 'b'], resourceVersion: '1' } });
    const after = object('Pod', {
      metadata: {
        finalizers: ['a'],
        resourceVersion: '2',
        deletionTimestamp: 'T',
        ownerReferences: [],
        generation: 2,
      },
    });
    expect(between(before, after)).toMatchObject({ isLabelled: true });
  });

  it('where labels and annotations differ, and says so', () => {
    for (const metadata of [{ labels: {} }, { annotations: { a: 'b' } }])
      expect(between(object('Pod'), object('Pod', { metadata }))).toMatchObject({ isLabelled: false });
  });

  it('where a count falls, with the annotations that Deployments keep it in', () => {
    const annotations = { 'deployment.kubernetes.io/desired-replicas': '3' };
    const before = object('ReplicaSet', { spec: { replicas: 3 }, metadata: { annotations } });
    expect(between(before, object('ReplicaSet', { spec: { replicas: 0 } }))).toMatchObject({
      isLabelled: true,
    });
    const paused = object('Deployment', { spec: { replicas: 3, paused: true } });
    expect(between(object('Deployment', { spec: { replicas: 3 } }), paused)).toMatchObject({
      isLabelled: true,
    });
  });

  it.each([
    [
      'a count rises',
      object('ReplicaSet', { spec: { replicas: 3 } }),
      object('ReplicaSet', { spec: { replicas: 4 } }),
    ],
    [
      'a count is no number',
      object('ReplicaSet', { spec: { replicas: 3 } }),
      object('ReplicaSet', { spec: { replicas: '0' } }),
    ],
    [
      'a count goes away, whose default is one',
      object('ReplicaSet', { spec: { replicas: 0 } }),
      object('ReplicaSet'),
    ],
    ['what was paused goes on', object('Deployment', { spec: { paused: true } }), object('Deployment')],
    [
      'a kind has no such count',
      object('DaemonSet', { spec: { replicas: 3 } }),
      object('DaemonSet', { spec: { replicas: 1 } }),
    ],
    [
      'the image differs',
      object('Pod'),
      object('Pod', { spec: { containers: [{ name: 'a', image: 'y' }] } }),
    ],
    [
      'a container is added',
      object('Pod'),
      object('Pod', { spec: { ephemeralContainers: [{ name: 'b' }] } }),
    ],
    ['the name differs', object('Pod'), object('Pod', { metadata: { name: 'other' } })],
    ['the kind differs', object('Deployment'), object('StatefulSet')],
    ['it was nothing', null, object('Pod')],
    ['it is nothing', object('Pod'), null],
    ['its status differs', object('Pod'), { ...object('Pod'), status: { phase: 'Running' } }],
  ])('but not where %s', (_, before, after) => {
    expect(between(before, after)).toBeUndefined();
  });

  it('but not where integers differ that a double does not tell apart', () => {
    const text = (user: string): Buffer =>
      Buffer.from(`{"apiVersion":"v1","kind":"Pod","spec":{"user":${user}}}`);
    expect(unchangedBy(text('9007199254740993'), text('9007199254740992'))).toBeUndefined();
    expect(unchangedBy(text('1e999'), text('1e999'))).toBeUndefined();
  });

  it('and what is no JSON, which no reader hands over, is a fault of ours', () => {
    expect(() => unchangedBy(Buffer.from('{'), Buffer.from('{}'))).toThrow(SyntaxError);
  });

  it('only if what it is is the same, whatever that is (property)', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const isSame = canonicalText(json(a)) === canonicalText(json(b));
        const [before, after] = [
          object('Pod', { spec: { extra: json(a) } }),
          object('Pod', { spec: { extra: json(b) } }),
        ];
        expect(between(before, after) !== undefined).toBe(isSame);
        expect(between(before, before)).toMatchObject({ isLabelled: true });
      }),
    );
  });
});

const json = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value));

const FAIL: Finding = {
  rule: 'pod.x',
  result: 'fail',
  message: 'm',
  severity: 'high',
  controls: [],
  object: { apiVersion: 'v1', kind: 'Pod', name: 'web' },
  path: '/spec/containers/0/securityContext/privileged',
};
const INHERITED: Finding = { ...FAIL, result: 'warn', inherited: true };

/** One finding after an UPDATE from `before` to `after`, where the rules said `said` before. */
function updated(
  finding: Finding,
  said: readonly Finding[],
  o: { before?: Members; after?: Members; style?: 'native' | 'conftest' } = {},
): Finding | undefined {
  const { before = object('Pod'), after: now = before, style = 'native' } = o;
  const unchanged = between(before, now);
  if (unchanged === undefined) throw new Error('the object is not as it was');
  return inherit([finding], said, { unchanged, style })[0];
}

it('a path that leads through what is no object leads nowhere', () => {
  const finding = { ...FAIL, path: '/kind/a/b' };
  expect(updated(finding, [finding])).toEqual({ ...INHERITED, path: '/kind/a/b' });
});

describe('a finding is inherited', () => {
  it('where the same was said at the same place, also of what is missing there', () => {
    expect(updated(FAIL, [FAIL])).toEqual(INHERITED);
    const labelled = object('Pod', { metadata: { labels: {} } });
    expect(updated(FAIL, [FAIL], { after: labelled })).toEqual(INHERITED);
  });

  it.each([
    ['nothing was said before', FAIL, []],
    ['another rule said it', FAIL, [{ ...FAIL, rule: 'pod.y' }]],
    ['something else was said', FAIL, [{ ...FAIL, message: 'n' }]],
    ['it was said of another place', FAIL, [{ ...FAIL, path: '/spec/containers/1' }]],
    ['it was less severe', FAIL, [{ ...FAIL, severity: 'low' as const }]],
    ['it was a warning', FAIL, [{ ...FAIL, result: 'warn' as const }]],
    ['it was an error', FAIL, [{ ...FAIL, result: 'error' as const }]],
    ['it is an error', { ...FAIL, result: 'error' as const }, [{ ...FAIL, result: 'error' as const }, FAIL]],
    [
      'its path is no place in the object',
      { ...FAIL, path: '/request/user' },
      [{ ...FAIL, path: '/request/user' }],
    ],
    ['its path is no pointer', { ...FAIL, path: 'spec' }, [{ ...FAIL, path: 'spec' }]],
  ])('but not where %s', (_, finding, said) => {
    expect(updated(finding, said)).toEqual(finding);
  });

  it('but not where its place is not as it was', () => {
    const label = { ...FAIL, path: '/metadata/labels/app' };
    expect(updated(label, [label], { after: object('Pod', { metadata: { labels: { app: 'b' } } }) })).toEqual(
      label,
    );
    const count = { ...FAIL, path: '/spec/replicas' };
    const scaled = (replicas: number): Members => object('ReplicaSet', { spec: { replicas } });
    expect(updated(count, [count], { before: scaled(2), after: scaled(1) })).toEqual(count);
  });

  it('is not told of what is no JSON: that is a fault of ours', () => {
    expect(() => unchangedBy(Buffer.from('{'), Buffer.from('{}'))).toThrow(SyntaxError);
  });

  it('without a path only of a Conftest rule, which sees nothing but the object, and with the same labels', () => {
    const { path: _, ...bare } = FAIL;
    const moved = object('Pod', { metadata: { finalizers: ['a'] } });
    const labelled = object('Pod', { metadata: { labels: {} } });
    expect(updated(bare, [bare], { style: 'conftest', after: moved })).toEqual({
      ...bare,
      result: 'warn',
      inherited: true,
    });
    expect(updated(bare, [bare], { style: 'conftest', after: labelled })).toEqual(bare);
    expect(updated(bare, [bare], { style: 'native', after: moved })).toEqual(bare);
  });
});
