// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { summaryOf, termsOf } from '../../../engine/record/summary.ts';

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const decision = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'set.txt', digest: { sha256: 'aa' } }],
  predicateType: 'https://countersign.dev/attestation/deployment-decision/v1',
  predicate: {
    id: 'id-1',
    time: '2026-11-24T10:00:00.000Z',
    phase: 'admission',
    verdict: 'deny',
    scope: { environment: 'production/eu/1' },
    set: {
      digest: { sha256: 'aa' },
      objects: [{ id: 'apps/Deployment/web/web', digest: { sha256: 'bb' } }],
      deletes: ['/Pod/web/old'],
    },
    images: [{ ref: 'registry.example/web:1', digest: { sha256: 'cc' } }],
    requester: { id: 'ada' },
    approvalRule: { got: [{ person: 'grace' }] },
    findings: [
      { rule: 'pod.limits', result: 'warn' },
      { rule: 'pod.privileged', result: 'fail' },
    ],
    omittedFindings: [{ rule: 'image.registry', result: 'fail', count: 3 }],
  },
};

describe('what a record is listed with and found by', () => {
  it('are the members of a decision', () => {
    expect(summaryOf(bytes(decision))).toEqual({
      id: 'id-1',
      time: '2026-11-24T10:00:00.000Z',
      predicateType: decision.predicateType,
      phase: 'admission',
      verdict: 'deny',
      environment: 'production/eu/1',
      actor: 'ada',
      subject: 'aa',
      rules: ['image.registry', 'pod.privileged'],
    });
    expect(termsOf(bytes(decision))).toEqual({
      time: Date.parse('2026-11-24T10:00:00.000Z'),
      terms: [
        ['id', 'id-1'],
        ['type', decision.predicateType],
        ['phase', 'admission'],
        ['verdict', 'deny'],
        ['environment', 'production/eu/1'],
        ['environment', 'production/*'],
        ['environment', 'production/eu/*'],
        ['actor', 'ada'],
        ['actor', 'grace'],
        ['rule', 'pod.limits'],
        ['rule', 'pod.privileged'],
        ['rule', 'image.registry'],
        ['artefact', 'aa'],
        ['artefact', 'bb'],
        ['artefact', 'cc'],
        ['artefact', 'apps/Deployment/web/web'],
        ['artefact', '/Pod/web/old'],
        ['artefact', 'registry.example/web:1'],
      ].map(([name, value]) => ({ name, value })),
    });
  });

  it('are few where a payload is not what we know, and never an error (property)', () => {
    expect(summaryOf(Buffer.from('no JSON'))).toEqual({ predicateType: '', rules: [] });
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const statement = { ...decision, predicate: value, subject: value };
        expect(() => [
          summaryOf(bytes(statement)),
          termsOf(bytes(statement)),
          termsOf(bytes(value)),
        ]).not.toThrow();
      }),
    );
  });
});
