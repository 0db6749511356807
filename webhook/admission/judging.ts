// SPDX-License-Identifier: Apache-2.0
import { type EngineIdentity, statementFor } from '../../engine/conclude.ts';
import type { Change, Decision, Judge, Judgement } from '../../engine/index.ts';
import { answerDecision, renderReview } from './answer.ts';
import { parseReview, type Review } from './review.ts';

/** What a judgement is told besides the body of its admission. */
export interface JudgingFacts {
  readonly time: Date;
  /** UUIDv7 of the Decision. */
  readonly id: string;
  /** What was proved about the images; absent where nothing was looked for. */
  readonly claims?: NonNullable<Change['claims']>;
  /** SHA-256 (hex) of whom that was believed of. */
  readonly trustDigest?: string;
}

/** Everything that a review is known by; not what it asks to be judged. */
export type Reviewed = Omit<Review, 'change'>;

/** One admission, judged: plain values, which a thread can hand over. */
export interface Judged {
  readonly review: Reviewed;
  readonly verdict: Decision['verdict'];
  readonly allowed: boolean;
  /** The id of the Decision, and how many findings it has. */
  readonly decision: {
    readonly id: string;
    readonly findings: number;
    /** What an allow rests on, where rules alone would not allow. */
    readonly basis?: Decision['basis'];
  };
  /** The whole AdmissionReview as JSON text, without a record. */
  readonly answer: string;
  /** What is to be signed and kept before the answer is given; absent on a dry run, of which nothing may be kept. */
  readonly statement?: Uint8Array;
  /** What was evaluated, where the statement says that it is kept. */
  readonly kept?: KeptItem;
}

/** What is kept by its digest (SHA-256, hex); `time` is RFC 3339 in UTC. */
export interface KeptItem {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly environment?: string;
  readonly time: string;
}

/** The judge and who it is. */
export interface JudgingFrame {
  readonly judge: Judge;
  readonly engine: EngineIdentity;
}

/**
 * The straight line of one admission up to its signature: body in, answer and statement out. Synchronous: step limits bound it.
 * @throws {WebhookError} REQUEST_EMPTY | REQUEST_SYNTAX | REQUEST_DUPLICATE_KEY | REQUEST_SHAPE; {EngineError} what a judge and a
 * statement throw
 */
export function judgeBody(body: Buffer, { judge, engine }: JudgingFrame, facts: JudgingFacts): Judged {
  const { change, ...review } = parseReview(body);
  const { time, id, ...proved } = facts;
  const judgement = judge.review({ ...change, ...proved }, { time, id });
  const { decision } = judgement;
  const answer = answerDecision(decision);
  return {
    review,
    verdict: decision.verdict,
    allowed: answer.allowed,
    decision: {
      id: decision.id,
      findings: decision.findings.length,
      ...(decision.basis === undefined ? {} : { basis: decision.basis }),
    },
    answer: renderReview(review.uid, answer),
    ...(review.dryRun ? {} : concluded(judgement, engine)),
  };
}

function concluded(judgement: Judgement, engine: EngineIdentity): Pick<Judged, 'statement' | 'kept'> {
  const kept = judgement.kept?.();
  const statement = statementFor(judgement, engine, kept);
  if (kept === undefined) return { statement };
  const { environment, time } = judgement.decision;
  const about = environment === undefined ? { time } : { time, environment };
  return { statement, kept: { digest: kept.digest, bytes: kept.bytes, ...about } };
}
