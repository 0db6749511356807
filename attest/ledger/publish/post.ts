// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../../error.ts';

const TIMEOUT_MS = 10_000;
/** No answer of a witness or of another reader of checkpoints is near this. */
const MAX_ANSWER_BYTES = 64 * 1024;
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)$/;

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/**
 * Posts a checkpoint. Follows no redirect: what was configured is who is told.
 * Rejects with {AttestError} CHECKPOINT_UNPUBLISHED  no answer in 10 s, or one of more than 64 KiB
 */
export async function post(url: URL, body: string): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await readCapped(response, url);
    return { status: response.status, type: response.headers.get('content-type') ?? '', text };
  } catch (cause) {
    if (cause instanceof AttestError) throw cause;
    throw unpublished(url, 'it does not answer', cause);
  }
}

async function readCapped(response: Response, url: URL): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES)
      throw unpublished(url, `its answer has more than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The checkpoint is not where it should be; the ledger itself is none the worse. */
export function unpublished(url: URL, why: string, cause?: unknown): AttestError {
  return new AttestError('CHECKPOINT_UNPUBLISHED', `${url.origin} has not taken the checkpoint: ${why}`, {
    cause,
  });
}

/** An address to publish to: https, or http on this machine; undefined for anything else. */
export function readAddress(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '') return undefined;
  const isFit = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
  return isFit ? url : undefined;
}
