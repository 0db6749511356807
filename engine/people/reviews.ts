// SPDX-License-Identifier: Apache-2.0
import type { Environment } from '../context/project.ts';
import { revocationsOf, type Signed } from './signed.ts';

/** What a broken glass leaves behind until somebody else has looked at it. */
export interface Review {
  /** Of the break-glass' statement. */
  readonly id: string;
  readonly incident: string;
  readonly by: string;
  readonly until: string;
  /** RFC 3339, UTC; from then on it is overdue. */
  readonly due: string;
  readonly state: 'open' | 'overdue' | 'reviewed';
  readonly reviewer?: string;
}

const HOUR_MS = 60 * 60 * 1000;
const DEFAULT_WITHIN_HOURS = 72;

/**
 * The review that each break-glass of an environment opens, whether it was used or not, and whether it was revoked or not. Somebody who
 * did not break it for that incident signs it, in the role `review`, and does not take that back; nothing else ends it.
 */
export function reviewsOf(
  signed: readonly Signed[],
  { breakGlass }: Environment,
  now: Date,
): readonly Review[] {
  const glasses = signed.flatMap((one) => (one.kind === 'break-glass' ? [one] : []));
  const isRevoked = revocationsOf(signed);
  const reviews = signed.flatMap((one) =>
    one.kind === 'approval' && one.statement.predicate.role === 'review' && !isRevoked(one) ? [one] : [],
  );
  return glasses.map(({ id, person, statement: { predicate } }): Review => {
    const { incident, until } = predicate;
    const breakers = glasses
      .filter((one) => one.statement.predicate.incident === incident)
      .map((one) => one.person);
    const review = reviews.find(
      (one) => one.statement.subject[0]?.digest.sha256 === id && !breakers.includes(one.person),
    );
    const within = breakGlass?.reviewWithinHours ?? DEFAULT_WITHIN_HOURS;
    const due = new Date(Date.parse(until) + within * HOUR_MS).toISOString();
    const about = { id, incident, by: person, until, due };
    if (review !== undefined) return { ...about, state: 'reviewed', reviewer: review.person };
    return { ...about, state: now.getTime() >= Date.parse(due) ? 'overdue' : 'open' };
  });
}
