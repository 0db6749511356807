// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../../attest/error.ts';
import { parseStrict } from '../../attest/json.ts';
import { type HttpAnswer, send } from '../../attest/oci/http.ts';
import { EngineError } from '../../engine/index.ts';
import type { Args } from '../args.ts';
import { UsageError } from '../exit.ts';
import { readSource } from '../files.ts';

/** Which server is asked. */
export interface Server {
  readonly url: URL;
  /** Certificates (PEM) that alone prove it; without, those of Node. */
  readonly ca?: string;
}

/** What goes with the question. */
interface Question extends Server {
  readonly environment: string;
  /** Of the job: sent to this server alone, once its certificate is proved. */
  readonly token?: string;
  /** Two minutes where it is not stated. */
  readonly timeoutMs?: number;
}

const MIB = 1024 * 1024;
/** As much as a server takes, and more than it has findings for. */
const MAX_BYTES = 32 * MIB;
/** A server gives up after a minute; sending takes time as well. */
const TIMEOUT_MS = 120_000;

/** @throws {UsageError} for what is no https URL @throws {EngineError} INPUT_UNREADABLE */
export function serverOf(args: Args): Server {
  const text = args.text('server') ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || /[?#]/.test(text))
    throw new UsageError(
      '--server is no https URL without user, query and fragment',
      'such as https://countersign.example:8443',
    );
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/check`;
  const file = args.text('server-ca');
  if (file === undefined) return { url };
  const ca = Buffer.from(readSource(file).bytes).toString('latin1');
  if (ca.includes('-----BEGIN CERTIFICATE-----')) return { url, ca };
  throw new UsageError(
    `--server-ca ${JSON.stringify(file)} holds no certificate`,
    'PEM, such as ca.pem of the server',
  );
}

/**
 * Sends one request and returns the body of its answer, which proves nothing yet. https, no redirect, two minutes, 32 MiB each way.
 * @throws {EngineError} INPUT_TOO_LARGE @throws {AttestError} SERVER_UNAVAILABLE | SERVER_REFUSED | SERVER_ANSWER
 */
export async function askServer(request: object, question: Question): Promise<Uint8Array> {
  const { environment, token } = question;
  const body = Buffer.from(JSON.stringify(request));
  if (body.length > MAX_BYTES)
    throw new EngineError(
      'INPUT_TOO_LARGE',
      `the set is ${body.length} bytes as it is sent, more than ${MAX_BYTES}`,
      { hint: 'a server takes about 24 MiB of manifests at once' },
    );
  const url = new URL(question.url);
  url.searchParams.set('environment', environment);
  const answer = await sent({ timeoutMs: TIMEOUT_MS, ...question, url }, body, {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });
  if (answer.status === 200) return answer.body;
  throw refusalOf(answer, url.host);
}

async function sent(
  { url, ca, timeoutMs }: Server & { readonly timeoutMs: number },
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<HttpAnswer> {
  // Whoever wrote the command line named this host, so it may have a private address.
  const rules = {
    plainHttp: false,
    privateHosts: [url.hostname.replace(/^\[|\]$/g, '').toLowerCase()],
    ...(ca === undefined ? {} : { certificates: new Map([[url.host, ca]]) }),
  };
  try {
    const bounds = { maxBytes: MAX_BYTES, timeoutMs };
    return await send({ method: 'POST', url, headers, body, ...bounds }, rules);
  } catch (cause) {
    if (!(cause instanceof AttestError)) throw cause;
    const isAnswer = cause.code === 'REGISTRY_CONTENT';
    throw new AttestError(
      isAnswer ? 'SERVER_ANSWER' : 'SERVER_UNAVAILABLE',
      `the server gives no decision: ${cause.message}`,
      { cause, hint: 'check the URL and the network; --server-ca FILE names the CA of a server of your own' },
    );
  }
}

/** What a server says of why it does not answer is its word, and quoted. */
function refusalOf({ status, body }: HttpAnswer, host: string): AttestError {
  const error: unknown = Reflect.get(Object(parseStrict(body)?.value), 'error');
  const [code, message, hint] = ['code', 'message', 'hint'].map((name): string | undefined => {
    const text: unknown = Reflect.get(Object(error), name);
    return typeof text === 'string' ? text.slice(0, 1_000) : undefined;
  });
  const told = message === undefined ? '' : `: ${JSON.stringify(message)}`;
  const named = code !== undefined && /^[A-Z_]{1,40}$/.test(code) ? ` ${code}` : '';
  const what = status >= 300 && status < 400 ? ', a redirect, which is not followed' : `${named}${told}`;
  return new AttestError(
    status >= 500 ? 'SERVER_UNAVAILABLE' : 'SERVER_REFUSED',
    `the server ${JSON.stringify(host)} gives no decision: ${status}${what}`,
    hint === undefined ? {} : { hint: `the server says: ${hint}` },
  );
}
