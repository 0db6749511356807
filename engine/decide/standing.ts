// SPDX-License-Identifier: Apache-2.0
// What is said of every document whatever the rules, and what counts as passed.
import type { Remark } from '../manifest/index.ts';
import type { Operation } from './decision.ts';
import type { Finding, FindingObject } from './finding.ts';

/** The rule that speaks where no rule could. */
export const NOT_APPLICABLE = 'policy.not-applicable';

/** Conftest rules judge what is to be, so a DELETE is nothing to them. That is said, since no rule has passed it. */
export const notApplicable = (operation: Operation, object: FindingObject): Finding => ({
  rule: NOT_APPLICABLE,
  result: 'skip',
  message: `no rule judges a ${operation}: Conftest rules see only what is to be`,
  severity: 'low',
  controls: [],
  object,
});

/** Native rules speak of Kubernetes objects: a document that is none would pass each of them unseen. */
export function kindFindings(isObject: boolean, object: FindingObject): readonly Finding[] {
  if (isObject) return [];
  const message = 'apiVersion or kind is missing: this is no Kubernetes object';
  const remedy = 'give the document an apiVersion and a kind, or leave the file out of what is checked';
  return [
    {
      rule: 'manifest.kind',
      result: 'fail',
      message,
      remedy,
      severity: 'high',
      controls: [],
      object,
    },
  ];
}

/** Each is given a place, and nobody reads more of one object. */
const REMARKS_MAX = 100;

/** What was read as its author may not have meant it. */
export function remarkFindings(
  remarks: readonly Remark[] | undefined,
  object: FindingObject,
): readonly Finding[] {
  if (remarks === undefined) return [];
  const base = {
    rule: 'manifest.implied-type',
    result: 'warn',
    severity: 'medium',
    controls: [],
    object,
  } as const;
  const told = remarks
    .slice(0, REMARKS_MAX)
    .map(({ pointer, message, hint }): Finding => ({ ...base, message, remedy: hint, path: pointer }));
  const left = remarks.length - told.length;
  return left === 0
    ? told
    : [
        ...told,
        { ...base, message: `${left} more values are read as another type than is written`, path: '' },
      ];
}

/** One object as it counts. */
export interface Counted {
  readonly findings: readonly Finding[];
  /** Codes of the rules that ran on it and returned; only they can have passed. */
  readonly ran: readonly string[];
}

/** For each code how many objects passed it: the rule ran and had nothing to say. */
export function passedOf(codes: readonly string[], reviewed: readonly Counted[]): Record<string, number> {
  const passed = new Map(codes.map((code) => [code, 0]));
  for (const { findings, ran } of reviewed) {
    const spoke = new Set(findings.map((finding) => finding.rule));
    for (const code of new Set(ran)) {
      const count = passed.get(code);
      if (count !== undefined && !spoke.has(code)) passed.set(code, count + 1);
    }
  }
  return Object.fromEntries([...passed].sort(([a], [b]) => (a < b ? -1 : 1)));
}
