// SPDX-License-Identifier: Apache-2.0
// What a server answered, held against what it was asked. The decision that is printed is what the record says, or there is none.
import { AttestError } from '../../attest/error.ts';
import type { Trust } from '../../attest/index.ts';
import { parseStrict } from '../../attest/json.ts';
import { type Decision, EngineError } from '../../engine/index.ts';
import {
  DECISION_PREDICATE_TYPE,
  type DecisionPredicate,
  readDecision,
} from '../../engine/record/predicate.ts';
import type { ObjectSet } from '../../engine/record/set.ts';
import { proveRecord } from '../commands/decided.ts';
import { isDecision, titlesIn } from './shape.ts';

/** What the answer must be about. */
export interface Wanted {
  readonly host: string;
  readonly environment: string;
  readonly set: ObjectSet;
  /** Between these it was decided, by clocks that differ by five minutes at most. */
  readonly since: Date;
  readonly until: Date;
  /** Whose record is believed; undefined: its signature is not looked at. */
  readonly trust: Trust | undefined;
}

/** A decision and its record, which say the same. */
export interface Answer {
  readonly decision: Decision;
  readonly record: object;
  readonly titles: ReadonlyMap<string, { title: string; remedy?: string }>;
}

/** @throws {AttestError} SERVER_ANSWER for whatever is no answer to exactly this question */
export function readAnswer(bytes: Uint8Array, wanted: Wanted): Answer {
  const answer: unknown = parseStrict(bytes)?.value;
  if (Reflect.get(Object(answer), 'kind') !== 'CheckAnswer')
    throw wrong(wanted, 'it is no CheckAnswer of countersign');
  const decision: unknown = Reflect.get(Object(answer), 'decision');
  const record: unknown = Reflect.get(Object(answer), 'record');
  if (!isDecision(decision)) throw wrong(wanted, 'its decision is malformed');
  if (typeof record !== 'object' || record === null) throw wrong(wanted, 'it has no record');
  const statement = statementIn(record);
  if (statement === undefined) throw wrong(wanted, 'its record is none of a decision');
  const fault =
    aboutFault(statement, wanted) ??
    sameFault(decision, predicateIn(statement, wanted)) ??
    signatureFault(record, wanted);
  if (fault !== undefined) throw wrong(wanted, fault);
  return { decision, record, titles: titlesIn(Reflect.get(Object(answer), 'titles')) };
}

/** The signed bytes of a record; undefined where they are of another kind. */
function statementIn(record: object): Uint8Array | undefined {
  const payload: unknown = Reflect.get(Object(Reflect.get(record, 'dsseEnvelope')), 'payload');
  if (typeof payload !== 'string') return undefined;
  const statement = Buffer.from(payload, 'base64');
  const value: unknown = parseStrict(statement)?.value;
  return Reflect.get(Object(value), 'predicateType') === DECISION_PREDICATE_TYPE ? statement : undefined;
}

function predicateIn(statement: Uint8Array, wanted: Wanted): DecisionPredicate {
  try {
    return readDecision(statement);
  } catch (cause) {
    if (cause instanceof EngineError) throw wrong(wanted, cause.message);
    throw cause;
  }
}

const SKEW_MS = 5 * 60_000;

/** A record of another set, environment or time may be as genuine as can be: it answers another question. */
function aboutFault(statement: Uint8Array, wanted: Wanted): string | undefined {
  const { environment, set, since, until } = wanted;
  const { phase, scope, set: recorded, time } = predicateIn(statement, wanted);
  const timeMs = Date.parse(time);
  const subjects: unknown = Reflect.get(Object(parseStrict(statement)?.value), 'subject');
  const [subject, second]: readonly unknown[] = Array.isArray(subjects) ? subjects : [];
  const digest: unknown = Reflect.get(Object(Reflect.get(Object(subject), 'digest')), 'sha256');
  if (recorded.digest.sha256 !== set.digest || digest !== set.digest || second !== undefined)
    return `its record is about another set than sha256:${set.digest}`;
  if (scope.environment !== environment)
    return `its record is for another environment than ${JSON.stringify(environment)}`;
  if (phase !== 'check') return `its record is one of ${phase}`;
  if (timeMs < since.getTime() - SKEW_MS || timeMs > until.getTime() + SKEW_MS)
    return `its record was decided at ${time}, which is not now`;
  return undefined;
}

/** What is printed must be what was signed. Messages of findings are in no record, so they are the server's word by TLS. */
function sameFault(decision: Decision, predicate: DecisionPredicate): string | undefined {
  const basis = decision.basis ?? 'policy';
  const pairs = [
    [decision.id, predicate.id],
    [decision.phase, predicate.phase],
    [decision.verdict, predicate.verdict],
    [decision.enforced, predicate.enforced],
    [basis, predicate.basis],
    [decision.environment, predicate.scope.environment],
    [decision.time, predicate.time],
    [decision.setDigest, predicate.set.digest.sha256],
    [decision.inputDigest, predicate.inputDigest.sha256],
    [decision.contextDigest, predicate.contextDigest.sha256],
    [decision.projectDigest, predicate.projectDigest?.sha256],
    [countsOf(decision.findings), countsOf(predicate.findings, predicate.omittedFindings)],
  ];
  return pairs.some(([said, signed]) => said !== signed)
    ? 'its decision is not the one that its record says'
    : undefined;
}

type Counted = { readonly rule: string; readonly result: string };

/** How many findings of each rule and result there are, as one text. */
function countsOf(
  findings: readonly Counted[],
  omitted: readonly (Counted & { readonly count: number })[] = [],
): string {
  const counts = new Map<string, number>();
  for (const { rule, result, count } of [...findings.map((one) => ({ ...one, count: 1 })), ...omitted]) {
    const key = `${result} ${rule}`;
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
  return JSON.stringify([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of what a record must prove here; whether it allows is what the decision says. */
const PROVING: ReadonlySet<string> = new Set(['signature', 'ledger', 'set', 'environment', 'time']);

function signatureFault(record: object, { trust, environment, until }: Wanted): string | undefined {
  if (trust === undefined) return undefined;
  const bytes = Buffer.from(JSON.stringify(record));
  const { checks, proved } = proveRecord(bytes, trust, { at: until, environment, policyDigests: [] });
  const fault = checks.find(({ name, holds }) => !holds && (proved === undefined || PROVING.has(name)));
  return fault === undefined ? undefined : `its record does not hold: ${fault.name}: ${fault.detail}`;
}

const wrong = ({ host }: Wanted, why: string): AttestError =>
  new AttestError('SERVER_ANSWER', `the answer of ${JSON.stringify(host)} is refused: ${why}`, {
    hint: 'nothing was decided here: look at the server and at what is between it and this job',
  });
