// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import type { NetworkRules } from './address.ts';
import { type Challenge, readChallenge } from './challenge.ts';
import { basic, type CredentialsOf } from './credentials.ts';
import { type HttpAnswer, type HttpRequest, send } from './http.ts';
import type { OciReference } from './reference.ts';

/** How registries are reached. */
export interface RegistryAccess extends NetworkRules {
  readonly credentials: CredentialsOf;
  /** By host, with its port where it has one. */
  readonly mirrors?: ReadonlyMap<string, Mirrors>;
}

/** Where a registry's content is looked for first. */
export interface Mirrors {
  /** `host[:port][/prefix]`, in the order in which they are asked. */
  readonly places: readonly string[];
  /** The registry itself is not asked. */
  readonly isClosed: boolean;
}

/** One conversation with one repository. */
export interface Session {
  /** A URL below `/v2/<repository>/`. */
  url(path: string): URL;
  /** Sends, answers one challenge, and follows up to three redirects of a GET. */
  request(
    request: Omit<HttpRequest, 'headers'> & { readonly headers?: Record<string, string> },
  ): Promise<HttpAnswer>;
}

const MAX_REDIRECTS = 3;
const TOKEN_BYTES = 64 * 1024;
const TOKEN_TIMEOUT_MS = 10_000;
const HUB_AUTH = 'auth.docker.io';
const HUB = 'registry-1.docker.io';

/** Opens a conversation; nothing is sent yet. */
export function openSession(
  { registry, repository }: OciReference,
  actions: 'pull' | 'pull,push',
  access: RegistryAccess,
): Session {
  const host = registry === 'docker.io' ? HUB : registry;
  const origin = `${access.plainHttp ? 'http' : 'https'}://${host}`;
  const base = new URL(`${origin}/v2/${repository}/`);
  let authorization: string | undefined;

  const once = (request: HttpRequest): Promise<HttpAnswer> => {
    // Only ever to the registry itself: wherever a redirect or an upload leads, what we know of it stays here.
    const isHome = request.url.origin === base.origin;
    const headers =
      isHome && authorization !== undefined ? { ...request.headers, authorization } : request.headers;
    return send({ ...request, headers }, access);
  };

  const authenticated = async (request: HttpRequest): Promise<HttpAnswer> => {
    const answer = await once(request);
    if (answer.status !== 401 || authorization !== undefined || request.url.origin !== base.origin)
      return answer;
    const challenge = readChallenge(answer.headers['www-authenticate']);
    if (challenge === undefined) return answer;
    authorization = await answerChallenge(
      challenge,
      { host, scope: `repository:${repository}:${actions}` },
      access,
    );
    return authorization === undefined ? answer : once(request);
  };

  return {
    url: (path) => new URL(path, base),
    request: async (request) => {
      let next: HttpRequest = { ...request, headers: request.headers ?? {} };
      for (let redirects = 0; ; redirects++) {
        const answer = await authenticated(next);
        const location = request.method === 'GET' ? redirectOf(answer, next.url) : undefined;
        if (location === undefined) return answer;
        if (redirects === MAX_REDIRECTS)
          throw new AttestError(
            'REGISTRY_UNAVAILABLE',
            `${JSON.stringify(host)} redirects more than ${MAX_REDIRECTS} times`,
          );
        next = { ...next, url: location };
      }
    },
  };
}

function redirectOf({ status, headers }: HttpAnswer, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return undefined;
  return locationOf(headers.location, from);
}

/** The URL that an answer names. @throws {AttestError} REGISTRY_CONTENT */
export function locationOf(location: string | undefined, from: URL): URL {
  if (location !== undefined && URL.canParse(location, from)) {
    const url = new URL(location, from);
    if (url.username === '' && url.password === '') return url;
  }
  throw new AttestError('REGISTRY_CONTENT', `${JSON.stringify(from.host)} names no place to go on`);
}

interface Wanted {
  readonly host: string;
  readonly scope: string;
}

/** The Authorization header that answers a challenge; undefined where there is nothing to answer with. */
async function answerChallenge(
  challenge: Challenge,
  wanted: Wanted,
  access: RegistryAccess,
): Promise<string | undefined> {
  const own = access.credentials(wanted.host);
  if (challenge.scheme === 'basic') return own === undefined ? undefined : basic(own);
  return bearer(challenge, wanted, access);
}

/**
 * Fetches a token. A registry names the host that issues tokens, and could name any: our credentials go there only where it is the
 * registry itself (or Docker Hub's known pair), or where the user keeps credentials for that very host. Otherwise we ask as nobody.
 */
async function bearer(
  { realm, service }: Extract<Challenge, { scheme: 'bearer' }>,
  { host, scope }: Wanted,
  access: RegistryAccess,
): Promise<string | undefined> {
  if (!URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  url.searchParams.set('scope', scope);
  if (service !== undefined) url.searchParams.set('service', service);
  const isOwn = url.host === host || (host === HUB && url.host === HUB_AUTH);
  const credentials = access.credentials(isOwn ? host : url.host);
  const refresh = credentials?.identityToken;
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    scope,
    service: service ?? '',
    client_id: 'countersign',
    refresh_token: refresh ?? '',
  });
  const common = { maxBytes: TOKEN_BYTES, timeoutMs: TOKEN_TIMEOUT_MS } as const;
  const answer = await send(
    refresh === undefined
      ? {
          ...common,
          method: 'GET',
          url,
          headers: credentials === undefined ? {} : { authorization: basic(credentials) },
        }
      : {
          ...common,
          method: 'POST',
          url: new URL(`${url.origin}${url.pathname}`),
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: Buffer.from(form.toString()),
        },
    access,
  );
  const token = answer.status === 200 ? tokenOf(answer.body) : undefined;
  return token === undefined ? undefined : `Bearer ${token}`;
}

function tokenOf(body: Buffer): string | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'));
    const token: unknown =
      Reflect.get(Object(answer), 'token') ?? Reflect.get(Object(answer), 'access_token');
    return typeof token === 'string' && /^[\x21-\x7e]{1,16384}$/.test(token) ? token : undefined;
  } catch {
    return undefined;
  }
}
