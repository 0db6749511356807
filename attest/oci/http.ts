// SPDX-License-Identifier: Apache-2.0
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { AttestError } from '../error.ts';
import { checkAddress, guardedLookup, type NetworkRules } from './address.ts';

/** One request to a registry, without redirects. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Of the answer's body; a longer one is an error. */
  readonly maxBytes: number;
  /** From beginning to end. */
  readonly timeoutMs: number;
}

/** A whole answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Sends one request and reads the answer whole. https with Node's own roots (`NODE_EXTRA_CA_CERTS`, `--use-system-ca` add others); http
 * only to this machine and only where the rules say so.
 * @throws {AttestError} REGISTRY_ADDRESS | REGISTRY_UNAVAILABLE | REGISTRY_CONTENT (too large, compressed unasked)
 */
export function send(request: HttpRequest, rules: NetworkRules): Promise<HttpAnswer> {
  const { url } = request;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && rules.plainHttp))
    throw new AttestError('REGISTRY_ADDRESS', `${JSON.stringify(url.origin)} is not https`, {
      hint: '--plain-http is for a registry on this machine',
    });
  // Of an address in figures no lookup is made.
  if (isIP(host) !== 0) checkAddress(host, host, rules);
  return new Promise((fulfil, reject) => {
    const options = {
      method: request.method,
      headers: {
        'user-agent': 'countersign',
        'accept-encoding': 'identity',
        ...lengthOf(request),
        ...request.headers,
      },
      lookup: guardedLookup(host, rules),
      agent: false,
      // NODE_TLS_REJECT_UNAUTHORIZED, which job images set, would believe whoever is on the way.
      rejectUnauthorized: true,
      ...proofOf(url.host, rules),
      ...(rules.signal === undefined ? {} : { signal: rules.signal }),
    } as const;
    const onAnswer = (response: IncomingMessage): void => {
      collect(response, request).then(fulfil, fail);
    };
    const sent =
      url.protocol === 'https:' ? requestHttps(url, options, onAnswer) : requestHttp(url, options, onAnswer);
    const timer = setTimeout(
      () => sent.destroy(new Error(`no answer within ${request.timeoutMs} ms`)),
      request.timeoutMs,
    );
    const fail = (cause: unknown): void => {
      sent.destroy();
      reject(failureOf(cause, url));
    };
    sent.on('error', fail);
    sent.on('close', () => clearTimeout(timer));
    sent.end(request.body);
  });
}

/** A host that has certificates of its own is proved by nothing else. */
function proofOf(host: string, { certificates }: NetworkRules): { readonly ca?: string } {
  const ca = certificates?.get(host);
  return ca === undefined ? {} : { ca };
}

const lengthOf = ({ method, body }: HttpRequest): Record<string, string> =>
  method === 'POST' || method === 'PUT' ? { 'content-length': String(body?.length ?? 0) } : {};

async function collect(
  response: IncomingMessage,
  { method, maxBytes, url }: HttpRequest,
): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const encoding = response.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new AttestError('REGISTRY_CONTENT', `${JSON.stringify(url.host)} compressed its answer, unasked`);
  const stated = Number(response.headers['content-length'] ?? 0);
  if (method !== 'HEAD' && stated > maxBytes) throw tooLarge(url, maxBytes);
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) throw tooLarge(url, maxBytes);
    chunks.push(bytes);
  }
  if (!response.complete) throw new Error('the answer was cut');
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

const tooLarge = (url: URL, maxBytes: number): AttestError =>
  new AttestError('REGISTRY_CONTENT', `${JSON.stringify(url.host)} answers with more than ${maxBytes} bytes`);

function failureOf(cause: unknown, url: URL): AttestError {
  if (cause instanceof AttestError) return cause;
  const code: unknown = Reflect.get(Object(cause), 'code');
  if (code === 'ABORT_ERR')
    return new AttestError(
      'REGISTRY_UNAVAILABLE',
      `${JSON.stringify(url.host)} took too long: the time for all of it is up`,
      { cause },
    );
  const message = cause instanceof Error ? cause.message : 'unknown';
  return new AttestError(
    'REGISTRY_UNAVAILABLE',
    `${JSON.stringify(url.host)} cannot be reached: ${typeof code === 'string' ? code : message}`,
    { cause, hint: 'check the name and the network; a private CA is named with NODE_EXTRA_CA_CERTS' },
  );
}
