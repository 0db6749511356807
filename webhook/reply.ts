// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { REQUEST_STATUS, type RequestErrorCode, WebhookError } from './error.ts';

/** Sends JSON text. With `close` the connection ends with this answer. */
export function sendJson(response: ServerResponse, status: number, json: string, close = false): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...headersOf(json), ...(close ? { connection: 'close' } : {}) });
  response.end(json);
}

const headersOf = (json: string): Record<string, string | number> => ({
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(json),
});

/** Whether a request with this error gets an HTTP status of its own, there being no AdmissionReview to answer. */
export function isRequestError(error: unknown): error is WebhookError<RequestErrorCode> {
  return error instanceof WebhookError && Object.hasOwn(REQUEST_STATUS, error.code);
}

/**
 * Refuses a request with its status and a JSON error. What the client still sends is read and thrown away, within the
 * request timeout, and only then the answer ends: where the client asked for `Connection: close` the end of the answer is the
 * end of the connection, which would be reset before the client has read why.
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: WebhookError<RequestErrorCode>,
): void {
  const { code, message, hint } = error;
  if (code === 'REQUEST_METHOD') response.setHeader('allow', 'POST');
  if (code === 'SERVER_MEMORY') response.setHeader('retry-after', '1');
  const json = JSON.stringify({ error: { code, message, ...(hint ? { hint } : {}) } });
  if (request.complete || response.shouldKeepAlive) {
    sendJson(response, REQUEST_STATUS[code], json);
    request.resume();
    return;
  }
  response.writeHead(REQUEST_STATUS[code], headersOf(json));
  response.write(json);
  request
    .once('close', () => response.end())
    .once('end', () => response.end())
    .resume();
}
