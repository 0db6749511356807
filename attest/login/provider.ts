// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import type { NetworkRules } from '../oci/address.ts';
import { type HttpAnswer, type HttpRequest, send } from '../oci/http.ts';

/** Where an organisation's provider is asked; only these are ever asked, and nothing that a token or a file names. */
export interface Provider {
  readonly clientId: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly deviceEndpoint?: string;
  readonly jwksUri: string;
  readonly rules: NetworkRules;
}

/** What a Project says of it. */
export interface ProviderSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Its discovery document; below the issuer where it is not stated. */
  readonly discovery?: string;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 256 * 1024;

/**
 * Asks a provider where its endpoints are. http is for this machine alone; a private address for the host that the Project names.
 * @throws {AttestError} LOGIN_UNAVAILABLE
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 */
export async function findProvider({ issuer, clientId, discovery }: ProviderSettings): Promise<Provider> {
  const url = new URL(discovery ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const rules = {
    plainHttp: url.protocol === 'http:',
    privateHosts: [url.hostname.replace(/^\[|\]$/g, '')],
  };
  const { status, value } = await askJson({ method: 'GET', url, rules });
  if (status !== 200)
    throw unavailable(`${JSON.stringify(url.host)} answers ${status} where its configuration should be`);
  // Another issuer's configuration would send people to another's login.
  if (field(value, 'issuer') !== issuer)
    throw unavailable(`the configuration is that of issuer ${JSON.stringify(field(value, 'issuer'))}`);
  const [authorizationEndpoint, tokenEndpoint, jwksUri] = [
    'authorization_endpoint',
    'token_endpoint',
    'jwks_uri',
  ].map((name) => endpointOf(value, name));
  const deviceEndpoint = endpointOf(value, 'device_authorization_endpoint');
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined || jwksUri === undefined)
    throw unavailable('the configuration of the provider lacks an endpoint');
  return {
    clientId,
    authorizationEndpoint,
    tokenEndpoint,
    jwksUri,
    rules,
    ...(deviceEndpoint === undefined ? {} : { deviceEndpoint }),
  };
}

function endpointOf(value: unknown, name: string): string | undefined {
  const text = field(value, name);
  return typeof text === 'string' && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
    ? text
    : undefined;
}

/** An answer and what it holds as JSON. */
export interface Answered {
  readonly status: number;
  readonly value: unknown;
  readonly body: Buffer;
}

/** Posts a form and reads the JSON that comes back. @throws {AttestError} LOGIN_UNAVAILABLE */
export function postForm(
  url: string,
  form: Readonly<Record<string, string>>,
  rules: NetworkRules,
): Promise<Answered> {
  const body = Buffer.from(new URLSearchParams(form).toString());
  return askJson({ method: 'POST', url: new URL(url), rules, body });
}

/** The keys that a provider publishes now. @throws {AttestError} LOGIN_UNAVAILABLE */
export async function fetchKeys({ jwksUri, rules }: Provider): Promise<Uint8Array> {
  const { status, body } = await askJson({ method: 'GET', url: new URL(jwksUri), rules });
  if (status === 200) return body;
  throw unavailable(`${JSON.stringify(new URL(jwksUri).host)} answers ${status} where its keys should be`);
}

async function askJson({
  rules,
  ...asked
}: Pick<HttpRequest, 'method' | 'url' | 'body'> & { readonly rules: NetworkRules }): Promise<Answered> {
  const headers = {
    accept: 'application/json',
    ...(asked.body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
  };
  let answer: HttpAnswer;
  try {
    answer = await send({ ...asked, headers, maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS }, rules);
  } catch (cause) {
    if (!(cause instanceof AttestError)) throw cause;
    throw unavailable(cause.message, cause);
  }
  return { status: answer.status, value: parseStrict(answer.body)?.value, body: answer.body };
}

/** The login cannot be asked. */
export const unavailable = (message: string, cause?: unknown): AttestError =>
  new AttestError('LOGIN_UNAVAILABLE', message, {
    cause,
    hint: 'sign with a key instead (--key), or see login in the Project',
  });

/** The own member of a JSON object. */
export const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
