// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { readDecision } from '../../../engine/record/predicate.ts';
import { summaryOf } from '../../../engine/record/vsa.ts';
import { expectThrown } from '../../expect.ts';
import { hex, statementWith } from './fixture.ts';

const ALLOW = {
  scope: { environment: 'production/eu', operations: ['CREATE'] },
  projectDigest: { sha256: hex('5') },
  passed: { 'pod.privileged': 2, 'pod.host-path': 0, 'rbac.wildcard': 1 },
};
const finding = (rule: string, result: string, more: object = {}): object => ({
  rule,
  result,
  severity: 'low',
  object: '/Pod/shop/web',
  controls: [],
  ...more,
});
const summary = (changes: object = {}): Record<string, unknown> => {
  const statement = statementWith({ ...ALLOW, ...changes });
  return JSON.parse(Buffer.from(summaryOf(readDecision(statement), statement)).toString());
};

describe('the summary of an allow', () => {
  it('claims what was evaluated and found nothing, and is about the same set', () => {
    const statement = statementWith(ALLOW);
    expect(summary()).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'set.txt', digest: { sha256: readDecision(statement).set.digest.sha256 } }],
      predicateType: 'https://slsa.dev/verification_summary/v1',
      predicate: {
        verifier: { id: 'https://countersign.dev/engine', version: { countersign: '0.1.0', opa: '1.22.2' } },
        timeVerified: '2026-11-24T11:00:00.000Z',
        resourceUri: 'https://countersign.dev/environment/production%2Feu',
        policy: { uri: 'https://countersign.dev/project', digest: { sha256: hex('5') } },
        inputAttestations: [
          {
            uri: 'urn:uuid:019ab500-0000-7000-8000-000000000001',
            digest: { sha256: hash('sha256', statement, 'hex') },
          },
        ],
        verificationResult: 'PASSED',
        verifiedLevels: [
          'COUNTERSIGN_POLICY_BASELINE',
          'COUNTERSIGN_RULE_POD_PRIVILEGED',
          'COUNTERSIGN_RULE_RBAC_WILDCARD',
        ],
        slsaVersion: '1.0',
      },
    });
  });

  it.each([
    ['warned', finding('pod.privileged', 'warn')],
    ['was waived', finding('pod.privileged', 'skip', { waiver: 'W-1' })],
    ['was there before', finding('pod.privileged', 'warn', { inherited: true })],
  ])('claims no rule that %s, and not its policy', (_, one) => {
    expect(summary({ findings: [one] })).toMatchObject({
      predicate: { verifiedLevels: ['COUNTERSIGN_RULE_RBAC_WILDCARD'] },
    });
  });

  it('lists no attestations where the record does not name all of them', () => {
    const whole: object = Object(Reflect.get(Object(summary()), 'predicate'));
    const cut = Reflect.get(
      Object(summary({ omittedEvidence: [{ predicateType: 't', count: 1 }] })),
      'predicate',
    );
    expect(whole).toHaveProperty('inputAttestations');
    expect(cut).toEqual({ ...whole, inputAttestations: undefined });
  });

  it('counts images by digest, and those of which a statement was verified', () => {
    const images = [
      { ref: 'a:1' },
      { ref: 'b', digest: { sha256: hex('a') } },
      { ref: 'c', digest: { sha256: hex('b') } },
    ];
    const TIME = '2026-11-24T11:00:00Z';
    const evidence = [
      {
        subject: { sha256: hex('a') },
        predicateType: 'https://slsa.dev/provenance/v1',
        digest: { sha256: hex('c') },
        signer: { kind: 'key' },
      },
      {
        token: { issuer: 'i', subject: 's', audience: ['a'], kid: 'k', issuedAt: TIME, expiresAt: TIME },
        digest: { sha256: hex('d') },
      },
    ];
    expect(summary({ images, evidence })).toMatchObject({
      predicate: {
        dependencyLevels: { COUNTERSIGN_IMAGE_BY_DIGEST: 2, COUNTERSIGN_IMAGE_ATTESTED: 1 },
        inputAttestations: [
          expect.anything(),
          { uri: 'https://slsa.dev/provenance/v1', digest: { sha256: hex('c') } },
        ],
      },
    });
  });

  it('never claims a level of SLSA', () => {
    expect(JSON.stringify(summary())).not.toMatch(/SLSA_/);
  });

  it('is of nothing else: a denial, an error, an allow for no environment', () => {
    for (const changes of [
      { verdict: 'deny' },
      { verdict: 'error' },
      { scope: { operations: ['CREATE'] } },
      { projectDigest: undefined },
    ])
      expectThrown(() => summary(changes), EngineError, 'RECORD_SHAPE');
  });
});
