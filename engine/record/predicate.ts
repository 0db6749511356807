// SPDX-License-Identifier: Apache-2.0
// The predicate of a decision record as its published schema has it (`docs/schemas/`), on its way out and in.
import { hash } from 'node:crypto';
import { faultsBy, type SchemaFault } from '../context/schema.ts';
import type { Operation, Phase, Verdict } from '../decide/decision.ts';
import type { FindingResult, Severity } from '../decide/finding.ts';
import { EngineError } from '../error.ts';
import { validate } from './decision.validate.js';

/** The predicate type of a decision record. An allow and a deny have the same type: "verified" never means "allowed". */
export const DECISION_PREDICATE_TYPE = 'https://countersign.dev/attestation/deployment-decision/v1';

/** A digest as in-toto writes it, lower-case hex. */
export interface Sha256 {
  readonly sha256: string;
}

/** Whether a fact was proved or somebody said so. */
export type Trust = 'verified' | 'asserted';

/** What cannot be repeated from what was kept. */
export type Unrepeatable = 'secret-values' | 'hidden-path' | 'custom-kinds' | 'people';

/** One finding as a record lists it: without its message, which may quote the object. */
export interface RecordedFinding {
  readonly rule: string;
  readonly result: FindingResult;
  readonly severity: Severity;
  /** `<group>/<Kind>/<namespace>/<name>` */
  readonly object: string;
  readonly path?: string;
  readonly controls: readonly string[];
  readonly waiver?: string;
  readonly inherited?: true;
}

/** A signed statement about an image that was verified, by the digest of its signed bytes. */
export interface RecordedStatement {
  readonly subject: Sha256;
  readonly predicateType: string;
  readonly digest: Sha256;
  readonly signer: {
    readonly kind: 'keyless' | 'key' | 'login';
    readonly name?: string;
    readonly issuer?: string;
    readonly identity?: string;
    readonly keyId?: string;
  };
  /** When it was signed, where that was proved. */
  readonly at?: string;
}

/** An id token that was verified, by the digest of the token as it was sent. */
export interface RecordedToken {
  readonly token: {
    readonly issuer: string;
    readonly subject: string;
    readonly audience: readonly string[];
    readonly jti?: string;
    readonly kid: string;
    readonly issuedAt: string;
    readonly expiresAt: string;
  };
  readonly digest: Sha256;
}

/** The predicate of a decision record (`decision.schema.json`); what is not known is absent. Times are RFC 3339 in UTC. */
export interface DecisionPredicate {
  readonly id: string;
  readonly phase: Phase;
  readonly verdict: Verdict;
  readonly enforced: boolean;
  readonly basis: 'policy' | 'waiver' | 'break-glass';
  readonly engine: {
    readonly id: string;
    readonly version: string;
    readonly opa: string;
    readonly kubernetes: string;
  };
  readonly time: string;
  readonly startBy?: string;
  readonly scope: {
    readonly environment?: string;
    readonly clusters?: readonly string[];
    readonly namespaces?: readonly string[];
    readonly operations: readonly Operation[];
  };
  readonly set: {
    readonly digest: Sha256;
    readonly objects: readonly {
      readonly id: string;
      readonly apiVersion: string;
      readonly digest: Sha256;
    }[];
    readonly deletes?: readonly string[];
  };
  readonly images: readonly { readonly ref: string; readonly digest?: Readonly<Record<string, string>> }[];
  readonly inputDigest: Sha256;
  readonly inputs?: {
    readonly digest: Sha256;
    readonly replayable: boolean;
    readonly because?: readonly Unrepeatable[];
  };
  readonly projectDigest?: Sha256;
  readonly trustDigest?: Sha256;
  readonly contextDigest: Sha256;
  readonly policies: readonly {
    readonly name: string;
    readonly revision: string;
    readonly digest: Sha256;
    readonly sources: Sha256;
  }[];
  readonly evaluated: { readonly objects: number; readonly rules: number };
  readonly findings: readonly RecordedFinding[];
  readonly omittedFindings?: readonly {
    readonly rule: string;
    readonly result: FindingResult;
    readonly count: number;
  }[];
  readonly passed: Readonly<Record<string, number>>;
  readonly requester?: { readonly id: string; readonly how: string; readonly trust: Trust };
  readonly request?: { readonly uid: string; readonly caller: string; readonly subResource?: string };
  readonly approvalRule?: {
    readonly required: readonly { readonly role: string; readonly count: number }[];
    readonly got: readonly { readonly digest: Sha256; readonly person: string; readonly role: string }[];
    readonly excluded: readonly { readonly person: string; readonly why: string }[];
  };
  readonly change?: {
    readonly system: string;
    readonly id: string;
    readonly state?: string;
    readonly fetchedAt?: string;
    readonly trust: Trust;
  };
  readonly evidence?: readonly (RecordedStatement | RecordedToken)[];
  readonly omittedEvidence?: readonly { readonly predicateType: string; readonly count: number }[];
  readonly approval?: Sha256;
  readonly coverageGap?: { readonly from: string; readonly to: string };
  readonly previous?: { readonly digest: Sha256; readonly relation: string };
}

/** What is wrong with a predicate; empty where it is one. */
export const decisionFaults: (predicate: unknown) => readonly SchemaFault[] = faultsBy(validate);

const isDecision = (value: unknown): value is DecisionPredicate => decisionFaults(value).length === 0;

/**
 * Reads the predicate of a statement whose signature was verified before. Untrusted beyond that: a key may have signed anything.
 * @throws {EngineError} RECORD_SHAPE where it is not as the schema says, or its listing is not the one that the digest is of
 */
export function readDecision(statement: Uint8Array): DecisionPredicate {
  const predicate: unknown = Reflect.get(
    Object(JSON.parse(Buffer.from(statement).toString('utf8'))),
    'predicate',
  );
  if (!isDecision(predicate)) throw malformed(decisionFaults(predicate));
  const { set } = predicate;
  if (hash('sha256', listingOf(set), 'hex') !== set.digest.sha256)
    throw new EngineError(
      'RECORD_SHAPE',
      'the objects that the record lists are not those of its set digest',
    );
  return predicate;
}

/** `set.txt` as the record's own list of objects gives it. */
export function listingOf({ objects, deletes = [] }: DecisionPredicate['set']): string {
  const lines = [
    ...objects.map(({ id, digest }) => ({ id, digest: digest.sha256 })),
    ...deletes.map((id) => ({ id, digest: '-' })),
  ];
  return lines
    .sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)) || (a.digest < b.digest ? -1 : 1))
    .map(({ id, digest }) => `${digest}  ${id}\n`)
    .join('');
}

const MOST_FAULTS = 3;

function malformed(faults: readonly SchemaFault[]): EngineError {
  const shown = faults
    .slice(0, MOST_FAULTS)
    .map(({ pointer, message }) => `${JSON.stringify(pointer)} ${message}`);
  return new EngineError(
    'RECORD_SHAPE',
    `the predicate is not as version 1 of a decision record has it: ${shown.join('; ')}`,
    {
      hint: 'a newer version of countersign may know it; docs/schemas/deployment-decision-v1.json has every member',
    },
  );
}

/**
 * Checks what is about to be signed.
 * @throws {EngineError} RECORD_SHAPE
 */
export function refuseMalformed(predicate: unknown): void {
  const faults = decisionFaults(predicate);
  if (faults.length > 0) throw malformed(faults);
}
