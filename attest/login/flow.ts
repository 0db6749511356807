// SPDX-License-Identifier: Apache-2.0
// Two ways to a token whose nonce is the digest of what is signed: with a browser on this machine, or with one elsewhere.
import { hash } from 'node:crypto';
import { AttestError } from '../error.ts';
import { field, type Provider, postForm, unavailable } from './provider.ts';

/** What a browser came back with. */
export interface Redirected {
  readonly code?: string;
  readonly state?: string;
  readonly error?: string;
}

/** What a flow in a browser is given: texts that nobody can guess, and where the browser comes back to. */
export interface BrowserParts {
  readonly nonce: string;
  /** 43 to 128 characters. @see https://www.rfc-editor.org/rfc/rfc7636#section-4.1 */
  readonly verifier: string;
  readonly state: string;
  readonly redirectUri: string;
  /** Shows the address to the person and waits for the browser. */
  readonly receive: (url: string) => Promise<Redirected>;
}

/**
 * Authorization code with PKCE, by a browser that comes back to this machine.
 * @throws {AttestError} LOGIN_UNAVAILABLE | LOGIN_REFUSED
 * @see https://www.rfc-editor.org/rfc/rfc8252  OAuth 2.0 for Native Apps
 */
export async function logInByBrowser(provider: Provider, parts: BrowserParts): Promise<string> {
  const { nonce, verifier, state, redirectUri } = parts;
  const url = new URL(provider.authorizationEndpoint);
  const query = {
    response_type: 'code',
    client_id: provider.clientId,
    scope: 'openid',
    redirect_uri: redirectUri,
    state,
    nonce,
    code_challenge: hash('sha256', verifier, 'base64url'),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const came = await parts.receive(url.href);
  // Somebody else's answer: a code that another page sent here.
  if (came.state !== state) throw refused('the browser came back from another login');
  if (came.error !== undefined || came.code === undefined)
    throw refused(`the provider says ${JSON.stringify(came.error ?? 'nothing')}`);
  const answer = await postForm(
    provider.tokenEndpoint,
    {
      grant_type: 'authorization_code',
      code: came.code,
      redirect_uri: redirectUri,
      client_id: provider.clientId,
      code_verifier: verifier,
    },
    provider.rules,
  );
  return tokenOf(answer);
}

/** What a flow on another device is given. */
export interface DeviceParts {
  readonly nonce: string;
  /** Shows the person where to go and what to type there. */
  readonly show: (address: string, code: string) => void;
  readonly wait: (ms: number) => Promise<void>;
  readonly now: () => Date;
}

const SLOWER_S = 5;
const MAX_WAIT_S = 900;

/**
 * The device flow. A provider that does not take the nonce along gives a token that proves nothing of what was signed; who verifies it
 * refuses it.
 * @throws {AttestError} LOGIN_UNAVAILABLE | LOGIN_REFUSED
 * @see https://www.rfc-editor.org/rfc/rfc8628
 */
export async function logInByDevice(provider: Provider, parts: DeviceParts): Promise<string> {
  const { clientId, deviceEndpoint, rules, tokenEndpoint } = provider;
  if (deviceEndpoint === undefined) throw unavailable('the provider has no device flow: --login browser');
  const form = { client_id: clientId, scope: 'openid', nonce: parts.nonce };
  const { status, value } = await postForm(deviceEndpoint, form, rules);
  const [device, user, address] = ['device_code', 'user_code', 'verification_uri'].map((name) =>
    field(value, name),
  );
  if (status !== 200 || typeof device !== 'string' || typeof user !== 'string' || typeof address !== 'string')
    throw unavailable(`the provider answers ${status} where a code should be`);
  parts.show(address, user);
  let intervalS = secondsOf(field(value, 'interval'), 5);
  const endMs = parts.now().getTime() + secondsOf(field(value, 'expires_in'), 300) * 1000;
  while (parts.now().getTime() < endMs) {
    await parts.wait(intervalS * 1000);
    const answer = await postForm(
      tokenEndpoint,
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: device,
        client_id: clientId,
      },
      rules,
    );
    const error = field(answer.value, 'error');
    if (error === 'slow_down') intervalS += SLOWER_S;
    else if (error !== 'authorization_pending') return tokenOf(answer);
  }
  throw refused('nobody came within its time');
}

/** Whole seconds, at most a quarter of an hour. */
const secondsOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 ? Math.min(value, MAX_WAIT_S) : otherwise;

function tokenOf({ status, value }: { readonly status: number; readonly value: unknown }): string {
  const token = field(value, 'id_token');
  if (status === 200 && typeof token === 'string') return token;
  const error = field(value, 'error');
  throw refused(
    typeof error === 'string'
      ? `the provider says ${JSON.stringify(error)}`
      : 'the provider gives no id token',
  );
}

const refused = (message: string): AttestError =>
  new AttestError('LOGIN_REFUSED', message, { hint: 'nothing was signed: try again' });
