// SPDX-License-Identifier: Apache-2.0
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestListener } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { failureEvent, type Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** What the pages beside admission show. */
export interface RoutesFrame {
  readonly metrics: Metrics;
  readonly log: Log;
  /** Why the server is not ready; empty when it is. */
  readonly notReady: () => readonly string[];
  /** With it, `/metrics` wants it as a bearer token; without it, `/metrics` answers callers on this machine only. */
  readonly metricsToken?: string;
}

/** Everything but admission: `/healthz`, `/readyz`, `/metrics`, and a JSON 404 for the rest. */
export function createRoutes(frame: RoutesFrame): RequestListener {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.get('/healthz', (_, response) => void response.json({ status: 'ok' }));
  app.get('/readyz', (_, response) => {
    const reasons = frame.notReady();
    if (reasons.length === 0) response.json({ status: 'ready' });
    else response.status(503).json({ status: 'not ready', reasons });
  });
  app.get('/metrics', async (request, response) => {
    if (!mayReadMetrics(request, frame.metricsToken)) {
      const message = 'metrics are for callers on this machine, or with the bearer token that was configured';
      response.status(403).json({ error: { code: 'REQUEST_FORBIDDEN', message } });
      return;
    }
    frame.metrics.ready(frame.notReady().length === 0);
    response.type(frame.metrics.contentType).send(await frame.metrics.text());
  });
  app.use((request, response) => {
    const message = `nothing answers ${JSON.stringify(request.method)} here`;
    response.status(404).json({ error: { code: 'REQUEST_PATH', message } });
  });
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    frame.log(failureEvent(error, {}));
    response.status(500).json({ error: { code: 'INTERNAL', message: 'internal error' } });
  });
  return app;
}

function mayReadMetrics(request: Request, token: string | undefined): boolean {
  if (token === undefined) return isLoopback(request.socket.remoteAddress ?? '');
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  // Digests have one length, so that neither length nor content shows in the time.
  return timingSafeEqual(
    createHash('sha256').update(given).digest(),
    createHash('sha256').update(token).digest(),
  );
}

// The address of the connection, never a header that a caller can write.
function isLoopback(address: string): boolean {
  const bare = address.replace(/^::ffff:/, '');
  return bare === '::1' || bare.startsWith('127.');
}
