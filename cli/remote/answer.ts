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
  /** SHA-256 (hex) of the id token that was sent: a record that rests on it answers this question and no other. */
  readonly token?: string;
}

/** A decision and its record, which say the same. */
export interface Answer {
  readonly decision: Decision;
  readonly record: object;
  readonly titles: ReadonlyMap<string, { title: string; remedy?: string }>;
  /** What `verify record` will not let pass of a record that is genuine. */
  readonly notes: readonly string[];
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
  const predicate = predicateIn(statement, wanted);
  const proof = proofOf(record, wanted);
  const fault =
    aboutFault(statement, predicate, wanted) ??
    sameFault(decision, predicate) ??
    tokenFault(predicate, wanted);
  const refused = fault ?? proof.fault;
  if (refused !== undefined) throw wrong(wanted, refused);
  return { decision, record, titles: titlesIn(Reflect.get(Object(answer), 'titles')), notes: proof.notes };
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
function aboutFault(
  statement: Uint8Array,
  { phase, scope, set: recorded, time }: DecisionPredicate,
  { environment, set, since, until }: Wanted,
): string | undefined {
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

/** A token holds once: an answer to somebody else, or to an earlier question, rests on another or on none. */
function tokenFault({ evidence = [] }: DecisionPredicate, { token }: Wanted): string | undefined {
  if (token === undefined) return undefined;
  const isNamed = evidence.some((one) => 'token' in one && one.digest.sha256 === token);
  return isNamed ? undefined : 'its record does not rest on the id token that was sent';
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
const PROVING: ReadonlySet<string> = new Set([
  'signature',
  'ledger',
  'set',
  'environment',
  'time',
  'policies',
]);

function proofOf(
  record: object,
  { trust, environment, until }: Wanted,
): { readonly fault?: string; readonly notes: readonly string[] } {
  if (trust === undefined) return { notes: [] };
  const bytes = Buffer.from(JSON.stringify(record));
  const { checks, proved } = proveRecord(bytes, trust, { at: until, environment, policyDigests: [] });
  const faults = checks.filter(({ holds }) => !holds);
  const fault = faults.find(({ name }) => proved === undefined || PROVING.has(name));
  if (fault !== undefined)
    return { fault: `its record does not hold: ${fault.name}: ${fault.detail}`, notes: [] };
  const notes = faults.filter(({ name }) => name === 'scope').map(({ detail }) => detail);
  return { notes };
}

const wrong = ({ host }: Wanted, why: string): AttestError =>
  new AttestError('SERVER_ANSWER', `the answer of ${JSON.stringify(host)} is refused: ${why}`, {
    hint: 'nothing was decided here: look at the server and at what is between it and this job',
  });
