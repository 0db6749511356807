// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../../error.ts';
import { parseStrict } from '../../json.ts';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/** It cannot be asked now. */
export const unavailable = (service: string, why: string): AttestError =>
  new AttestError('SIGSTORE_UNAVAILABLE', `${service} cannot be asked: ${why}`, {
    hint: 'check its address and the network; a private CA is named with NODE_EXTRA_CA_CERTS',
  });

/** It says no. */
export const refused = (service: string, why: string): AttestError =>
  new AttestError('SIGSTORE_REFUSED', `${service} refuses: ${why}`, {
    hint: 'check that it trusts the issuer of this token, and that the token is for it (audience sigstore)',
  });

/**
 * The address of a service: https, or http on this machine.
 * @throws {AttestError} SIGSTORE_UNAVAILABLE
 */
export function serviceUrl(service: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHere = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const isRight = url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere);
  if (url === undefined || !isRight || url.search + url.hash + url.username + url.password !== '')
    throw unavailable(service, `${JSON.stringify(text)} is no https URL`);
  return url.href.replace(/\/+$/, '');
}

/** What is sent. With a body it is posted as JSON. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/**
 * Asks a service and reads its JSON answer. A redirect is an error: what is sent holds a token, which is for this service alone.
 * @throws {AttestError} SIGSTORE_REFUSED | SIGSTORE_UNAVAILABLE
 */
export async function postOrGet(service: string, url: URL, { headers, body }: Sent): Promise<unknown> {
  let bytes: Buffer;
  try {
    const response = await fetch(serviceUrl(service, url.origin) + url.pathname + url.search, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      const { status } = response;
      const isNo = status >= 400 && status < 500 && status !== 429;
      throw isNo ? refused(service, `HTTP ${status}`) : unavailable(service, `HTTP ${status}`);
    }
    bytes = await collect(service, response.body ?? []);
  } catch (cause) {
    throw cause instanceof AttestError ? cause : unavailable(service, reasonOf(cause));
  }
  const parsed = parseStrict(bytes);
  if (parsed === undefined) throw unavailable(service, 'its answer is no JSON');
  return parsed.value;
}

async function collect(service: string, body: AsyncIterable<unknown> | readonly unknown[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.alloc(0);
    size += bytes.length;
    if (size > MAX_BYTES) throw unavailable(service, `it answers with more than ${MAX_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** The code of the system, or the name of the error; messages may hold what was sent. */
function reasonOf(cause: unknown): string {
  const code: unknown = Reflect.get(Object(Reflect.get(Object(cause), 'cause')), 'code');
  const name: unknown = Reflect.get(Object(cause), 'name');
  if (typeof code === 'string') return code;
  return name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS} ms` : 'it does not answer as it should';
}
