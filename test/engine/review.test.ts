// SPDX-License-Identifier: Apache-2.0
// The straight line of one change, with policies that are functions: what is counted, kept back, inherited and hidden.

import { describe, expect, it } from '@jest/globals';
import type { Change } from '../../engine/change.ts';
import { EngineError } from '../../engine/error.ts';
import { type Document, idOf, type JsonObject } from '../../engine/manifest/index.ts';
import type { Policy } from '../../engine/policy/policy.ts';
import type { Rule, Style } from '../../engine/policy/rule.ts';
import type { RegoValue } from '../../engine/rego/index.ts';
import { type Bench, openJudge } from '../../engine/review.ts';

const FACTS = { time: new Date('2026-11-24T12:00:00Z'), id: '019ab500-0000-7000-8000-000000000001' };

type Say = (input: JsonObject) => RegoValue;

/** A policy of one style whose rules are functions of their input; what throws, throws. */
function policyOf(style: Style, says: Readonly<Record<string, Say>>, part: Partial<Policy> = {}): Policy {
  const rules = Object.keys(says).map(
    (code): Rule => ({ code, style, title: code, severity: 'high', controls: [] }),
  );
  return {
    reference: { name: `a ${style} policy`, revision: '', digest: '', sources: '' },
    styles: [style],
    rules,
    evaluate: (_, bytes) => {
      const input: JsonObject = JSON.parse(Buffer.from(bytes).toString());
      return rules.map((rule) => ({
        entry: { key: rule.code, path: ['main', rule.code], effect: 'fail', rule },
        value: says[rule.code]?.(input) ?? [],
      }));
    },
    ...part,
  };
}

const documentOf = (value: JsonObject): Document => ({
  json: Buffer.from(JSON.stringify(value)),
  value,
  id: idOf(value),
  file: 'admission',
  line: 1,
  index: 0,
  pointer: '',
});

const bench = (...policies: Policy[]): Bench => ({ policies, enforcement: {} });
const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } };
const change = (objects: readonly JsonObject[], part: Partial<Change> = {}): Change => ({
  phase: 'check',
  operation: 'CREATE',
  documents: objects.map(documentOf),
  sources: [],
  ...part,
});
const decide = (of: Bench, what: Change): ReturnType<ReturnType<typeof openJudge>['review']>['decision'] =>
  openJudge(of).review(what, FACTS).decision;

const limit = (): never => {
  throw new EngineError('POLICY_LIMIT', 'too many steps');
};

describe('what passed', () => {
  const quiet = (): RegoValue => [];

  it('is what ran and returned: a limit passed on one object is no pass of any rule for it', () => {
    const policy = policyOf('native', {
      first: quiet,
      second: (input) => (JSON.stringify(input).includes('evil') ? limit() : []),
    });
    const decision = decide(bench(policy), change([POD, { ...POD, metadata: { name: 'evil' } }]));
    expect(decision).toMatchObject({
      verdict: 'error',
      passed: { first: 1, second: 1 },
      evaluated: { objects: 2, rules: 2 },
    });
  });

  it('is nothing where nothing returned', () => {
    expect(decide(bench(policyOf('native', { first: limit })), change([POD]))).toMatchObject({
      verdict: 'error',
      passed: { first: 0 },
      evaluated: { objects: 1, rules: 0 },
    });
  });

  it('is not a Conftest rule on a DELETE, which it never saw; that is said', () => {
    const gone = change([POD], { phase: 'admission', operation: 'DELETE' });
    expect(decide(bench(policyOf('conftest', { 'main.deny': () => ['no'] })), gone)).toMatchObject({
      verdict: 'allow',
      passed: { 'main.deny': 0 },
      findings: [
        {
          rule: 'policy.not-applicable',
          result: 'skip',
          message: 'no rule judges a DELETE: Conftest rules see only what is to be',
        },
      ],
    });
    const both = bench(
      policyOf('conftest', { 'main.deny': () => ['no'] }),
      policyOf('native', { first: quiet }),
    );
    expect(decide(both, gone)).toMatchObject({
      verdict: 'allow',
      passed: { first: 1, 'main.deny': 0 },
      evaluated: { objects: 1, rules: 1 },
      findings: [],
    });
  });

  it('of no policies is an error, whatever the operation', () => {
    for (const operation of ['CREATE', 'DELETE'] as const)
      expect(decide(bench(), change([POD], { operation }))).toMatchObject({ verdict: 'error' });
  });
});
