// SPDX-License-Identifier: Apache-2.0
// What was recorded, decided once more: by the recorded policies it must come out the same, by others it shows what they would change.
import type { Judgement } from '../change.ts';
import type { Enforcement } from '../decide/findings.ts';
import { type JsonValue, member, textMember } from '../manifest/document.ts';
import type { Policy } from '../policy/policy.ts';
import type { DecisionPredicate, RecordedFinding } from '../record/predicate.ts';
import { statementOf } from '../record/statement.ts';
import { type Bench, review } from '../review.ts';
import { openSchema } from '../schema/index.ts';
import { type KeptInput, readKept } from './kept.ts';

/** A record that is to be replayed, with the bytes that were kept for it. */
export interface Replayable {
  readonly decision: DecisionPredicate;
  /** The signed statement. */
  readonly statement: Uint8Array;
  readonly kept: Uint8Array;
}

/** What judges instead of what judged then. */
export interface Instead {
  readonly policies: readonly Policy[];
  /** Of the environment, where it is another one now; that of then where absent. */
  readonly enforcement?: Readonly<Record<string, Enforcement>>;
}

/** Members of the predicate that came out otherwise; empty where the statement is the same, byte for byte. */
export type Difference = readonly string[];

/**
 * Judges again by the recorded policies, at the recorded time.
 * @throws {EngineError} RECORD_SHAPE where what was kept cannot be read
 */
export function replaySame(record: Replayable, policies: readonly Policy[]): Difference {
  const { decision, statement } = record;
  const { proved = {}, ...judged } = judgeAgain(readKept(record.kept), decision, { policies });
  // Versions before this one named no evidence, and kept less of what was proved.
  const judgement = decision.evidence === undefined ? judged : { ...judged, proved };
  const { inputs, engine } = decision;
  const again = statementOf(
    judgement,
    engine,
    inputs === undefined
      ? undefined
      : { digest: inputs.digest.sha256, bytes: record.kept, because: inputs.because ?? [] },
  );
  if (Buffer.compare(again, statement) === 0) return [];
  const [was, is] = [predicateIn(statement), predicateIn(again)];
  const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  const differing = keys.filter((key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]));
  return differing.length === 0 ? ['statement'] : differing;
}

const predicateIn = (statement: Uint8Array): Readonly<Record<string, unknown>> =>
  Object(Reflect.get(Object(JSON.parse(Buffer.from(statement).toString('utf8'))), 'predicate'));

function judgeAgain(kept: KeptInput, decision: DecisionPredicate, instead: Instead): Judgement {
  const { environment, projectDigest, strictErrors, schemaMinor } = kept.bench;
  const enforcement = instead.enforcement ?? kept.bench.enforcement;
  const bench: Bench = {
    policies: instead.policies,
    isMasked: true,
    enforcement,
    ...(environment === undefined ? {} : { environment }),
    ...(projectDigest === undefined ? {} : { projectDigest }),
    ...(strictErrors === undefined ? {} : { strictErrors }),
    ...(schemaMinor === undefined ? {} : { schema: openSchema({ minor: schemaMinor, enforcement }) }),
  };
  const facts = { time: new Date(decision.time), id: decision.id };
  return review(bench, kept.change, facts, kept.bench.unmapped);
}

/** What another judgement of a record changes. */
export interface Change {
  readonly id: string;
  readonly time: string;
  readonly environment?: string;
  readonly was: DecisionPredicate['verdict'];
  readonly now: DecisionPredicate['verdict'];
  /** Rules that deny now and did not, and the other way round, each once and in order. */
  readonly denying: readonly string[];
  readonly allowing: readonly string[];
  /** What the label says of its objects, each once and in order. */
  readonly teams: readonly string[];
}

/** Judges again by other policies. @param label the label that names an object's team */
export function replayInstead(record: Replayable, instead: Instead, label: string): Change {
  const kept = readKept(record.kept);
  const { decision } = record;
  const now = judgeAgain(kept, decision, instead).decision;
  const [before, after] = [
    denyingRules(decision.findings, decision.omittedFindings),
    denyingRules(now.findings),
  ];
  const { environment } = decision.scope;
  const teams = kept.change.documents.flatMap(({ value }) => teamOf(value, label));
  return {
    id: decision.id,
    time: decision.time,
    ...(environment === undefined ? {} : { environment }),
    was: decision.verdict,
    now: now.verdict,
    denying: [...after].filter((rule) => !before.has(rule)).sort(),
    allowing: [...before].filter((rule) => !after.has(rule)).sort(),
    teams: [...new Set(teams)].sort(),
  };
}

function denyingRules(
  findings: readonly Pick<RecordedFinding, 'rule' | 'result'>[],
  omitted: DecisionPredicate['omittedFindings'] = [],
): ReadonlySet<string> {
  const denies = ({ result }: Pick<RecordedFinding, 'result'>): boolean =>
    result === 'fail' || result === 'error';
  return new Set([...findings, ...omitted].filter(denies).map(({ rule }) => rule));
}

function teamOf(value: JsonValue, label: string): readonly string[] {
  const team = textMember(member(member(value, 'metadata'), 'labels'), label);
  return team === undefined ? [] : [team];
}
