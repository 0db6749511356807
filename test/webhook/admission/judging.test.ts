// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { Change, Judgement } from '../../../engine/index.ts';
import { type Judged, type JudgingFacts, judgeBody } from '../../../webhook/admission/judging.ts';
import { answered, ID, judgementOf, NOW, reviewOf } from '../harness.ts';

const KEPT = { digest: '4'.repeat(64), bytes: new TextEncoder().encode('{}'), because: [] };
const time = NOW.toISOString();

/** One admission by a judge that says this, the changes that it was shown, and what its statement says. */
function judge(
  judgement: Judgement,
  facts: Partial<JudgingFacts> = {},
  request: Record<string, unknown> = {},
): { readonly judged: Judged; readonly changes: readonly Change[]; readonly predicate: unknown } {
  const changes: Change[] = [];
  const frame = {
    judge: {
      review: (change: Change) => {
        changes.push(change);
        return judgement;
      },
    },
    engine: { version: '0', opa: '0' },
  };
  const body = Buffer.from(JSON.stringify(reviewOf(request)));
  const judged = judgeBody(body, frame, { time: NOW, id: ID, ...facts });
  const { statement } = judged;
  const predicate =
    statement === undefined ? undefined : JSON.parse(Buffer.from(statement).toString()).predicate;
  return { judged, changes, predicate };
}

describe('an admission that is judged', () => {
  it('has the text, the statement and what the log wants to know', () => {
    const { judged, predicate } = judge(judgementOf());
    const { statement, answer, ...rest } = judged;
    expect(rest).toEqual({
      review: {
        uid: 'u-1',
        operation: 'CREATE',
        group: '',
        kind: 'Pod',
        namespace: 'shop',
        name: 'web',
        dryRun: false,
      },
      verdict: 'allow',
      allowed: true,
      decision: { id: ID, findings: 0 },
    });
    const auditAnnotations = { decision: ID, verdict: 'allow' };
    expect(JSON.parse(answer)).toEqual(answered({ uid: 'u-1', allowed: true, auditAnnotations }));
    expect(predicate).toMatchObject({ id: ID, verdict: 'allow', time });
    expect(predicate).not.toHaveProperty('inputs');
  });

  it.each(['waiver', 'break-glass'] as const)('says that it rests on a %s', (basis) => {
    const { judged } = judge(judgementOf({ basis }));
    expect(judged.decision).toEqual({ id: ID, findings: 0, basis });
  });

  it('is shown what was proved about its images, and nothing where nothing was looked for', () => {
    const claims = new Map([[`sha256:${'a'.repeat(64)}`, ['{"type":"t"}']]]);
    expect(judge(judgementOf(), { claims }).changes.map((change) => change.claims)).toEqual([claims]);
    const [change] = judge(judgementOf()).changes;
    expect(change).not.toHaveProperty('claims');
  });
});

describe('what was evaluated', () => {
  it.each([
    [{}, { time }],
    [{ environment: 'production' }, { time, environment: 'production' }],
  ])('is kept by the digest that the statement names: %j', (decision, about) => {
    const { judged, predicate } = judge({ ...judgementOf(decision), kept: () => KEPT });
    expect(judged.kept).toEqual({ digest: KEPT.digest, bytes: KEPT.bytes, ...about });
    expect(predicate).toMatchObject({ inputs: { digest: { sha256: KEPT.digest }, replayable: true } });
  });

  it('on a dry run is neither kept nor stated, nor even written', () => {
    let asked = 0;
    const kept = (): typeof KEPT => {
      asked += 1;
      return KEPT;
    };
    const { judged } = judge({ ...judgementOf(), kept }, {}, { dryRun: true });
    expect([judged.verdict, judged.review.dryRun, 'kept' in judged, 'statement' in judged, asked]).toEqual([
      'allow',
      true,
      false,
      false,
      0,
    ]);
  });
});
