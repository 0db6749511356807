// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../../error.ts';
import { parseStrict } from '../../json.ts';
import { postOrGet } from './http.ts';

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An id token, and what proof of possession is made over. */
export interface IdentityToken {
  readonly token: string;
  /** The `email` where there is one, else the `sub`: Fulcio wants it signed with the new key. */
  readonly subject: string;
}

const AUDIENCE = 'sigstore';
const JWT = /^[\w-]+\.([\w-]+)\.[\w-]+$/;
const MAX_TOKEN = 16_384;

/**
 * The id token of this job: GitLab's and others' `SIGSTORE_ID_TOKEN`, or one that GitHub Actions gives out for the audience `sigstore`.
 * @throws {AttestError} IDENTITY_TOKEN | SIGSTORE_REFUSED | SIGSTORE_UNAVAILABLE
 */
export async function ambientToken(env: Environment): Promise<string> {
  const given = env['SIGSTORE_ID_TOKEN'];
  if (given !== undefined && given !== '') return given;
  const [url, bearer] = [env['ACTIONS_ID_TOKEN_REQUEST_URL'], env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']];
  if (url === undefined || bearer === undefined)
    throw new AttestError('IDENTITY_TOKEN', 'this job has no id token', {
      hint: 'GitLab: id_tokens: {SIGSTORE_ID_TOKEN: {aud: sigstore}}; GitHub: permissions: {id-token: write}; else --id-token FILE',
    });
  return githubToken(url, bearer);
}

async function githubToken(text: string, bearer: string): Promise<string> {
  const service = 'the token service of GitHub Actions';
  if (!URL.canParse(text) || !/^[\x21-\x7e]+$/.test(bearer))
    throw new AttestError('IDENTITY_TOKEN', `${service} is not where this job's environment says`);
  const url = new URL(text);
  url.searchParams.set('audience', AUDIENCE);
  const answer = await postOrGet(service, url, { headers: { authorization: `Bearer ${bearer}` } });
  const token: unknown = Reflect.get(Object(answer), 'value');
  if (typeof token === 'string') return token;
  throw new AttestError('IDENTITY_TOKEN', `${service} gives no token`);
}

/**
 * Reads what a token says of its own subject and end; whether it is true its receiver finds out.
 * @throws {AttestError} IDENTITY_TOKEN
 */
export function readToken(text: string, now: Date): IdentityToken {
  const token = text.trim();
  const body = token.length > MAX_TOKEN ? undefined : JWT.exec(token)?.[1];
  const claims = body === undefined ? undefined : parseStrict(Buffer.from(body, 'base64url'))?.value;
  const claim = (name: string): unknown => (isObject(claims) ? Reflect.get(claims, name) : undefined);
  const [email, sub, exp] = [claim('email'), claim('sub'), claim('exp')];
  if (email !== undefined && claim('email_verified') !== true)
    throw new AttestError(
      'IDENTITY_TOKEN',
      'the id token has an e-mail address that its issuer did not verify',
    );
  const subject = email ?? sub;
  if (typeof subject !== 'string' || subject === '' || typeof exp !== 'number')
    throw new AttestError('IDENTITY_TOKEN', 'the id token is no JSON Web Token with a subject and an end');
  if (exp * 1000 <= now.getTime())
    throw new AttestError('IDENTITY_TOKEN', 'the id token has expired', {
      hint: 'such tokens last minutes: sign in the job that gets it',
    });
  return { token, subject };
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
