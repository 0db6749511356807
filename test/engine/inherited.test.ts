// SPDX-License-Identifier: Apache-2.0
// An UPDATE of what a policy would not let in today, from the change to the Decision and its record.
import { describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../../engine/manifest/document.ts';
import { statementOf } from '../../engine/record/statement.ts';
import { openJudge, openProjectJudge } from '../../engine/review.ts';
import { changeOf, FACTS, limitPassed, policyOf, projectOf, type TestRule } from './judge.ts';

type Members = Record<string, JsonValue>;

const privileged: TestRule = {
  code: 'pod.privileged',
  says: ({ object = null }) =>
    JSON.stringify(object).includes('"privileged":true')
      ? [{ msg: 'runs privileged', path: '/spec/template/spec/containers/0/securityContext/privileged' }]
      : [],
};
const set = (spec: Members = {}, metadata: Members = {}): Members => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  spec: {
    replicas: 3,
    template: { spec: { containers: [{ name: 'web', image: 'x', securityContext: { privileged: true } }] } },
    ...spec,
  },
});
const update = (before: Members, after: Members) =>
  changeOf(after, { operation: 'UPDATE', namespace: 'shop', oldObject: Buffer.from(JSON.stringify(before)) });

function judged(rules: readonly TestRule[], before: Members, after: Members) {
  const bench = { policies: [policyOf('p', rules)], enforcement: {} };
  const judgement = openJudge(bench).review(update(before, after), FACTS);
  const { verdict, findings, passed } = judgement.decision;
  const said = findings.map(
    ({ rule, result, inherited }) => `${rule} ${result}${inherited ? ' inherited' : ''}`,
  );
  return { verdict, said, passed, judgement };
}

describe('an object that a policy would not let in today', () => {
  it('can be scaled down and let go of, with a warning, and the record says what was inherited', () => {
    for (const after of [set({ replicas: 0 }), set({}, { deletionTimestamp: 'T', finalizers: [] })]) {
      const { verdict, said, passed, judgement } = judged(
        [privileged],
        set({}, { finalizers: ['f'] }),
        after,
      );
      // Scaling does not touch finalizers; both are housekeeping.
      expect({ verdict, said, passed }).toEqual({
        verdict: 'allow',
        said: ['pod.privileged warn inherited'],
        passed: { 'pod.privileged': 0 },
      });
      const record = JSON.parse(Buffer.from(statementOf(judgement, { version: '1', opa: '1' })).toString());
      expect(record.predicate.findings).toEqual([
        expect.objectContaining({ rule: 'pod.privileged', result: 'warn', inherited: true }),
      ]);
    }
  });

  it('is denied when it is made, made again otherwise, or made more of', () => {
    const bench = { policies: [policyOf('p', [privileged])], enforcement: {} };
    expect(openJudge(bench).review(changeOf(set()), FACTS).decision.verdict).toBe('deny');
    const other = set({
      template: {
        spec: { containers: [{ name: 'web', image: 'y', securityContext: { privileged: true } }] },
      },
    });
    for (const after of [set({ replicas: 4 }), other])
      expect(judged([privileged], set(), after)).toMatchObject({
        verdict: 'deny',
        said: ['pod.privileged fail'],
      });
    const good = set({ template: { spec: { containers: [{ name: 'web', image: 'x' }] } } });
    expect(judged([privileged], good, set())).toMatchObject({ verdict: 'deny' });
  });

  it('is denied for what a rule says of who asks, when, or what changed', () => {
    const freeze: TestRule = { code: 'freeze.all', says: () => [{ msg: 'no changes today' }] };
    const change: TestRule = {
      code: 'set.shrinks',
      says: ({ object, oldObject }) =>
        JSON.stringify(object) === JSON.stringify(oldObject)
          ? []
          : [{ msg: 'changes', path: '/spec/template' }],
    };
    for (const rule of [freeze, change])
      expect(judged([rule, privileged], set(), set({ replicas: 0 }))).toMatchObject({
        verdict: 'deny',
        said: expect.arrayContaining([`${rule.code} fail`, 'pod.privileged warn inherited']),
      });
  });

  it('has no answer where a rule breaks on it now, and is denied where it broke on what it was', () => {
    const breaks = (replicas: number): TestRule => ({
      code: 'set.breaks',
      says: ({ object }) => (JSON.stringify(object).includes(`"replicas":${replicas}`) ? limitPassed() : []),
    });
    expect(judged([privileged, breaks(0)], set(), set({ replicas: 0 }))).toMatchObject({ verdict: 'error' });
    expect(judged([privileged, breaks(3)], set(), set({ replicas: 0 }))).toMatchObject({
      verdict: 'deny',
      said: ['pod.privileged fail'],
    });
  });

  it('can be let go of in a namespace of no environment, where nothing new is let in', () => {
    const judge = openProjectJudge(projectOf(), new Map());
    const letGo = judge.review(update(set({}, { finalizers: ['f'] }), set()), FACTS).decision;
    expect(letGo).toMatchObject({
      verdict: 'allow',
      findings: [{ rule: 'environment.unmapped', result: 'warn', inherited: true }],
    });
    expect(judge.review(update(set(), set({ replicas: 4 })), FACTS).decision.verdict).toBe('deny');
    expect(judge.review(changeOf(set(), { namespace: 'shop' }), FACTS).decision.verdict).toBe('deny');
  });

  it('has the evaluation of what it was in its input digest', () => {
    const digestOf = (before: Members) =>
      judged([privileged], before, set({ replicas: 0 })).judgement.decision.inputDigest;
    expect(digestOf(set({ replicas: 2 }))).not.toBe(digestOf(set({ replicas: 3 })));
  });
});
