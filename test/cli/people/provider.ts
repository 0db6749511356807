// SPDX-License-Identifier: Apache-2.0
// An OIDC provider of our own, built on jose: it checks client, redirect, PKCE and device code, and puts the nonce it was given into
// the token. What it does wrong is asked for by the test.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export const ISSUER = 'https://login.shop.example';
export const CLIENT = 'countersign';

/** How it is told to misbehave. */
export interface Faults {
  /** Its device flow forgets the nonce, as some do. */
  dropsNonce?: boolean;
  /** Somebody presses "deny". */
  denies?: boolean;
  /** It says that it is another issuer. */
  isOther?: boolean;
  claims?: Record<string, unknown>;
}

export interface LocalProvider {
  readonly url: string;
  readonly faults: Faults;
  /** Who is logged in at it. */
  subject: string;
  readonly jwks: () => string;
  /** What came to its token endpoint. */
  readonly forms: URLSearchParams[];
  rotate(): Promise<void>;
  close(): Promise<void>;
}

interface Grant {
  readonly nonce: string;
  readonly challenge?: string;
  readonly redirect?: string;
  polls: number;
}

export async function startProvider(now: () => Date): Promise<LocalProvider> {
  const grants = new Map<string, Grant>();
  const forms: URLSearchParams[] = [];
  const faults: Faults = {};
  let generation = 0;
  let key = await newKey(generation);
  let subject = 'sub-carol';

  const tokenFor = (nonce: string | undefined): Promise<string> => {
    const iat = Math.floor(now().getTime() / 1000);
    const claims = { iss: ISSUER, sub: subject, aud: CLIENT, iat, exp: iat + 300, ...faults.claims };
    return new SignJWT({ ...(nonce === undefined ? {} : { nonce }), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: key.jwk.kid ?? '', typ: 'JWT' })
      .sign(key.privateKey);
  };

  const authorize = (url: URL, response: ServerResponse): void => {
    const get = (name: string): string => url.searchParams.get(name) ?? '';
    const redirect = get('redirect_uri');
    const isLoopback = /^http:\/\/127\.0\.0\.1:\d+\/callback$/.test(redirect);
    const isWell =
      get('client_id') === CLIENT && get('response_type') === 'code' && get('scope') === 'openid';
    if (
      !isLoopback ||
      !isWell ||
      get('code_challenge_method') !== 'S256' ||
      get('code_challenge').length !== 43
    ) {
      response.writeHead(400).end();
      return;
    }
    const code = `code-${grants.size}`;
    grants.set(code, { nonce: get('nonce'), challenge: get('code_challenge'), redirect, polls: 0 });
    const back = new URL(redirect);
    back.searchParams.set('state', get('state'));
    if (faults.denies === true) back.searchParams.set('error', 'access_denied');
    else back.searchParams.set('code', code);
    response.writeHead(302, { location: back.href }).end();
  };

  const token = async (form: URLSearchParams): Promise<[number, object]> => {
    forms.push(form);
    const grant = grants.get(form.get('code') ?? form.get('device_code') ?? '');
    if (grant === undefined || form.get('client_id') !== CLIENT) return [400, { error: 'invalid_grant' }];
    if (form.get('grant_type') === 'authorization_code') {
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      const isProved = challenge === grant.challenge && form.get('redirect_uri') === grant.redirect;
      grants.delete(form.get('code') ?? '');
      return isProved ? [200, { id_token: await tokenFor(grant.nonce) }] : [400, { error: 'invalid_grant' }];
    }
    grant.polls += 1;
    if (grant.polls === 1) return [400, { error: 'authorization_pending' }];
    if (faults.denies === true) return [400, { error: 'access_denied' }];
    return [200, { id_token: await tokenFor(faults.dropsNonce === true ? undefined : grant.nonce) }];
  };

  const device = (form: URLSearchParams): [number, object] => {
    const code = `device-${grants.size}`;
    grants.set(code, { nonce: form.get('nonce') ?? '', polls: 0 });
    return [
      200,
      {
        device_code: code,
        user_code: 'WDJB-MJHT',
        verification_uri: `${ISSUER}/device`,
        interval: 1,
        expires_in: 30,
      },
    ];
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', base());
    const json = (status: number, value: object): unknown =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (url.pathname === '/authorize') return authorize(url, response);
    if (url.pathname === '/jwks') return void json(200, { keys: [key.jwk] });
    if (url.pathname === '/token') return void json(...(await token(await formOf(request))));
    if (url.pathname === '/device') return void json(...device(await formOf(request)));
    return void json(200, {
      issuer: faults.isOther === true ? 'https://login.other.example' : ISSUER,
      authorization_endpoint: `${base()}/authorize`,
      token_endpoint: `${base()}/token`,
      device_authorization_endpoint: `${base()}/device`,
      jwks_uri: `${base()}/jwks`,
    });
  };
  const server: Server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: string | AddressInfo | null = server.address();
  const base = (): string => `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  return {
    url: `${base()}/.well-known/openid-configuration`,
    faults,
    forms,
    get subject() {
      return subject;
    },
    set subject(value: string) {
      subject = value;
    },
    jwks: () => JSON.stringify({ keys: [key.jwk] }),
    rotate: async () => {
      generation += 1;
      key = await newKey(generation);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function newKey(generation: number): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    privateKey,
    jwk: { ...(await exportJWK(publicKey)), kid: `key-${generation}`, use: 'sig', alg: 'ES256' },
  };
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return new URLSearchParams(Buffer.concat(chunks).toString());
}
