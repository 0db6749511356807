// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import type { RawResult } from '../policy/policy.ts';
import type { Rule } from '../policy/rule.ts';
import { type BuiltinFailure, isRegoObject, type RegoValue } from '../rego/index.ts';
import type { Finding, FindingObject, FindingResult, Severity } from './finding.ts';

/** How an environment enforces one rule: as it says, as a warning, or recorded only. */
export type Enforcement = 'deny' | 'warn' | 'audit';

/** What results are read against. */
export interface FindingFrame {
  readonly object: FindingObject;
  readonly time: Date;
  readonly enforcement: Readonly<Record<string, Enforcement>>;
}

interface Said {
  readonly message: string;
  readonly severity?: Severity;
  readonly path?: string;
}

const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/**
 * Raw results of one object → findings. A result that is not a set or list of strings or `{msg, …}` objects is a finding
 * `error`: what a rule meant cannot be known, so it blocks.
 */
export function findingsOf(results: readonly RawResult[], frame: FindingFrame): readonly Finding[] {
  const excepted = exceptions(results);
  return results
    .filter(({ entry }) => entry.effect !== 'exception')
    .flatMap((result) => fromResult(result, excepted, frame));
}

function fromResult(
  { entry, value }: RawResult,
  excepted: ReadonlySet<string>,
  frame: FindingFrame,
): Finding[] {
  const { rule } = entry;
  const said = saidBy(value);
  if (said === undefined) return [malformed(rule, frame.object)];
  const suffix =
    rule.style === 'conftest' ? (/^(?:deny|violation)_(.+)$/.exec(lastOf(entry.path))?.[1] ?? '') : undefined;
  const isExcepted =
    entry.effect === 'fail' && suffix !== undefined && excepted.has(`${packageOf(entry.path)}/${suffix}`);
  const result = isExcepted ? 'skip' : resultOf(entry.effect === 'warn' ? 'warn' : 'fail', rule, frame);
  return said.map((item) => ({
    rule: rule.code,
    result,
    message: item.message,
    severity: item.severity ?? rule.severity,
    controls: rule.controls,
    ...(rule.remedy === undefined ? {} : { remedy: rule.remedy }),
    object: frame.object,
    ...(item.path === undefined ? {} : { path: item.path }),
  }));
}

const lastOf = (path: readonly string[]): string => path.at(-1) ?? '';
const packageOf = (path: readonly string[]): string => path.slice(0, -1).join('.');

function resultOf(result: 'fail' | 'warn', rule: Rule, frame: FindingFrame): FindingResult {
  const enforcement = frame.enforcement[rule.code];
  if (enforcement === 'audit') return 'skip';
  if (enforcement === 'warn') return 'warn';
  const isEarly = rule.effectiveOn !== undefined && frame.time.getTime() < Date.parse(rule.effectiveOn);
  return isEarly ? 'warn' : result;
}

/** The items of a result, or undefined where the result has no meaning. */
function saidBy(value: RegoValue): readonly Said[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value.map(saidItem);
  return items.every((item) => item !== undefined) ? items : undefined;
}

function saidItem(item: RegoValue): Said | undefined {
  if (typeof item === 'string') return { message: item };
  if (!isRegoObject(item)) return undefined;
  const message = item['msg'];
  if (typeof message !== 'string') return undefined;
  const severity = SEVERITIES.find((known) => known === item['severity']);
  const path = item['path'];
  return {
    message,
    ...(severity === undefined ? {} : { severity }),
    ...(typeof path === 'string' && path.startsWith('/') ? { path } : {}),
  };
}

/** Conftest's `exception` rules: sets of lists of rule-name suffixes, by package. */
function exceptions(results: readonly RawResult[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { entry, value } of results) {
    if (entry.effect !== 'exception' || !Array.isArray(value)) continue;
    for (const suffix of value.flatMap((list) => (Array.isArray(list) ? list : []))) {
      if (typeof suffix === 'string') found.add(`${packageOf(entry.path)}/${suffix}`);
    }
  }
  return found;
}

function malformed(rule: Rule, object: FindingObject): Finding {
  return {
    rule: rule.code,
    result: 'error',
    message: 'the rule did not return a set of messages or of objects with "msg" [POLICY_RESULT]',
    severity: rule.severity,
    controls: rule.controls,
    object,
  };
}

/** The finding that an evaluation error is: it names the policy and blocks. */
export function errorFinding(policy: string, error: EngineError, object: FindingObject): Finding {
  return {
    rule: policy,
    result: 'error',
    message: `${placeOf(error)}${error.message} [${error.code}]`,
    severity: 'critical',
    controls: [],
    ...(error.hint === undefined ? {} : { remedy: error.hint }),
    object,
  };
}

/** The finding that a builtin's failure is: without it a rule that denies would silently not have fired. */
export function failureFinding(policy: string, failure: BuiltinFailure, object: FindingObject): Finding {
  const error = new EngineError('POLICY_EVALUATION', failure.message, {
    hint: 'an error in a builtin blocks: test the value before the call, or mend the rule',
    ...(failure.location === undefined ? {} : { location: failure.location }),
  });
  return errorFinding(policy, error, object);
}

/** The finding's own location is the manifest's; the policy's stands in the message. */
function placeOf({ location }: EngineError): string {
  return location === undefined ? '' : `${location.file}:${location.line}:${location.column}: `;
}
