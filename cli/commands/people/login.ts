// SPDX-License-Identifier: Apache-2.0
// Signing by the organisation's login: the id token that the provider issues for this statement, and its keys, are what is kept.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { AttestError } from '../../../attest/error.ts';
import { parseStrict } from '../../../attest/json.ts';
import {
  fetchKeys,
  findProvider,
  logInByBrowser,
  logInByDevice,
  loginEvidence,
  nonceOf,
  type Provider,
  type Redirected,
} from '../../../attest/login/index.ts';
import type { Args } from '../../args.ts';
import { UsageError } from '../../exit.ts';
import { readSource, writeWhole } from '../../files.ts';
import type { Io } from '../../io.ts';
import { oneLine } from '../../report/text.ts';
import { type Found, loginIssuer } from './standing.ts';

const BROWSER_MS = 5 * 60_000;

/** The evidence that a person logged in to sign these bytes; new keys of the issuer are stored. @throws {AttestError} LOGIN_* */
export async function logIn(
  bytes: Uint8Array,
  { found, args, io }: { readonly found: Found; readonly args: Args; readonly io: Io },
): Promise<string> {
  const how = args.text('login');
  if (how !== 'browser' && how !== 'device')
    throw new UsageError(`--login ${JSON.stringify(how)} is not known`, '--login browser or --login device');
  const issuer = loginIssuer(found.project);
  const discovery = found.project.login?.discovery;
  if (issuer === undefined)
    throw new UsageError('the Project trusts no login', 'sign with --key, or give the Project login');
  const provider = await findProvider({
    issuer: issuer.issuer,
    clientId: issuer.audience,
    ...(discovery === undefined ? {} : { discovery }),
  });
  const nonce = nonceOf(bytes);
  const token =
    how === 'browser' ? await byBrowser(provider, nonce, io) : await byDevice(provider, nonce, io);
  storeKeys(await fetchKeys(provider), issuer.jwks.file, io);
  return loginEvidence(bytes, token);
}

const byDevice = (provider: Provider, nonce: string, io: Io): Promise<string> =>
  logInByDevice(provider, {
    nonce,
    now: io.now,
    wait: (ms) => wait(ms),
    show: (address, code) => {
      io.err(`log in at ${oneLine(address)} with the code ${oneLine(code)}\n`);
    },
  });

async function byBrowser(provider: Provider, nonce: string, io: Io): Promise<string> {
  const loopback = await openLoopback();
  try {
    return await logInByBrowser(provider, {
      nonce,
      verifier: randomBytes(32).toString('base64url'),
      state: randomBytes(32).toString('base64url'),
      redirectUri: loopback.uri,
      receive: (url) => {
        io.err(`log in at ${oneLine(url)}\n`);
        return loopback.received;
      },
    });
  } finally {
    loopback.close();
  }
}

interface Loopback {
  readonly uri: string;
  readonly received: Promise<Redirected>;
  readonly close: () => void;
}

/** Listens on this machine alone for the one request that a browser comes back with. @see RFC 8252 §7.3 */
function openLoopback(): Promise<Loopback> {
  let settle: (came: Redirected) => void = () => undefined;
  let giveUp: (error: Error) => void = () => undefined;
  const received = new Promise<Redirected>((resolve, reject) => {
    settle = resolve;
    giveUp = reject;
  });
  const timer = setTimeout(
    () => giveUp(new AttestError('LOGIN_REFUSED', 'nobody came back within five minutes')),
    BROWSER_MS,
  );
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (request.method !== 'GET' || url.pathname !== '/callback') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
    response.end('You may close this window and look at the terminal.\n');
    const came: Record<string, string> = {};
    for (const name of ['code', 'state', 'error']) {
      const value = url.searchParams.get(name);
      if (value !== null) came[name] = value;
    }
    settle(came);
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      resolve({
        uri: `http://127.0.0.1:${portOf(server.address())}/callback`,
        received,
        close: () => {
          clearTimeout(timer);
          server.close();
        },
      });
    });
  });
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0;

/**
 * Adds the keys that an issuer publishes now to those that are stored, by `kid`: what was signed with one of them is verified when it is
 * long gone. None is replaced: a key that changed under its name would be another one.
 */
function storeKeys(fetched: Uint8Array, file: string, io: Io): void {
  const stored = keysIn(readSource(file).bytes);
  const known = new Set(stored.map(nameOf));
  const added = keysIn(fetched).filter((key) => nameOf(key) !== undefined && !known.has(nameOf(key)));
  if (added.length === 0) return;
  writeWhole(file, `${JSON.stringify({ keys: [...stored, ...added] }, null, 2)}\n`);
  io.err(
    `note: ${added.length} new ${added.length === 1 ? 'key' : 'keys'} of the issuer in ${oneLine(JSON.stringify(file))}: commit the file with what was signed\n`,
  );
}

function keysIn(bytes: Uint8Array): readonly unknown[] {
  const keys: unknown = Reflect.get(Object(parseStrict(bytes)?.value), 'keys');
  return Array.isArray(keys) ? keys : [];
}

const nameOf = (key: unknown): unknown => Reflect.get(Object(key), 'kid');
