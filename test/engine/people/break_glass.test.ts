// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { type BreakGlass, brokenGlass, environmentDigest } from '../../../engine/people/break_glass.ts';
import { reviewsOf } from '../../../engine/people/reviews.ts';
import type { Predicates } from '../../../engine/people/statement.ts';
import { openJudge } from '../../../engine/review.ts';
import { changeOf, FACTS, limitPassed, policyOf, ruleAt } from '../judge.ts';
import { approved, gathered, NOW, PRODUCTION, signed } from './signing.ts';

const broken = (
  by: string,
  parts: Partial<Predicates['break-glass']> = {},
  digest = environmentDigest('production'),
) =>
  signed(
    by,
    'break-glass',
    { name: 'environment.txt', digest },
    {
      environment: 'production',
      incident: 'INC-9',
      time: '2026-11-24T11:00:00Z',
      until: '2026-11-24T13:00:00Z',
      ...parts,
    },
  );

describe('a broken glass', () => {
  it('counts from its time to its end', async () => {
    const file = await broken('alice');
    const { breakGlass } = gathered([file]).standing;
    expect(breakGlass).toEqual([
      {
        id: file.id,
        environment: 'production',
        incident: 'INC-9',
        people: ['alice'],
        from: '2026-11-24T11:00:00Z',
        until: '2026-11-24T13:00:00.000Z',
      },
    ]);
    const at = (time: string, environment = 'production'): string | undefined =>
      brokenGlass(breakGlass, { environment, time: new Date(time) })?.incident;
    expect([at('2026-11-24T10:59:59Z'), at('2026-11-24T11:00:00Z'), at('2026-11-24T13:00:00Z')]).toEqual([
      undefined,
      'INC-9',
      undefined,
    ]);
    expect(at('2026-11-24T12:00:00Z', 'staging')).toBeUndefined();
  });

  it.each([
    ['by somebody who may not', broken('dave'), 'key "dave" is not trusted for environment "production"'],
    [
      'for too long',
      broken('alice', { until: '2026-11-24T15:00:01Z' }),
      'it is for 4.000277777777778 hours, and 4 are the most',
    ],
    [
      'that ends before it begins',
      broken('alice', { until: '2026-11-24T10:00:00Z' }),
      'it is for -1 hours, and 4 are the most',
    ],
    ['about something else', broken('alice', {}, 'c'.repeat(64)), 'its subject is not its environment'],
  ] as const)('%s is none', async (_, file, reason) => {
    const { standing, notes } = gathered([await file]);
    expect(standing.breakGlass).toEqual([]);
    expect(notes[0]).toContain(`does not count: ${reason}`);
  });

  it('is none where the Project names nobody, and once it was revoked', async () => {
    const file = await broken('alice');
    const revocation = await signed(
      'bob',
      'revocation',
      { name: 'break-glass', digest: file.id },
      {
        environment: 'production',
        statementType: 'https://countersign.dev/attestation/break-glass/v1',
        reason: 'a mistake',
        time: '2026-11-24T11:30:00Z',
      },
    );
    expect(gathered([file, revocation]).standing.breakGlass).toEqual([]);
  });

  it('takes as many people as its environment says, for one incident and at one time', async () => {
    const environment = { breakGlass: { from: ['alice', 'bob', 'carol'], quorum: 2 } };
    const glass = async (...files: ReturnType<typeof broken>[]): Promise<readonly BreakGlass[]> =>
      gathered(await Promise.all(files), { environment }).standing.breakGlass;
    const later = { time: '2026-11-24T11:30:00Z', until: '2026-11-24T12:30:00Z' };
    expect(await glass(broken('alice'))).toEqual([]);
    expect(await glass(broken('carol'), broken('carol-token', later))).toEqual([]);
    expect(await glass(broken('alice'), broken('bob', { ...later, incident: 'INC-10' }))).toEqual([]);
    expect(await glass(broken('alice', { until: '2026-11-24T11:29:00Z' }), broken('bob', later))).toEqual([]);
    expect(await glass(broken('alice'), broken('bob', later))).toMatchObject([
      { people: ['alice', 'bob'], from: '2026-11-24T11:30:00Z', until: '2026-11-24T12:30:00.000Z' },
    ]);
  });
});

describe('the review of a broken glass', () => {
  it('is open again once it was taken back', async () => {
    const file = await broken('alice');
    const review = await approved('bob', { role: 'review' }, file.id);
    const revocation = await signed(
      'bob',
      'revocation',
      { name: 'approval', digest: review.id },
      {
        environment: 'production',
        statementType: 'https://countersign.dev/attestation/approval/v1',
        reason: 'not looked at',
        time: '2026-11-24T11:45:00Z',
      },
    );
    const states = (...files: (typeof file)[]): readonly string[] =>
      reviewsOf(gathered(files).signed, PRODUCTION, NOW).map(({ state }) => state);
    expect(states(file)).toEqual(['open']);
    expect(states(file, review)).toEqual(['reviewed']);
    expect(states(file, review, revocation)).toEqual(['open']);
  });
});

describe('a judgement behind a broken glass', () => {
  const DEPLOYMENT = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
  };
  const change = changeOf(DEPLOYMENT);
  const bench = async () => ({
    policies: [policyOf('main', [ruleAt('pod.privileged', '/spec', () => true)])],
    enforcement: {},
    environment: { name: 'production', tier: 'production' },
    standing: gathered([await broken('alice')]).standing,
  });

  it('allows what would be denied, and says on what', async () => {
    const { decision } = openJudge(await bench()).review(change, FACTS);
    const { verdict, basis, findings } = decision;
    expect({ verdict, basis, results: findings.map(({ result }) => result) }).toEqual({
      verdict: 'allow',
      basis: 'break-glass',
      results: ['warn'],
    });
    expect(findings[0]?.waiver).toMatch(/^[0-9a-f]{64}$/);
  });

  it('may be applied first until the glass ends, and no later', async () => {
    const made = await bench();
    const startBy = (within: number): string | undefined => {
      const environment = { ...made.environment, startWithin: within };
      return openJudge({ ...made, environment }).review({ ...change, phase: 'check' }, FACTS).startBy;
    };
    expect(startBy(600)).toBe(new Date(FACTS.time.getTime() + 600_000).toISOString());
    expect(startBy(8 * 3600)).toBe('2026-11-24T13:00:00.000Z');
  });

  it('denies again when it has ended, without anything being loaded anew', async () => {
    const time = new Date('2026-11-24T13:00:00Z');
    const { decision } = openJudge(await bench()).review(change, { ...FACTS, time });
    expect([decision.verdict, decision.basis]).toEqual(['deny', undefined]);
    expect(NOW.getTime()).toBeLessThan(time.getTime());
  });

  it('denies while anything does not verify', async () => {
    const made = await bench();
    const standing = { ...made.standing, unverified: ['"revocation.json" does not count: no'] };
    const { decision } = openJudge({ ...made, standing }).review(change, FACTS);
    expect([decision.verdict, decision.basis]).toEqual(['deny', undefined]);
  });

  it('stays without an answer where a rule could not be evaluated', async () => {
    const policy = policyOf('main', [{ code: 'pod.privileged', says: limitPassed }]);
    const { decision } = openJudge({ ...(await bench()), policies: [policy] }).review(change, FACTS);
    expect([decision.verdict, decision.basis]).toEqual(['error', undefined]);
  });
});
