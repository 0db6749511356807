// SPDX-License-Identifier: Apache-2.0
import type { Decision, Judge, Judgement } from '../../engine/index.ts';
import { WebhookError } from '../error.ts';
import { type Failure, failureOf } from '../log.ts';
import { type Answer, answerDecision, answerFailure } from './answer.ts';
import type { Review } from './review.ts';

/** What answers an admission: the engine's judge, and what signs and keeps its judgements. */
export interface Admission {
  readonly judge: Judge;
  /** Signs and appends; resolves when the record is durable. */
  readonly conclude: (judgement: Judgement) => Promise<{ readonly recordId: string }>;
  /** The time of a Decision. */
  readonly now: () => Date;
  /** The id of a Decision, a UUIDv7. */
  readonly newId: () => string;
}

/** An answer and how it came about. */
export interface Outcome {
  readonly answer: Answer;
  readonly verdict: Decision['verdict'];
  readonly decision?: Decision;
  readonly recordId?: string;
  readonly failure?: Failure;
  /** What was thrown, for the log. */
  readonly error?: unknown;
}

/**
 * The straight line of one admission: judge, sign and append, then answer. An allow is answered only when its record is
 * durable; a dry run is judged the same and leaves none. Never throws: without an answer the answer is no.
 * @param late whether the caller's time is up; a judgement that comes too late is not concluded, for nobody will act on it
 */
export async function answerReview(
  review: Review,
  admission: Admission,
  late: () => boolean,
): Promise<Outcome> {
  try {
    if (late()) throw tooLate();
    const facts = { time: admission.now(), id: admission.newId() };
    const judgement = admission.judge.review(review.change, facts);
    if (late()) throw tooLate();
    const { decision } = judgement;
    if (review.dryRun) return { answer: answerDecision(decision), verdict: decision.verdict, decision };
    const { recordId } = await admission.conclude(judgement);
    return { answer: answerDecision(decision, recordId), verdict: decision.verdict, decision, recordId };
  } catch (error) {
    return failed(error);
  }
}

/** The outcome when there is no Decision to answer with. */
export function failed(error: unknown): Outcome {
  const failure = failureOf(error);
  const answer = answerFailure(failure.code, failure.message, failure.hint);
  return { answer, verdict: 'error', failure, error };
}

export function tooLate(): WebhookError {
  return new WebhookError('DEADLINE', 'no decision before the caller gives up', {
    hint: 'try again; if it lasts, the webhook needs more replicas or its timeoutSeconds is too low',
  });
}
