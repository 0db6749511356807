// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AttestError } from '../../attest/index.ts';
import { type TokenUses, useOnce } from '../../attest/tokens/index.ts';
import { EngineError } from '../../engine/index.ts';
import type { JsonObject } from '../../engine/manifest/index.ts';
import { checkHeaders, type Held, readBody } from '../body.ts';
import { WebhookError } from '../error.ts';
import type { Limits } from '../limits.ts';
import { failureEvent, failureOf, type Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { isRequestError, refuse, sendJson } from '../reply.ts';
import { type Caller, type CallerRules, callerOf, refused } from './caller.ts';
import type { CheckFacts, CheckJudged } from './checking.ts';
import type { Checking } from './thread.ts';

/** What answers `POST /v1/check`; the edge puts it together. */
export interface CheckService extends Pick<Checking, 'check'> {
  /** Whom sets are checked for; undefined where the server has no environments to check for. */
  readonly rules: () => CallerRules | undefined;
  /** The person or login that a verified token names. */
  readonly whoAsks: (oidc: readonly JsonObject[]) => CheckFacts['requester'];
  /** Which tokens were used. */
  readonly uses: TokenUses;
  /** Signs, appends and keeps; resolves with the record, a Sigstore bundle, when all of it is durable. */
  readonly record: (statement: Uint8Array, kept: CheckJudged['kept']) => Promise<object>;
}

/** What the endpoint needs of its server. */
export interface CheckFrame {
  readonly service: CheckService | undefined;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Why nothing can be judged now; empty when all is well. */
  readonly notReady: () => readonly string[];
  readonly isDraining: () => boolean;
  readonly now: () => Date;
  readonly newId: () => string;
}

/** `POST /v1/check?environment=NAME` */
export interface CheckEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Resolves when nothing is being checked any more. */
  settled(): Promise<void>;
}

export function openCheckEndpoint(frame: CheckFrame): CheckEndpoint {
  const { metrics, log, limits } = frame;
  const held: Held = { bytes: 0 };
  const running = new Set<Promise<void>>();
  const bounds: Limits = { ...limits, ...limits.check };

  /** Headers, caller, body, token, judgement, record, answer: nothing of the body is read for who is nobody. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedMs = performance.now();
    const { service, environment } = asked(request);
    refuseBusy();
    const caller = await callerFor(service, request, environment);
    // A caller that went away meanwhile sends no last byte.
    if (request.destroyed) return;
    const body = await readBody(request, bounds, held);
    if (body === undefined) return;
    try {
      await useUp(caller, service);
      const { oidc } = caller;
      const requester = service.whoAsks(oidc);
      const facts: CheckFacts = {
        environment,
        time: frame.now(),
        id: frame.newId(),
        oidc,
        ...(requester === undefined ? {} : { requester }),
      };
      const leftMs = limits.check.timeoutMs - (performance.now() - arrivedMs);
      const { decision, titles, statement, kept } = await service.check(body, facts, leftMs);
      const record = await service.record(statement, kept);
      const answer = {
        apiVersion: 'countersign.dev/v1alpha1',
        kind: 'CheckAnswer',
        decision,
        titles,
        record,
      };
      metrics.check(decision.verdict);
      log({
        level: decision.basis === 'break-glass' ? 'warn' : 'info',
        event: 'check',
        environment,
        verdict: decision.verdict,
        decision: decision.id,
        findings: decision.findings.length,
        ...(decision.basis === undefined ? {} : { basis: decision.basis }),
        ...(caller.token === undefined ? {} : { caller: caller.token.subject, issuer: caller.token.name }),
        durationMs: Math.round((performance.now() - arrivedMs) * 1000) / 1000,
      });
      sendJson(response, 200, JSON.stringify(answer), frame.isDraining());
    } finally {
      held.bytes -= body.length;
    }
  }

  /** What is asked for, by the headers and the address alone. */
  function asked(request: IncomingMessage): { readonly service: CheckService; readonly environment: string } {
    if (request.method !== 'POST') throw new WebhookError('REQUEST_METHOD', 'a check is a POST');
    checkHeaders(request, bounds);
    const [environment, second] = new URL(request.url ?? '', 'https://server').searchParams.getAll(
      'environment',
    );
    if (environment === undefined || environment === '' || second !== undefined)
      throw new WebhookError('REQUEST_ENVIRONMENT', 'no environment is named, or two are', {
        hint: 'POST /v1/check?environment=NAME',
      });
    const { service } = frame;
    if (service !== undefined) return { service, environment };
    throw new WebhookError('REQUEST_ENVIRONMENT', 'this server checks no sets');
  }

  function refuseBusy(): void {
    const reasons = [...frame.notReady(), ...(frame.isDraining() ? ['draining'] : [])];
    const { maxInFlight } = limits.check;
    if (running.size >= maxInFlight) reasons.push(`${maxInFlight} checks are in flight`);
    if (reasons.length > 0)
      throw new WebhookError('SERVER_BUSY', `nothing is checked now: ${reasons.join(', ')}`, {
        hint: 'try again',
      });
  }

  async function callerFor(
    service: CheckService,
    { headers }: IncomingMessage,
    environment: string,
  ): Promise<Caller> {
    const rules = service.rules();
    if (rules === undefined)
      throw new WebhookError('REQUEST_ENVIRONMENT', 'this server has no Project with environments', {
        hint: 'serve --project FILE: it checks by its own Project alone',
      });
    return callerOf(headers.authorization, environment, rules, frame.now());
  }

  /** A token holds for one check. @throws {WebhookError} CALLER_REFUSED */
  async function useUp({ token }: Caller, { uses }: CheckService): Promise<void> {
    if (token === undefined) return;
    const verdict = await useOnce(token, uses, frame.now());
    if (!verdict.ok) throw refused(verdict.reason);
  }

  function onError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const failure = failureOf(error);
    metrics.failure(failure.code);
    if (isRequestError(error)) {
      log({ level: 'warn', event: 'refused', code: error.code, message: error.message });
      if (error.code === 'CALLER_REFUSED') response.setHeader('www-authenticate', 'Bearer');
      refuse(request, response, error);
      return;
    }
    log(failureEvent(error, { about: 'check' }));
    // Closed where the body was not read, so that its rest is taken for no request.
    sendJson(response, statusOf(error), JSON.stringify({ error: failure }), !request.complete);
  }

  return {
    handle(request, response) {
      const served = serve(request, response)
        .catch((error: unknown) => onError(request, response, error))
        .finally(() => running.delete(served));
      running.add(served);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** The status of what is no Decision. None of them is an answer. */
function statusOf(error: unknown): number {
  if (error instanceof EngineError) return /^(?:INPUT|RECORD)_/.test(error.code) ? 422 : 500;
  if (error instanceof AttestError) return 503;
  if (!(error instanceof WebhookError)) return 500;
  return error.code === 'DEADLINE' ? 504 : error.code === 'NOT_READY' ? 503 : 500;
}
