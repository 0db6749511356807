// SPDX-License-Identifier: Apache-2.0
import type { Decision } from '../../engine/index.ts';
import { WebhookError } from '../error.ts';
import { type Failure, failureOf } from '../log.ts';
import { isRequestError } from '../reply.ts';
import { answerFailure, renderReview, withRecord } from './answer.ts';
import type { Judged, JudgingFacts, Reviewed } from './judging.ts';
import { parseReview } from './review.ts';

/** What was proved about the images of an admission, and of whom it was believed. */
export type ProvedFacts = Pick<JudgingFacts, 'claims' | 'trustDigest'>;

/** What answers an admission: what judges it, and what signs and keeps its statement. */
export interface Admission {
  /** Judges a body (see `judgeBody`) when its turn comes, unless it is no longer wanted then. */
  readonly judge: (body: Buffer, facts: JudgingFacts, isWanted: () => boolean) => Promise<Judged>;
  /** What is proved about the images of a body, before it is judged; absent where no environment asks. */
  readonly claims?: (body: Buffer) => Promise<ProvedFacts | undefined>;
  /** Signs and appends, and keeps what was evaluated; resolves when all of it is durable. */
  readonly record: (statement: Uint8Array, kept: Judged['kept']) => Promise<{ readonly recordId: string }>;
  /** The time of a Decision. */
  readonly now: () => Date;
  /** The id of a Decision, a UUIDv7. */
  readonly newId: () => string;
}

/** An answer and how it came about. */
export interface Outcome {
  readonly review: Reviewed;
  /** The whole AdmissionReview as JSON text. */
  readonly answer: string;
  readonly allowed: boolean;
  readonly verdict: Decision['verdict'];
  readonly decision?: Judged['decision'];
  readonly recordId?: string;
  readonly failure?: Failure;
  /** What was thrown, for the log. */
  readonly error?: unknown;
}

/**
 * The straight line of one admission: judge, sign and append, then answer. An allow is answered only when its record is
 * durable; a dry run is judged the same and leaves none. Without an answer the answer is no.
 * Rejects with {WebhookError} REQUEST_* where the body is no admission, which cannot be answered
 * @param late whether the caller's time is up; a judgement that comes too late is not concluded, for nobody will act on it
 */
export async function answerBody(body: Buffer, admission: Admission, late: () => boolean): Promise<Outcome> {
  let judged: Judged | undefined;
  try {
    if (late()) throw tooLate();
    const proved = await admission.claims?.(body);
    const facts = { time: admission.now(), id: admission.newId(), ...proved };
    judged = await admission.judge(body, facts, () => !late());
    if (late()) throw tooLate();
    const { statement, kept, ...answered } = judged;
    if (statement === undefined) return answered;
    const { recordId } = await admission.record(statement, kept);
    return { ...answered, answer: withRecord(answered.answer, recordId), recordId };
  } catch (error) {
    if (isRequestError(error)) throw error;
    return failed(error, judged?.review ?? parseReview(body));
  }
}

/** The outcome when there is no Decision to answer with. */
export function failed(error: unknown, review: Reviewed): Outcome {
  const failure = failureOf(error);
  const answer = renderReview(review.uid, answerFailure(failure.code, failure.message, failure.hint));
  return { review, answer, allowed: false, verdict: 'error', failure, error };
}

export function tooLate(): WebhookError {
  return new WebhookError('DEADLINE', 'no decision before the caller gives up', {
    hint: 'try again; if it lasts, the webhook needs more replicas or its timeoutSeconds is too low',
  });
}
