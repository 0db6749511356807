// SPDX-License-Identifier: Apache-2.0
// A small decision record as its schema has it, for tests that change one member.
import { hash } from 'node:crypto';
import { type DecisionPredicate, listingOf } from '../../../engine/record/predicate.ts';

export const hex = (digit: string): string => digit.repeat(64);

/** An allow of one Pod; `changes` replaces members, and what is undefined is left out. */
export function predicateWith(changes: object = {}): object {
  const set = {
    digest: { sha256: '' },
    objects: [{ id: '/Pod/shop/web', apiVersion: 'v1', digest: { sha256: hex('7') } }],
  };
  const predicate: DecisionPredicate = {
    id: '019ab500-0000-7000-8000-000000000001',
    phase: 'check',
    verdict: 'allow',
    enforced: true,
    basis: 'policy',
    engine: { id: 'https://countersign.dev/engine', version: '0.1.0', opa: '1.22.2', kubernetes: '1.37' },
    time: '2026-11-24T11:00:00.000Z',
    scope: { operations: ['CREATE', 'UPDATE'] },
    set: { ...set, digest: { sha256: hash('sha256', listingOf(set), 'hex') } },
    images: [],
    inputDigest: { sha256: hex('3') },
    contextDigest: { sha256: hex('6') },
    policies: [
      { name: 'baseline', revision: '1', digest: { sha256: hex('1') }, sources: { sha256: hex('2') } },
    ],
    evaluated: { objects: 1, rules: 1 },
    findings: [],
    passed: { 'pod.privileged': 1 },
  };
  return JSON.parse(JSON.stringify({ ...predicate, ...changes }));
}

/** The statement of such a predicate, about its own set. */
export function statementWith(changes: object = {}): Buffer {
  const predicate = predicateWith(changes);
  const set: unknown = Reflect.get(predicate, 'set');
  const digest: unknown = Reflect.get(Object(set), 'digest');
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'set.txt', digest }],
      predicateType: 'https://countersign.dev/attestation/deployment-decision/v1',
      predicate,
    }),
  );
}
