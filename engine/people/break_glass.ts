// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { Finding } from '../decide/finding.ts';

/** A glass that enough people have broken: plain values. */
export interface BreakGlass {
  /** Of the statement that came last to the quorum. */
  readonly id: string;
  readonly environment: string;
  readonly incident: string;
  readonly people: readonly string[];
  /** RFC 3339, UTC; it counts from the first to before the second. */
  readonly from: string;
  readonly until: string;
}

/** What a break-glass' subject is: SHA-256 of its environment as one line. */
export const environmentDigest = (environment: string): string => hash('sha256', `${environment}\n`, 'hex');

/** The glass that is broken here and now, if any: the one that ends last. */
export function brokenGlass(
  all: readonly BreakGlass[],
  { environment, time }: { readonly environment: string; readonly time: Date },
): BreakGlass | undefined {
  const at = time.getTime();
  const [found] = all
    .filter(
      (one) => one.environment === environment && at >= Date.parse(one.from) && at < Date.parse(one.until),
    )
    .sort((a, b) => Date.parse(b.until) - Date.parse(a.until) || (a.id < b.id ? -1 : 1));
  return found;
}

/**
 * The findings with every denial as a warning that names the statement. An error stays one: that something could not be evaluated is no
 * denial that a person could answer for.
 */
export const throughBrokenGlass = (findings: readonly Finding[], { id }: BreakGlass): readonly Finding[] =>
  findings.map((finding) =>
    finding.result === 'fail' ? { ...finding, result: 'warn', waiver: id } : finding,
  );
