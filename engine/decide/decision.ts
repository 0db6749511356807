// SPDX-License-Identifier: Apache-2.0
import { compareFindings, type Finding } from './finding.ts';

export type Verdict = 'allow' | 'deny' | 'error';
export type Phase = 'check' | 'admission' | 'audit';
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One loaded policy as a Decision names it; digests are lower-case hex SHA-256. */
export interface PolicyReference {
  readonly name: string;
  readonly revision: string;
  /** Of the module and data that were evaluated. */
  readonly digest: string;
  /** Of the sources it was compiled from. */
  readonly sources: string;
}

/** Allow, deny or error, with its findings and what was evaluated. Digests are lower-case hex SHA-256; `time` is RFC 3339 in UTC. */
export interface Decision {
  readonly apiVersion: 'countersign.dev/v1alpha1';
  readonly kind: 'Decision';
  /** UUIDv7. */
  readonly id: string;
  readonly phase: Phase;
  readonly operations: readonly Operation[];
  readonly verdict: Verdict;
  readonly enforced: boolean;
  /** What an allow rests on besides the rules; absent where they alone allow, and where nothing is allowed. */
  readonly basis?: 'waiver' | 'break-glass';
  readonly findings: readonly Finding[];
  /** How often each rule was evaluated without a finding. */
  readonly passed: Readonly<Record<string, number>>;
  readonly evaluated: { readonly objects: number; readonly rules: number };
  readonly policies: readonly PolicyReference[];
  readonly environment?: string;
  readonly inputDigest: string;
  readonly setDigest: string;
  readonly projectDigest?: string;
  /** Of the keys, identities, logs, issuers and the trusted root that were believed; absent where nobody was. */
  readonly trustDigest?: string;
  readonly contextDigest: string;
  readonly time: string;
}

/**
 * The verdict of a non-empty evaluation: an error outranks a denial, a denial outranks everything else.
 * Deny is the start and allow is earned: nothing evaluated is an error, never a pass.
 */
export function verdictOf(findings: readonly Finding[], evaluated: Decision['evaluated']): Verdict {
  if (evaluated.objects === 0 || evaluated.rules === 0) return 'error';
  if (findings.some((finding) => finding.result === 'error')) return 'error';
  return findings.every((finding) => finding.result === 'warn' || finding.result === 'skip')
    ? 'allow'
    : 'deny';
}

/** What a Decision is made from once every rule has spoken. */
export interface DecisionParts
  extends Omit<Decision, 'apiVersion' | 'kind' | 'verdict' | 'basis' | 'findings'> {
  readonly findings: readonly Finding[];
}

/** Orders the findings and computes the verdict and what it rests on, whatever `parts` say of these. */
export function decide(parts: DecisionParts): Decision {
  const findings = [...parts.findings].sort(compareFindings);
  const verdict = verdictOf(findings, parts.evaluated);
  const { basis: _before, ...rest }: DecisionParts & Pick<Decision, 'basis'> = parts;
  const basis = verdict === 'allow' ? basisOf(findings) : undefined;
  return {
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'Decision',
    ...rest,
    verdict,
    ...(basis === undefined ? {} : { basis }),
    findings,
  };
}

/** A denial that a broken glass lets through warns and names the statement, one that is waived is skipped. */
function basisOf(findings: readonly Finding[]): Decision['basis'] {
  const signed = findings.filter(({ waiver }) => waiver !== undefined);
  if (signed.some(({ result }) => result === 'warn')) return 'break-glass';
  return signed.length > 0 ? 'waiver' : undefined;
}
