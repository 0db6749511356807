// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Judgement } from '../../../engine/change.ts';
import type { Decision } from '../../../engine/decide/decision.ts';
import type { Finding } from '../../../engine/decide/finding.ts';
import { EngineError } from '../../../engine/error.ts';
import { canonicalText } from '../../../engine/record/canonical.ts';
import { DECISION_PREDICATE_TYPE, statementOf } from '../../../engine/record/statement.ts';
import { expectThrown } from '../../expect.ts';

const ENGINE = { version: '0.1.0', opa: '1.22.2' };
const hex = (digit: string): string => digit.repeat(64);

const FINDING: Finding = {
  rule: 'pod.privileged',
  result: 'fail',
  message: 'container "hunter2" is privileged',
  severity: 'high',
  controls: ['pss:baseline'],
  remedy: 'say no',
  object: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' },
  path: '/spec',
  location: { file: 'a.yaml', line: 1, column: 1 },
};

const DECISION: Decision = {
  apiVersion: 'countersign.dev/v1alpha1',
  kind: 'Decision',
  id: '019ab500-0000-7000-8000-000000000001',
  phase: 'check',
  operations: ['CREATE', 'UPDATE'],
  verdict: 'deny',
  enforced: true,
  findings: [FINDING],
  passed: { 'pod.privileged': 0, 'pod.host-path': 1 },
  evaluated: { objects: 1, rules: 2 },
  policies: [{ name: 'baseline', revision: '0.1.0', digest: hex('1'), sources: hex('2') }],
  environment: 'production',
  inputDigest: hex('3'),
  setDigest: hex('4'),
  projectDigest: hex('5'),
  contextDigest: hex('6'),
  time: '2026-11-24T12:00:00.000Z',
};

const judgement = (decision: Partial<Decision> = {}, parts: Partial<Judgement> = {}): Judgement => ({
  decision: { ...DECISION, ...decision },
  set: {
    entries: [{ id: '/Pod/shop/web', apiVersion: 'v1', digest: hex('7') }],
    listing: `${hex('7')}  /Pod/shop/web\n`,
    digest: hex('4'),
  },
  images: () => [{ ref: 'web:1' }, { ref: `web@sha256:${hex('8')}`, digest: `sha256:${hex('8')}` }],
  ...parts,
});

const written = (value: Judgement): unknown => JSON.parse(Buffer.from(statementOf(value, ENGINE)).toString());

describe('the statement of a decision', () => {
  it('is an in-toto Statement v1 about the listing, whole', () => {
    expect(written(judgement())).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'set.txt', digest: { sha256: hex('4') } }],
      predicateType: 'https://countersign.dev/attestation/deployment-decision/v1',
      predicate: {
        id: DECISION.id,
        phase: 'check',
        verdict: 'deny',
        enforced: true,
        basis: 'policy',
        time: DECISION.time,
        scope: { environment: 'production', operations: ['CREATE', 'UPDATE'] },
        evaluated: { objects: 1, rules: 2 },
        passed: { 'pod.privileged': 0, 'pod.host-path': 1 },
        set: {
          digest: { sha256: hex('4') },
          objects: [{ id: '/Pod/shop/web', apiVersion: 'v1', digest: { sha256: hex('7') } }],
        },
        images: [{ ref: 'web:1' }, { ref: `web@sha256:${hex('8')}`, digest: { sha256: hex('8') } }],
        inputDigest: { sha256: hex('3') },
        contextDigest: { sha256: hex('6') },
        projectDigest: { sha256: hex('5') },
        policies: [
          {
            name: 'baseline',
            revision: '0.1.0',
            digest: { sha256: hex('1') },
            sources: { sha256: hex('2') },
          },
        ],
        engine: { id: 'https://countersign.dev/engine', ...ENGINE, kubernetes: '1.37' },
        findings: [
          {
            rule: 'pod.privileged',
            result: 'fail',
            severity: 'high',
            object: '/Pod/shop/web',
            path: '/spec',
            controls: ['pss:baseline'],
          },
        ],
      },
    });
  });

  it('has one type for allow, deny and error', () => {
    for (const verdict of ['allow', 'deny', 'error'] as const) {
      expect(written(judgement({ verdict }))).toMatchObject({
        predicateType: DECISION_PREDICATE_TYPE,
        predicate: { verdict },
      });
    }
  });

  it('leaves out what is not known', () => {
    const { environment: _e, projectDigest: _p, ...decision } = DECISION;
    const { path: _path, ...finding } = FINDING;
    const statement = written({ ...judgement(), decision: { ...decision, findings: [finding] } });
    expect(statement).toMatchObject({
      predicate: { scope: { operations: ['CREATE', 'UPDATE'] }, findings: [{ rule: 'pod.privileged' }] },
    });
    expect(JSON.stringify(statement)).not.toMatch(/"(?:environment|projectDigest|path|deletes)"/);
  });

  it('names who asked for an admission, as asserted where the caller is not known', () => {
    const requester = { username: 'system:admin', uid: 'u-1', subResource: 'exec', isAuthenticated: false };
    expect(written(judgement({}, { requester }))).toMatchObject({
      predicate: {
        requester: { id: 'system:admin', how: 'userInfo', trust: 'asserted' },
        request: { uid: 'u-1', caller: 'unauthenticated', subResource: 'exec' },
      },
    });
    const nobody = written(judgement({}, { requester: { uid: 'u-1', isAuthenticated: true } }));
    expect(nobody).toMatchObject({ predicate: { request: { uid: 'u-1', caller: 'authenticated' } } });
    expect(nobody).not.toHaveProperty('predicate.requester');
    expect(written(judgement())).not.toHaveProperty('predicate.request');
  });

  it('names who asks for a checked set, and how its approvals were counted', () => {
    const approvalRule = {
      required: [{ role: 'operations', count: 1 }],
      got: [{ digest: hex('9'), person: 'bob', role: 'operations' }],
      excluded: [{ person: 'alice', why: 'requester' as const }],
    };
    const requester = { id: 'alice', how: 'flag' as const, trust: 'asserted' as const };
    const asked = { requester, authors: [] };
    const statement = written(judgement({}, { asked, approvalRule }));
    expect(statement).toHaveProperty('predicate.requester', requester);
    expect(statement).toHaveProperty('predicate.approvalRule', {
      ...approvalRule,
      got: [{ digest: { sha256: hex('9') }, person: 'bob', role: 'operations' }],
    });
    const bare = written(judgement({}, { asked: { authors: [] } }));
    expect(bare).not.toHaveProperty('predicate.requester');
    expect(bare).not.toHaveProperty('predicate.approvalRule');
  });

  it('says which findings were inherited', () => {
    const findings: Finding[] = [{ ...FINDING, result: 'warn', inherited: true }];
    expect(written(judgement({ findings }))).toMatchObject({
      predicate: { findings: [{ result: 'warn', inherited: true }] },
    });
  });

  it('lists what is to be deleted by its id', () => {
    const set = { entries: [{ id: '/Pod/shop/web', apiVersion: 'v1' }], listing: '', digest: hex('4') };
    expect(written(judgement({ operations: ['DELETE'] }, { set }))).toMatchObject({
      predicate: {
        scope: { operations: ['DELETE'] },
        set: { digest: { sha256: hex('4') }, objects: [], deletes: ['/Pod/shop/web'] },
      },
    });
  });

  it('never quotes a message, which may quote the object', () => {
    expect(Buffer.from(statementOf(judgement(), ENGINE)).toString()).not.toContain('hunter2');
  });

  it('is the same bytes for the same judgement, whatever the order of its keys', () => {
    const bytes = Buffer.from(statementOf(judgement(), ENGINE));
    const passed = { 'pod.host-path': 1, 'pod.privileged': 0 };
    expect(Buffer.from(statementOf(judgement({ passed }), ENGINE)).equals(bytes)).toBe(true);
    expect(bytes.toString()).toBe(canonicalText(JSON.parse(bytes.toString())));
  });

  const predicateOf = (findings: readonly Finding[]): Record<string, unknown> => {
    const { predicate } = JSON.parse(Buffer.from(statementOf(judgement({ findings }), ENGINE)).toString());
    return predicate;
  };
  const many = (count: number, part: Partial<Finding> = {}): readonly Finding[] =>
    Array.from({ length: count }, (_, index) => ({ ...FINDING, path: `/spec/containers/${index}`, ...part }));

  it('lists every finding of a bad Pod that fits, and says of inherited ones that they are', () => {
    expect(predicateOf(many(250))).toMatchObject({ findings: { length: 250 } });
    expect(predicateOf(many(250))).not.toHaveProperty('omittedFindings');
    expect(predicateOf([{ ...FINDING, result: 'warn', inherited: true }])['findings']).toEqual([
      expect.objectContaining({ result: 'warn', inherited: true }),
    ]);
  });

  it('of more than 256 KiB has the first findings of each rule and result, and counts the others', () => {
    const findings = [...many(5000), ...many(7, { rule: 'rare' }), ...many(2000, { result: 'warn' })];
    const predicate = predicateOf(findings);
    expect(predicate).toMatchObject({
      verdict: 'deny',
      findings: { length: 607 },
      omittedFindings: [
        { rule: 'pod.privileged', result: 'fail', count: 4700 },
        { rule: 'pod.privileged', result: 'warn', count: 1700 },
      ],
    });
  });

  it('has counts alone where one finding is too large already', () => {
    expect(predicateOf([{ ...FINDING, path: `/${'x'.repeat(256 * 1024)}` }])).toMatchObject({
      findings: [],
      omittedFindings: [{ rule: 'pod.privileged', result: 'fail', count: 1 }],
    });
  });

  it('loses no finding: listed and counted are all, for each rule and result', () => {
    const rules = fc.record({
      rule: fc.constantFrom('a', 'b'),
      result: fc.constantFrom('fail' as const, 'warn' as const),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(rules, fc.nat(1500)), { maxLength: 4 }), (parts) => {
        const findings = parts.flatMap(([part, count]) => many(count, part));
        const { findings: listed, omittedFindings = [] } = predicateOf(findings);
        const omitted = Array.isArray(omittedFindings) ? omittedFindings : [];
        const count = Array.isArray(listed) ? listed.length : -1;
        expect(omitted.reduce((sum, { count: more }) => sum + more, count)).toBe(findings.length);
      }),
      { numRuns: 20 },
    );
  });

  it('of too many objects is refused, never cut', () => {
    const entries = Array.from({ length: 3000 }, (_, index) => ({
      id: `/Pod/shop/web-${index}`,
      apiVersion: 'v1',
      digest: hex('7'),
    }));
    const set = { entries, listing: '', digest: hex('4') };
    expectThrown(() => statementOf(judgement({}, { set }), ENGINE), EngineError, 'RECORD_TOO_LARGE');
  });
});
