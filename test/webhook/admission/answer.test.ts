// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { Decision } from '../../../engine/index.ts';
import {
  answerDecision,
  answerFailure,
  renderReview,
  withRecord,
} from '../../../webhook/admission/answer.ts';
import { finding, ID, judgementOf } from '../harness.ts';

const decisionOf = (decision: Partial<Decision>): Decision => judgementOf(decision).decision;

describe('an allow', () => {
  it('names its decision', () => {
    expect(answerDecision(decisionOf({}))).toEqual({
      allowed: true,
      auditAnnotations: { decision: ID, verdict: 'allow' },
    });
  });

  it.each([
    ['an allow', decisionOf({})],
    ['one with warnings', decisionOf({ findings: [finding({ result: 'warn', message: '}}}' })] })],
    ['a denial', decisionOf({ verdict: 'deny', findings: [finding()] })],
    ['one that is not enforced', decisionOf({ verdict: 'deny', enforced: false, findings: [finding()] })],
    ['an error', decisionOf({ verdict: 'error', findings: [finding({ result: 'error' })] })],
  ])('has its record put into its text: %s', (_, decision) => {
    const text = renderReview('u"1', answerDecision(decision));
    const { response, ...about } = JSON.parse(text);
    const auditAnnotations = { ...response.auditAnnotations, record: '1"7' };
    expect(JSON.parse(withRecord(text, '1"7'))).toEqual({
      ...about,
      response: { ...response, auditAnnotations },
    });
  });

  it('carries its warnings, cut to 120 characters and never through one', () => {
    const long = finding({ rule: 'a.b', result: 'warn', message: '🔥'.repeat(200) });
    const evil = finding({ rule: 'a.b', result: 'warn', message: 'x\r\nWarning: \u202efake\u0007\ud800' });
    const { warnings } = answerDecision(decisionOf({ findings: [long, evil] }));
    expect(warnings).toEqual([`a.b: ${'🔥'.repeat(114)}…`, 'a.b: x Warning:  fake']);
  });

  it('says of a warning that it was true of the object before', () => {
    const findings = [finding({ rule: 'a.b', result: 'warn', message: 'bad', inherited: true })];
    expect(answerDecision(decisionOf({ findings })).warnings).toEqual(['a.b: bad (as it was)']);
  });

  it('keeps all warnings within what an API server shows', () => {
    const findings = Array.from({ length: 100 }, () => finding({ result: 'warn', message: 'w'.repeat(200) }));
    const { warnings = [] } = answerDecision(decisionOf({ findings }));
    expect(warnings).toHaveLength(34);
    expect(warnings.at(-1)).toBe('countersign: … and 67 more warnings');
    expect(warnings.every((warning) => Array.from(warning).length <= 120)).toBe(true);
    expect(Array.from(warnings.join('')).length).toBeLessThanOrEqual(4096);
  });
});

describe('a denial', () => {
  it('has one line per finding with rule, path and remedy', () => {
    const findings = [
      finding({ path: '/spec/containers/0', remedy: 'remove securityContext.privileged' }),
      finding({ message: 'container "b" is privileged' }),
      finding({ rule: 'pod.host-path', message: 'host path "/"\n- forged: line' }),
      finding({ rule: 'pod.limits', result: 'warn', message: 'no limits' }),
    ];
    expect(answerDecision(decisionOf({ verdict: 'deny', findings }))).toEqual({
      allowed: false,
      status: {
        status: 'Failure',
        reason: 'Forbidden',
        code: 403,
        message:
          'countersign: denied by 2 rules\n' +
          '- pod.privileged: container "web" is privileged (/spec/containers/0) — remove securityContext.privileged\n' +
          '- pod.privileged: container "b" is privileged\n' +
          '- pod.host-path: host path "/" - forged: line',
      },
      warnings: ['pod.limits: no limits'],
      auditAnnotations: { decision: ID, verdict: 'deny' },
    });
  });

  it('is at most two kilobytes and counts what it leaves out', () => {
    const findings = Array.from({ length: 500 }, (_, index) => finding({ message: `ü${index}`.repeat(20) }));
    const message = answerDecision(decisionOf({ verdict: 'deny', findings })).status?.message ?? '';
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2048);
    const lines = message.split('\n');
    expect(lines[0]).toBe('countersign: denied by 1 rule');
    expect(lines.at(-1)).toBe(`… and ${500 - (lines.length - 2)} more`);
  });

  it('allows and warns where it is not enforced', () => {
    expect(answerDecision(decisionOf({ verdict: 'deny', enforced: false, findings: [finding()] }))).toEqual({
      allowed: true,
      warnings: ['pod.privileged: container "web" is privileged (would be denied)'],
      auditAnnotations: { decision: ID, verdict: 'deny', enforced: 'false' },
    });
  });
});

describe('no answer', () => {
  it.each([true, false])('blocks when a rule could not be evaluated, enforced %s', (enforced) => {
    const findings = [finding({ result: 'error', rule: 'baseline', message: 'too many steps' })];
    expect(answerDecision(decisionOf({ verdict: 'error', enforced, findings }))).toMatchObject({
      allowed: false,
      status: {
        code: 500,
        reason: 'InternalError',
        message:
          'countersign: no answer [POLICY_EVALUATION]: rules could not be evaluated\n- baseline: too many steps',
      },
    });
  });

  it('blocks when nothing was checked', () => {
    expect(
      answerDecision(decisionOf({ verdict: 'error', evaluated: { objects: 1, rules: 0 } })).status,
    ).toEqual({
      status: 'Failure',
      reason: 'InternalError',
      code: 500,
      message: 'countersign: no answer [POLICY_EMPTY]: nothing was checked, which is never a pass',
    });
  });

  it('names the code of our own failure', () => {
    expect(JSON.parse(renderReview('u-9', answerFailure('LEDGER_FULL', 'no space', 'free some')))).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid: 'u-9',
        allowed: false,
        status: {
          status: 'Failure',
          reason: 'InternalError',
          code: 500,
          message: 'countersign: no answer [LEDGER_FULL]: no space\nhint: free some',
        },
      },
    });
  });

  it('says of a warning that it was inherited', () => {
    const { decision } = judgementOf({ findings: [finding({ result: 'warn', inherited: true })] });
    expect(answerDecision(decision).warnings).toEqual([
      'pod.privileged: container "web" is privileged (as it was)',
    ]);
  });
});
