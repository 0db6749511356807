// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { decide } from '../../../engine/decide/decision.ts';
import type { Finding } from '../../../engine/decide/finding.ts';
import { sinceThen } from '../../../engine/decide/since.ts';

const finding = (over: Partial<Finding> = {}): Finding => ({
  rule: 'pod.privileged',
  result: 'fail',
  message: 'it is privileged',
  severity: 'high',
  controls: [],
  object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  path: '/spec/a',
  ...over,
});

const decided = (findings: readonly Finding[]) =>
  decide({
    id: '0',
    phase: 'check',
    operations: ['CREATE'],
    enforced: true,
    findings,
    passed: {},
    evaluated: { objects: 1, rules: 1 },
    policies: [],
    inputDigest: '',
    setDigest: '',
    contextDigest: '',
    time: '2026-11-24T12:00:00.000Z',
  });

describe('what is new since then', () => {
  it('blocks, and what was there before warns', () => {
    const now = decided([finding(), finding({ path: '/spec/b' })]);
    expect(sinceThen(now, [finding({ message: 'it was privileged' })])).toEqual({
      ...now,
      verdict: 'deny',
      findings: [finding({ result: 'warn', inherited: true }), finding({ path: '/spec/b' })],
    });
    expect(sinceThen(now, [finding(), finding({ path: '/spec/b' })]).verdict).toBe('allow');
  });

  it.each([
    ['another rule', { rule: 'pod.other' }],
    [
      'another object',
      { object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'pay', name: 'web' } },
    ],
    ['another path', { path: '/spec/c' }],
    ['a warning', { result: 'warn' as const }],
    ['an error', { result: 'error' as const }],
  ])('is not what was %s', (_, over) => {
    const now = decided([finding()]);
    expect(sinceThen(now, [finding(over)])).toEqual(now);
  });

  it('is told by the message where a finding has no path', () => {
    const { path: _none, ...bare } = finding();
    const now = decided([bare]);
    expect(sinceThen(now, [bare]).verdict).toBe('allow');
    expect(sinceThen(now, [{ ...bare, message: 'another' }]).verdict).toBe('deny');
    expect(sinceThen(now, [finding()]).verdict).toBe('deny');
  });

  it('leaves an error an error', () => {
    const now = decided([finding({ result: 'error' })]);
    expect(sinceThen(now, [finding({ result: 'error' }), finding()])).toEqual(now);
  });
});
