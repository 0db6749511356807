// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
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
  images: [{ ref: 'web:1' }, { ref: `web@sha256:${hex('8')}`, digest: `sha256:${hex('8')}` }],
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
        engine: { id: 'https://countersign.dev/engine', ...ENGINE },
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

  it('of more than 256 KiB is refused, never cut', () => {
    const many = (count: number): Judgement =>
      judgement({ findings: Array.from({ length: count }, () => FINDING) });
    const size = (count: number): number => statementOf(many(count), ENGINE).length;
    const each = size(2) - size(1);
    const most = Math.floor((256 * 1024 - size(1)) / each) + 1;
    expect(size(most)).toBeLessThanOrEqual(256 * 1024);
    expectThrown(
      () => statementOf(many(most + 1), ENGINE),
      EngineError,
      'RECORD_TOO_LARGE',
      `the record would be ${size(most) + each} bytes, more than ${256 * 1024}`,
    );
  });
});
