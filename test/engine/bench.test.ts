// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { Environment, Project } from '../../engine/context/project.ts';
import { type Bench, openProjectJudge } from '../../engine/review.ts';
import { changeOf, FACTS, policyOf, projectOf, type TestRule } from './judge.ts';

const wildcard: TestRule = {
  code: 'rbac.wildcard',
  says: ({ object }) =>
    JSON.stringify(object).includes('"*"') ? [{ msg: 'allows all', path: '/rules/0' }] : [],
};
const ROLE = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'all' } };
const ALL = { ...ROLE, rules: [{ verbs: ['*'] }] };
const baseline = policyOf('baseline', [wildcard]);

/** Verdict, findings and environment of a cluster-scoped object under a Project of two environments. */
function judged(
  object: typeof ROLE,
  unmapped: Project['unmapped'],
  o: Partial<Environment> = {},
  namespace?: string,
) {
  const environments: Environment[] = [
    { name: 'dev', tier: 'development', namespaces: ['dev'], rules: { 'rbac.wildcard': 'audit' } },
    { name: 'live', tier: 'production', namespaces: ['shop'], ...o },
  ];
  const benches = new Map(
    environments.map(({ name, tier, rules = {} }): [string, Bench] => [
      name,
      { policies: [baseline], enforcement: rules, environment: { name, tier }, projectDigest: 'd' },
    ]),
  );
  const judge = openProjectJudge(projectOf({ environments, unmapped }), benches);
  const { decision } = judge.review(changeOf(object, namespace === undefined ? {} : { namespace }), FACTS);
  return {
    verdict: decision.verdict,
    findings: decision.findings.map(({ rule, result }) => `${rule} ${result}`),
    environment: decision.environment,
    rules: decision.evaluated.rules,
  };
}

describe('an object of no namespace', () => {
  it('is judged by the environment that takes them, whatever else is unmapped', () => {
    for (const unmapped of ['deny', 'warn', 'allow'] as const) {
      const take = { clusterScoped: true };
      const denied = { verdict: 'deny', findings: ['rbac.wildcard fail'], environment: 'live', rules: 1 };
      expect(judged(ALL, unmapped, take)).toEqual(denied);
      expect(judged(ROLE, unmapped, take)).toEqual({ ...denied, verdict: 'allow', findings: [] });
    }
  });

  it('is not judged by the environment of an empty namespace, there being none', () => {
    expect(judged(ROLE, 'deny', { clusterScoped: true }, '').findings).toEqual(['environment.unmapped fail']);
  });

  it('is denied where nothing takes it, with what to do', () => {
    const denied = judged(ROLE, 'deny');
    expect(denied).toEqual({
      verdict: 'deny',
      findings: ['environment.unmapped fail'],
      environment: undefined,
      rules: 1,
    });
  });

  it('is judged by all environments where nothing takes it and that is a warning', () => {
    expect(judged(ROLE, 'warn')).toMatchObject({
      verdict: 'allow',
      findings: ['environment.unmapped warn'],
      rules: 2,
    });
    const denied = judged(ALL, 'warn');
    expect(denied).toEqual({
      verdict: 'deny',
      findings: ['environment.unmapped warn', 'rbac.wildcard fail'],
      environment: undefined,
      rules: 2,
    });
    // The strictest environment counts; where all are lenient, so is this.
    expect(judged(ALL, 'warn', { rules: { 'rbac.wildcard': 'warn' } })).toMatchObject({
      verdict: 'allow',
      findings: ['environment.unmapped warn', 'rbac.wildcard warn'],
    });
  });

  it('is let through unjudged only where the Project says so in a word', () => {
    expect(judged(ALL, 'allow')).toMatchObject({ verdict: 'allow', findings: ['environment.unmapped skip'] });
  });
});

describe('a namespace of no environment', () => {
  it('is as the Project says, and its objects are not judged', () => {
    expect(judged(ALL, 'warn', {}, 'other')).toMatchObject({
      verdict: 'allow',
      findings: ['environment.unmapped warn'],
    });
    expect(judged(ALL, 'deny', { clusterScoped: true }, 'other').verdict).toBe('deny');
  });
});
