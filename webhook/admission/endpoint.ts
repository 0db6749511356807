// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkHeaders, type Held, readBody } from '../body.ts';
import { WebhookError } from '../error.ts';
import type { Limits } from '../limits.ts';
import { failureEvent, type Log, type LogEvent } from '../log.ts';
import { kindClass, type Metrics } from '../metrics.ts';
import { isRequestError, refuse, sendJson } from '../reply.ts';
import { type Admission, answerBody, failed, type Outcome, tooLate } from './handler.ts';
import { parseReview } from './review.ts';

/** What the endpoint needs of its server. */
export interface EndpointFrame {
  readonly admission: Admission;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Why nothing can be judged now; empty when all is well. */
  readonly notReady: () => readonly string[];
  readonly isDraining: () => boolean;
}

/** `POST /v1/admit` on the bare server: express would cost more than all of this. */
export interface Endpoint {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Resolves when no judgement is being concluded any more, those included whose caller was answered before. */
  settled(): Promise<void>;
}

export function openEndpoint(frame: EndpointFrame): Endpoint {
  const { limits, metrics, log } = frame;
  const held: Held = { bytes: 0 };
  const running = new Set<Promise<unknown>>();
  const notReady = onceATurn(frame.notReady);
  let inFlight = 0;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedMs = performance.now();
    checkHeaders(request, limits);
    const body = await readBody(request, limits, held);
    if (body === undefined) return;
    const release = countIn(body);
    const leftMs = deadlineMs(request.url ?? '', limits) - (performance.now() - arrivedMs);
    const outcome = await outcomeOf(body, leftMs, release);
    sendJson(response, 200, outcome.answer, frame.isDraining());
    report(outcome, performance.now() - arrivedMs);
  }

  /** Counts a body as held and its admission as in flight, until it is released. */
  function countIn(body: Buffer): () => void {
    metrics.inFlight(inFlight + 1);
    inFlight += 1;
    return () => {
      held.bytes -= body.length;
      metrics.inFlight(--inFlight);
    };
  }

  /**
   * The outcome of a body, at the latest when its time is up. It is released when it is judged and recorded, or not to be: while a
   * thread may still be at it, it counts, whatever its caller was told. Rejects with {WebhookError} REQUEST_*
   */
  async function outcomeOf(body: Buffer, leftMs: number, release: () => void): Promise<Outcome> {
    const refusal = refusalOf();
    if (refusal !== undefined) {
      release();
      return failed(refusal, parseReview(body));
    }
    return new Promise((resolve, reject) => {
      let late = leftMs <= 0;
      const endMs = performance.now() + leftMs;
      const timer = setTimeout(
        () => {
          late = true;
          attempt(() => resolve(failed(tooLate(), parseReview(body))), reject);
        },
        Math.max(leftMs, 0),
      );
      const outcome = answerBody(body, frame.admission, () => late || performance.now() >= endMs)
        .then((value) => {
          if (late) log(lateEvent(value));
          resolve(value);
        }, reject)
        .finally(() => {
          clearTimeout(timer);
          running.delete(outcome);
          release();
        });
      running.add(outcome);
    });
  }

  /** Why nothing is judged now. A fault in finding out is a reason as well. */
  function refusalOf(): unknown {
    try {
      const reasons = notReady();
      if (reasons.length > 0) return new WebhookError('NOT_READY', `not ready: ${reasons.join(', ')}`);
      return inFlight > limits.maxInFlight ? overloaded(inFlight) : undefined;
    } catch (error) {
      return error;
    }
  }

  function report(outcome: Outcome, durationMs: number): void {
    const { review } = outcome;
    metrics.admission({
      verdict: outcome.verdict,
      operation: review.operation,
      kind: kindClass(review),
      durationMs,
    });
    if (outcome.failure !== undefined) {
      metrics.failure(outcome.failure.code);
      log(failureEvent(outcome.error, { uid: review.uid }));
    }
    log(admissionEvent(outcome, durationMs));
  }

  /** Nothing was judged, so there is nothing to answer with but a status of HTTP. */
  function onError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (isRequestError(error)) {
      metrics.failure(error.code);
      log({ level: 'warn', event: 'refused', code: error.code, message: error.message });
      refuse(request, response, error);
    } else {
      metrics.failure('INTERNAL');
      log(failureEvent(error, {}));
      sendJson(
        response,
        500,
        JSON.stringify({ error: { code: 'INTERNAL', message: 'internal error' } }),
        true,
      );
    }
  }

  return {
    handle(request, response) {
      serve(request, response).catch((error: unknown) => onError(request, response, error));
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** What is found out is good for one turn of the event loop, in which many requests may come in. */
function onceATurn<T>(find: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => {
    if (found === undefined) {
      found = { value: find() };
      setImmediate(() => {
        found = undefined;
      });
    }
    return found.value;
  };
}

function attempt(work: () => void, otherwise: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    otherwise(error);
  }
}

/**
 * How long the caller waits, less the margin in which we tell it the reason. An API server says so in the query
 * (`?timeout=10s`, whole seconds, 1 to 30); anything else counts as the default.
 */
export function deadlineMs(url: string, limits: Limits): number {
  const seconds = /[?&]timeout=(\d{1,2})s(?:&|$)/.exec(url)?.[1];
  const waitsMs =
    seconds === undefined ? limits.answerTimeoutMs : Math.min(Math.max(Number(seconds), 1), 30) * 1000;
  return waitsMs - limits.answerMarginMs;
}

/** What became of a judgement whose caller was told DEADLINE: its record may say allow where the answer was no. */
function lateEvent(outcome: Outcome): LogEvent {
  const about = {
    uid: outcome.review.uid,
    ...(outcome.recordId === undefined ? {} : { record: outcome.recordId }),
  };
  return outcome.failure === undefined
    ? { level: 'warn', event: 'late', verdict: outcome.verdict, ...about }
    : failureEvent(outcome.error, about);
}

function overloaded(count: number): WebhookError {
  return new WebhookError('OVERLOADED', `${count} admissions are in flight`, {
    hint: 'try again; if it lasts, the webhook needs more replicas',
  });
}

function admissionEvent(outcome: Outcome, durationMs: number): LogEvent {
  const { uid, operation, group, kind, subResource, namespace, name, dryRun } = outcome.review;
  const { allowed, verdict, decision, recordId, failure } = outcome;
  return {
    // A broken glass is announced, each time.
    level: failure !== undefined ? 'error' : decision?.basis === 'break-glass' ? 'warn' : 'info',
    event: 'admission',
    uid,
    verdict,
    allowed,
    operation,
    group,
    kind,
    ...(subResource === undefined ? {} : { subResource }),
    ...(namespace === undefined ? {} : { namespace }),
    name,
    dryRun,
    ...(decision === undefined ? {} : { decision: decision.id, findings: decision.findings }),
    ...(decision?.basis === undefined ? {} : { basis: decision.basis }),
    ...(recordId === undefined ? {} : { record: recordId }),
    ...(failure === undefined ? {} : { code: failure.code }),
    durationMs: Math.round(durationMs * 1000) / 1000,
  };
}
