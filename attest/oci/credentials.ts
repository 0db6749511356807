// SPDX-License-Identifier: Apache-2.0
import { decodeBase64 } from '../base64.ts';
import { AttestError } from '../error.ts';

/** What one host is to be told; `identityToken` is what Docker keeps in place of a password. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly identityToken?: string;
}

/** The credentials of a host with its port, exactly. */
export type CredentialsOf = (host: string) => Credentials | undefined;

const HUB: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
const HUB_KEY = 'https://index.docker.io/v1/';

/**
 * Reads the `auths` of a Docker `config.json`. A key counts for exactly its host: an entry for `example` says nothing of
 * `example.evil`. Credential helpers are not run.
 * @throws {AttestError} KEY_UNREADABLE where the file is malformed
 */
export function readDockerConfig(text: string): CredentialsOf {
  const auths = authsOf(text);
  const found = new Map<string, Credentials>();
  for (const [key, value] of Object.entries(auths)) {
    const credentials = credentialsOf(value);
    if (credentials !== undefined) found.set(hostOf(key), credentials);
  }
  return (host) => found.get(HUB.has(host) ? hostOf(HUB_KEY) : host);
}

const hostOf = (key: string): string =>
  key
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase();

const unreadable = (): AttestError =>
  new AttestError('KEY_UNREADABLE', 'the Docker config.json cannot be read', {
    hint: 'docker login writes it anew',
  });

function authsOf(text: string): object {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw unreadable(); // no cause: the text holds secrets
  }
  const auths: unknown = Reflect.get(Object(config), 'auths') ?? {};
  if (typeof auths !== 'object' || auths === null) throw unreadable();
  return auths;
}

function credentialsOf(value: unknown): Credentials | undefined {
  const text = (name: string): string => {
    const member: unknown = Reflect.get(Object(value), name);
    return typeof member === 'string' ? member : '';
  };
  const decoded = decodeBase64(text('auth'))?.toString('utf8') ?? '';
  const colon = decoded.indexOf(':');
  const user = colon < 0 ? text('username') : decoded.slice(0, colon);
  const password = colon < 0 ? text('password') : decoded.slice(colon + 1);
  const identityToken = text('identitytoken');
  if (user === '' && identityToken === '') return undefined;
  return { user, password, ...(identityToken === '' ? {} : { identityToken }) };
}

/** Basic credentials as a header has them. @see https://www.rfc-editor.org/rfc/rfc7617 */
export const basic = ({ user, password }: Credentials): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
