// SPDX-License-Identifier: Apache-2.0
// The verification summary (VSA) of an allow: what SLSA's tools read of a decision, and nothing that the record does not prove.
import { hash } from 'node:crypto';
import { EngineError } from '../error.ts';
import type { JsonValue } from '../manifest/index.ts';
import { canonicalText } from './canonical.ts';
import type { DecisionPredicate, RecordedStatement } from './predicate.ts';

/** @see https://slsa.dev/spec/v1.0/verification_summary */
export const SUMMARY_PREDICATE_TYPE = 'https://slsa.dev/verification_summary/v1';

/**
 * The Statement of a summary, as deterministic JSON bytes. A level is claimed for each rule that was evaluated and found nothing, for
 * each policy where no rule found anything, and for images what the record says of them.
 * @param statement the signed statement of the record, which was verified before
 * @throws {EngineError} RECORD_SHAPE for what is no allow, or an allow of no environment or Project
 */
export function summaryOf(decision: DecisionPredicate, statement: Uint8Array): Uint8Array {
  const { verdict, scope, projectDigest, set, engine, time } = decision;
  if (verdict !== 'allow')
    throw new EngineError('RECORD_SHAPE', `the verdict is ${verdict}: only an allow has a summary`);
  if (scope.environment === undefined || projectDigest === undefined)
    throw new EngineError('RECORD_SHAPE', 'an allow of no environment and Project has no summary');
  const levels = dependencyLevels(decision);
  const value: JsonValue = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'set.txt', digest: { sha256: set.digest.sha256 } }],
    predicateType: SUMMARY_PREDICATE_TYPE,
    predicate: {
      verifier: { id: engine.id, version: { countersign: engine.version, opa: engine.opa } },
      timeVerified: time,
      resourceUri: environmentUri(scope.environment),
      policy: { uri: 'https://countersign.dev/project', digest: { sha256: projectDigest.sha256 } },
      ...inputAttestations(decision, statement),
      verificationResult: 'PASSED',
      verifiedLevels: [...verifiedLevels(decision)],
      ...(Object.keys(levels).length === 0 ? {} : { dependencyLevels: levels }),
      slsaVersion: '1.0',
    },
  };
  return new TextEncoder().encode(canonicalText(value));
}

/** All of them or none: a list that was cut would say that there were no others. */
function inputAttestations(
  { id, evidence, omittedEvidence }: DecisionPredicate,
  statement: Uint8Array,
): Record<string, JsonValue> {
  if (omittedEvidence !== undefined) return {};
  const record = { uri: `urn:uuid:${id}`, digest: { sha256: hash('sha256', statement, 'hex') } };
  const others = statementsIn(evidence).map(({ predicateType, digest }) => ({
    uri: predicateType,
    digest: { sha256: digest.sha256 },
  }));
  return { inputAttestations: [record, ...others] };
}

const statementsIn = (evidence: DecisionPredicate['evidence'] = []): readonly RecordedStatement[] =>
  evidence.flatMap((one) => ('token' in one ? [] : [one]));

/** What a summary calls an environment. */
export const environmentUri = (name: string): string =>
  `https://countersign.dev/environment/${encodeURIComponent(name)}`;

/** SLSA keeps its own names for its own levels; ours are told apart by their prefix. */
const levelOf = (what: 'RULE' | 'POLICY', name: string): string =>
  `COUNTERSIGN_${what}_${name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`;

/** A finding of any kind, waived and inherited ones too, and the rule is not said to hold. */
function verifiedLevels({
  passed,
  findings,
  omittedFindings = [],
  policies,
}: DecisionPredicate): readonly string[] {
  const found = new Set([...findings, ...omittedFindings].map(({ rule }) => rule));
  const rules = Object.entries(passed)
    .filter(([rule, count]) => count > 0 && !found.has(rule))
    .map(([rule]) => levelOf('RULE', rule));
  const whole = found.size === 0 ? policies.map(({ name }) => levelOf('POLICY', name)) : [];
  return [...new Set([...whole, ...rules])].sort();
}

/** How many images are named by digest, and of how many a statement was verified. */
function dependencyLevels({ images, evidence }: DecisionPredicate): Record<string, number> {
  const proved = new Set(statementsIn(evidence).map(({ subject }) => subject.sha256));
  const digests = images.flatMap(({ digest }) => digest?.['sha256'] ?? []);
  const attested = digests.filter((digest) => proved.has(digest)).length;
  return {
    ...(digests.length === 0 ? {} : { COUNTERSIGN_IMAGE_BY_DIGEST: digests.length }),
    ...(attested === 0 ? {} : { COUNTERSIGN_IMAGE_ATTESTED: attested }),
  };
}
