// SPDX-License-Identifier: Apache-2.0
// What people have signed, as it bears on one judgement. All of it are plain values, verified before; whatever says allow here is
// asked again for each judgement, by its time: a server that runs for weeks honours nothing that has ended.
import type { Change } from '../change.ts';
import type { Finding } from '../decide/finding.ts';
import { inheritedOf } from '../decide/inherited.ts';
import type { Document } from '../manifest/index.ts';
import {
  type ApprovalCount,
  type ApprovalDuty,
  type ApprovalFrame,
  approvalFindings,
  countApprovals,
} from './approval.ts';
import { type BreakGlass, brokenGlass, throughBrokenGlass } from './break_glass.ts';
import { type Lock, lockFindings } from './lock.ts';
import { applyWaivers, type LongestDays, type Waiver } from './waiver.ts';

/** Everything signed that holds in one environment. */
export interface Standing {
  readonly waivers: readonly Waiver[];
  readonly longestDays: LongestDays;
  readonly breakGlass: readonly BreakGlass[];
  readonly locks: readonly Lock[];
  readonly approvals?: ApprovalDuty;
  /** What should hold something back and does not verify: without it more would be allowed. */
  readonly unverified: readonly string[];
}

/** What one judgement is asked by. */
export interface StandingFrame {
  readonly environment: string | undefined;
  readonly change: Change;
  readonly setDigest: string;
  readonly time: Date;
}

/** What was signed, at one judgement. */
export interface Stand {
  /** What locks say of a document. */
  ofDocument(document: Document, isAsItWas: () => boolean): readonly Finding[];
  /** Findings with those of approvals, waived ones skipped, and all lifted where the glass is broken. */
  settle(findings: readonly Finding[]): readonly Finding[];
  /** When the first of what let these settled findings through ends, Unix time in milliseconds; Infinity where nothing did. */
  endsAt(findings: readonly Finding[]): number;
  readonly approvalRule?: ApprovalCount;
}

const NOTHING: Stand = {
  ofDocument: () => [],
  settle: (findings) => findings,
  endsAt: () => Number.POSITIVE_INFINITY,
};

/** Opens what was signed for one judgement. */
export function standAt(standing: Standing | undefined, frame: StandingFrame): Stand {
  if (standing === undefined) return NOTHING;
  const { environment, change, time } = frame;
  const approved = approvedBy(standing, frame);
  // What is locked by its content is opened by approvals of content alone.
  const weaker = new Set(
    standing.approvals?.given.filter(({ how }) => how === 'forge').map(({ id }) => id) ?? [],
  );
  const roles = new Set(
    approved?.count.got.filter(({ digest }) => !weaker.has(digest)).map(({ role }) => role),
  );
  return {
    // Only an image has a path, and is as it was where its object is but for labels and counts; of a locked object those are changes.
    ofDocument: (document, isAsItWas) =>
      lockFindings(document, standing.locks, { change, hasRole: (role) => roles.has(role) }).map((finding) =>
        finding.result === 'fail' && finding.path !== undefined && isAsItWas()
          ? inheritedOf(finding)
          : finding,
      ),
    settle: (found) => {
      const own = [...unverifiedFindings(standing.unverified), ...(approved?.findings ?? [])];
      // What does not verify may have revoked what would let something through.
      if (environment === undefined || standing.unverified.length > 0) return [...found, ...own];
      const { waivers, longestDays } = standing;
      const waived = applyWaivers([...found, ...own], waivers, { environment, time, longestDays });
      const broken = brokenGlass(standing.breakGlass, { environment, time });
      return broken === undefined ? waived : throughBrokenGlass(waived, broken);
    },
    endsAt: (findings) => endOf(standing, approved?.count, findings),
    ...(approved === undefined ? {} : { approvalRule: approved.count }),
  };
}

/** A waiver, a broken glass and an approval that was counted each have an end, and an allow has none that is later. */
function endOf(
  { waivers, breakGlass, approvals }: Standing,
  count: ApprovalCount | undefined,
  findings: readonly Finding[],
): number {
  const used = new Set(findings.map(({ waiver }) => waiver));
  for (const { digest } of count?.got ?? []) used.add(digest);
  const ends = [
    ...waivers.map(({ id, expires }) => ({ id, end: expires })),
    ...breakGlass.map(({ id, until }) => ({ id, end: until })),
    ...(approvals?.given ?? []).map(({ id, expires }) => ({ id, end: expires })),
  ];
  return Math.min(...ends.filter(({ id }) => used.has(id)).map(({ end }) => Date.parse(end)));
}

/** Approvals are of a whole set, which only a check knows: an admission is of one object. */
function approvedBy(
  { approvals: duty }: Standing,
  { environment, change, setDigest, time }: StandingFrame,
): { readonly count: ApprovalCount; readonly findings: readonly Finding[] } | undefined {
  if (duty === undefined || environment === undefined || change.phase !== 'check') return undefined;
  const frame: ApprovalFrame = { environment, setDigest, time, asked: change.asked ?? { authors: [] } };
  const count = countApprovals(duty, frame);
  return { count, findings: approvalFindings(count, duty, frame) };
}

const unverifiedFindings = (unverified: readonly string[]): readonly Finding[] =>
  unverified.map((message) => ({
    rule: 'statement.unverified',
    result: 'fail',
    message,
    severity: 'critical',
    controls: [],
    remedy: 'restore the file, or take it away where you know what it was',
    object: { apiVersion: '', kind: '', name: 'statements' },
  }));

/** Of several environments together: what any of them holds back, and nothing that lets anything through. */
export const strictestOf = (all: readonly (Standing | undefined)[]): Standing => ({
  waivers: [],
  longestDays: {},
  breakGlass: [],
  locks: all.flatMap((one) => one?.locks ?? []),
  unverified: [...new Set(all.flatMap((one) => one?.unverified ?? []))],
});
