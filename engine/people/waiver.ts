// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { type Finding, objectId, type Severity } from '../decide/finding.ts';

/** A waiver that somebody asked for and somebody else approved: plain values. */
export interface Waiver {
  /** Of its statement. */
  readonly id: string;
  readonly environment: string;
  readonly rule: string;
  /** `<group>/<Kind>/<namespace>/<name>`; `*` as its name is every one of that kind in that namespace. */
  readonly object: string;
  readonly ticket: string;
  readonly reason: string;
  /** RFC 3339, UTC; it counts from the first to before the second. */
  readonly notBefore: string;
  readonly expires: string;
  readonly requester: string;
  readonly approver: string;
}

/** Days by severity. */
export type LongestDays = Readonly<Partial<Record<Severity, number>>>;

/** Where it is judged, and when. */
export interface WaiverFrame {
  readonly environment: string;
  readonly time: Date;
  readonly longestDays: LongestDays;
}

const DEFAULT_LONGEST_DAYS = { critical: 7, high: 30, medium: 90, low: 180 } as const;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Rules about what people must sign, and where: an exception from these would be one from everything. */
const NEVER = /^(?:approval|lock|statement|environment|break-glass)\./;

/** Whether an exception from a rule can be had at all. */
export const isWaivable = (rule: string): boolean => !NEVER.test(rule);

/** What a waiver's subject is: SHA-256 of its scope as one line. */
export const scopeDigest = ({
  rule,
  object,
  environment,
}: Pick<Waiver, 'rule' | 'object' | 'environment'>): string =>
  hash('sha256', `${rule}  ${object}  ${environment}\n`, 'hex');

/** Why a waiver may not stand for a finding of this severity, or undefined. */
export function lengthFault(
  { notBefore, expires }: Pick<Waiver, 'notBefore' | 'expires'>,
  severity: Severity,
  longestDays: LongestDays,
): string | undefined {
  const most = longestDays[severity] ?? DEFAULT_LONGEST_DAYS[severity];
  const lengthMs = Date.parse(expires) - Date.parse(notBefore);
  if (lengthMs > 0 && lengthMs <= most * DAY_MS) return undefined;
  return most === 0
    ? `what is ${severity} is never waived`
    : `what is ${severity} is waived for ${most} days at most`;
}

const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const satisfies readonly Severity[];

/** The severities of the findings that a waiver is too long for. */
export const tooLongFor = (
  waiver: Pick<Waiver, 'notBefore' | 'expires'>,
  longestDays: LongestDays,
): readonly Severity[] =>
  SEVERITIES.filter((severity) => lengthFault(waiver, severity, longestDays) !== undefined);

/** Waivers that would cover a finding that fails, were they not too long for how severe it is; and why. */
export function tooLongWaivers(
  findings: readonly Finding[],
  waivers: readonly Waiver[],
  frame: WaiverFrame,
): readonly { readonly waiver: Waiver; readonly reason: string }[] {
  const failing = findings.filter(({ result }) => result === 'fail');
  return waivers.flatMap((waiver) => {
    const reasons = failing
      .filter((finding) => isInForce(waiver, finding, frame))
      .map(({ severity }) => lengthFault(waiver, severity, frame.longestDays));
    const reason = reasons.find((one) => one !== undefined);
    return reason === undefined ? [] : [{ waiver, reason }];
  });
}

/**
 * The findings with those skipped that one waiver covers by itself: two that each cover a part combine to nothing
 * (Kyverno CVE-2026-84200). Only a fail is waived, never an error. Of several that cover it the one that names the object comes
 * first, then the one that ends last.
 */
export function applyWaivers(
  findings: readonly Finding[],
  waivers: readonly Waiver[],
  frame: WaiverFrame,
): readonly Finding[] {
  if (waivers.length === 0) return findings;
  return findings.map((finding) => {
    if (finding.result !== 'fail' || !isWaivable(finding.rule)) return finding;
    const [waiver] = waivers.filter((one) => covers(one, finding, frame)).sort(byPrecedence);
    return waiver === undefined ? finding : { ...finding, result: 'skip', waiver: waiver.id };
  });
}

/** Whether this waiver is about this finding, here and now. */
export function covers(waiver: Waiver, finding: Finding, frame: WaiverFrame): boolean {
  return (
    isInForce(waiver, finding, frame) &&
    lengthFault(waiver, finding.severity, frame.longestDays) === undefined
  );
}

/** The same, however long it is. */
function isInForce(waiver: Waiver, finding: Finding, frame: WaiverFrame): boolean {
  const at = frame.time.getTime();
  return (
    waiver.rule === finding.rule &&
    waiver.environment === frame.environment &&
    isAbout(waiver.object, objectId(finding.object)) &&
    at >= Date.parse(waiver.notBefore) &&
    at < Date.parse(waiver.expires)
  );
}

/** Exact, but for a name that is `*`: no part of a name is a pattern. */
function isAbout(scope: string, object: string): boolean {
  if (!scope.endsWith('/*')) return scope === object;
  const prefix = scope.slice(0, -1);
  const name = object.slice(prefix.length);
  return object.startsWith(prefix) && name !== '' && !name.includes('/');
}

const byPrecedence = (a: Waiver, b: Waiver): number =>
  Number(a.object.endsWith('/*')) - Number(b.object.endsWith('/*')) ||
  Date.parse(b.expires) - Date.parse(a.expires) ||
  (a.id < b.id ? -1 : 1);
