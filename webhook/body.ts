// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { WebhookError } from './error.ts';
import type { Limits } from './limits.ts';

/** The bytes of bodies that all requests together hold. */
export interface Held {
  bytes: number;
}

/**
 * Checks by its headers that a request may be an admission, before a byte of it is read.
 * @throws {WebhookError} REQUEST_METHOD | REQUEST_CONTENT_TYPE | REQUEST_ENCODING | REQUEST_TOO_LARGE
 */
export function checkHeaders(request: IncomingMessage, limits: Limits): void {
  const { headers, method } = request;
  if (method !== 'POST') throw new WebhookError('REQUEST_METHOD', 'an admission is a POST');
  const type = headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new WebhookError(
      'REQUEST_CONTENT_TYPE',
      `the content type is not application/json: ${JSON.stringify(type)}`,
    );
  // A compressed body could unfold to any size; API servers send none.
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new WebhookError(
      'REQUEST_ENCODING',
      `the content encoding ${JSON.stringify(encoding)} is not read`,
    );
  if (Number(headers['content-length'] ?? 0) > limits.maxBodyBytes) throw tooLarge(limits);
}

/**
 * Reads a body whole. Undefined when the client went away before its last byte. The bytes stay counted in `held` until
 * the caller takes them off.
 * @throws {WebhookError} REQUEST_TOO_LARGE (by counting: a chunked body names no length) | SERVER_MEMORY
 */
export function readBody(request: IncomingMessage, limits: Limits, held: Held): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const leave = (settle: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      settle();
    };
    const drop = (settle: () => void): void => {
      held.bytes -= size;
      leave(settle);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      held.bytes += chunk.length;
      chunks.push(chunk);
      if (size > limits.maxBodyBytes) drop(() => reject(tooLarge(limits)));
      else if (held.bytes > limits.maxHeldBytes) drop(() => reject(noMemory()));
    };
    const onEnd = (): void => {
      const [first] = chunks;
      leave(() => resolve(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, size)));
    };
    const onClose = (): void => drop(() => resolve(undefined));
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

function tooLarge(limits: Limits): WebhookError {
  return new WebhookError('REQUEST_TOO_LARGE', `the body is larger than ${limits.maxBodyBytes} bytes`);
}

function noMemory(): WebhookError {
  return new WebhookError('SERVER_MEMORY', 'too many bytes of requests are held', { hint: 'try again' });
}
