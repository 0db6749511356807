// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import { type HttpAnswer, send } from '../oci/http.ts';
import { malformed } from './reading.ts';

/** Where a forge is, and what it is asked with. */
export interface ForgeAccess {
  /** The root of its API; http is for this machine alone. */
  readonly api: string;
  readonly kind: 'gitlab' | 'github';
  /** In no message, and sent to no other host. */
  readonly token?: string;
  readonly wait: (ms: number) => Promise<void>;
  readonly now: () => Date;
}

/** Asks one forge. Each rejects with {AttestError} FORGE_UNAVAILABLE | FORGE_REFUSED */
export interface ForgeClient {
  /** The JSON at a path below the API's root. */
  one(path: string): Promise<unknown>;
  /** All pages of a list. */
  all(path: string): Promise<readonly unknown[]>;
}

const MAX_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 15_000;
const PAGE = 100;
const MAX_PAGES = 20;
const MAX_TRIES = 4;
/** For which a forge that asks us to come later is waited, in all. */
const MAX_WAIT_MS = 60_000;

/** Opens a client; nothing is sent yet. Redirects are never followed, and no address that an answer names is asked. */
export function openForge(access: ForgeAccess): ForgeClient {
  const base = `${access.api.replace(/\/$/, '')}/`;
  const ask = (path: string): Promise<HttpAnswer> => askPatiently(new URL(path, base), access);
  return {
    one: async (path) => jsonOf(await ask(path)),
    all: async (path) => {
      const found: unknown[] = [];
      for (let page = 1; page <= MAX_PAGES; page++) {
        const answer = await ask(`${path}?per_page=${PAGE}&page=${page}`);
        const items = jsonOf(answer);
        if (!Array.isArray(items)) throw malformed('a list is none');
        found.push(...items);
        if (!hasNext(answer, items.length)) return found;
      }
      // A list that was cut could lack who took their approval back.
      throw new AttestError('FORGE_UNAVAILABLE', `the forge lists more than ${MAX_PAGES * PAGE} of them`);
    },
  };
}

/** Whether there is a next page; where it is said to be is not looked at. @see https://www.rfc-editor.org/rfc/rfc8288 */
function hasNext({ headers }: HttpAnswer, count: number): boolean {
  const link = headers['link'];
  return typeof link === 'string' ? /;\s*rel="?next"?/i.test(link) : count >= PAGE;
}

function jsonOf({ body }: HttpAnswer): unknown {
  const value = parseStrict(body)?.value;
  if (value === undefined) throw malformed('it is no JSON');
  return value;
}

/** Asks again what may be had a little later; each try is a request of its own. */
async function askPatiently(url: URL, access: ForgeAccess): Promise<HttpAnswer> {
  let waitedMs = 0;
  for (let tries = 1; ; tries++) {
    const answer = await askOnce(url, access);
    if (answer.status === 200) return answer;
    const laterMs = laterOf(answer, access.now(), tries);
    if (laterMs === undefined) throw refusalOf(url, answer);
    if (tries === MAX_TRIES || waitedMs + laterMs > MAX_WAIT_MS) throw tooLong(url, answer.status, laterMs);
    waitedMs += laterMs;
    await access.wait(laterMs);
  }
}

async function askOnce(url: URL, { kind, token, api }: ForgeAccess): Promise<HttpAnswer> {
  const headers = {
    accept: kind === 'github' ? 'application/vnd.github+json' : 'application/json',
    ...(kind === 'github' ? { 'x-github-api-version': '2022-11-28' } : {}),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const rules = {
    plainHttp: new URL(api).protocol === 'http:',
    privateHosts: [url.hostname.replace(/^\[|\]$/g, '').toLowerCase()],
  };
  try {
    return await send({ method: 'GET', url, headers, maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS }, rules);
  } catch (cause) {
    if (!(cause instanceof AttestError)) throw cause;
    throw new AttestError('FORGE_UNAVAILABLE', cause.message, {
      cause,
      hint: 'check api of the forge in the Project, and the network',
    });
  }
}

/**
 * How long to wait before the next try; undefined where a next one would say the same.
 * @see https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api  a limit is 403 or 429
 */
function laterOf({ status, headers }: HttpAnswer, now: Date, tries: number): number | undefined {
  const after = secondsOf(headers['retry-after'], now);
  const isSpent = headers['x-ratelimit-remaining'] === '0';
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN) * 1000 - now.getTime();
  const isLimited = status === 429 || (status === 403 && (after !== undefined || isSpent));
  if (isLimited) return after ?? (Number.isFinite(reset) ? Math.max(0, reset) : MAX_WAIT_MS);
  return status >= 500 ? (after ?? 1000 * 2 ** (tries - 1)) : undefined;
}

/** Seconds, or a date. @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function secondsOf(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

const WHY: Readonly<Record<number, readonly [why: string, hint: string]>> = {
  401: ['it does not accept the token', 'name a token that is valid there (--token)'],
  403: ['the token may not read that', 'it must be able to read the API of this project'],
  404: [
    'it knows nothing of that, or shows it to nobody with this token',
    'check the number, and project of the rule in the Project',
  ],
};

function refusalOf(url: URL, { status }: HttpAnswer): AttestError {
  const [why, hint] = WHY[status] ?? [
    status >= 300 && status < 400
      ? 'it sends us elsewhere, and the token goes nowhere else'
      : 'it gives no answer',
    'check api of the forge, and project of the rule, in the Project',
  ];
  const where = JSON.stringify(url.host);
  return new AttestError(
    'FORGE_REFUSED',
    `${where} answers ${status} for ${JSON.stringify(url.pathname)}: ${why}`,
    { hint },
  );
}

const tooLong = (url: URL, status: number, laterMs: number): AttestError =>
  new AttestError(
    'FORGE_UNAVAILABLE',
    `${JSON.stringify(url.host)} answers ${status}, and asks to wait ${Math.ceil(laterMs / 1000)} s`,
    { hint: 'nothing was signed: try again then' },
  );
