// SPDX-License-Identifier: Apache-2.0
// The parts of a token before anything is proved.
import { parseStrict } from '../json.ts';
import { quoted, refuse } from './refusal.ts';

/** The longest token that is looked at, in characters. */
export const MAX_TOKEN_CHARACTERS = 16 * 1024;

/** The algorithms of OIDC that are taken: no shared secrets, and never none. */
export const TOKEN_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
  'Ed25519',
] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/**
 * What may stand in the header. GitHub adds the thumbprint of a certificate, which nobody reads. Whatever else there is names a key
 * (`jwk`, `jku`, `x5c`, `x5u`), another form of payload (`b64`, `zip`, `cty`) or something critical (`crit`).
 */
export const HEADER_MEMBERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid', 'x5t', 'x5t#S256']);

/** Members of a JSON object. */
export type Members = Readonly<Record<string, unknown>>;

/** A token as its sender wrote it: nothing here is proved. */
export interface CompactToken {
  readonly algorithm: TokenAlgorithm;
  readonly keyId: string;
  /** What the payload says; only `iss` is read before the signature was verified. */
  readonly payload: Members;
}

/**
 * Reads a signed token in compact form: three parts, each in its one spelling of base64url, header and payload JSON objects without
 * a key twice. An encrypted token has five parts and none of its algorithms is ever looked at (CVE-2022-36083, CVE-2024-28176).
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-7.1
 * @see https://www.rfc-editor.org/rfc/rfc8725
 */
export function readCompact(token: string): CompactToken {
  if (token.length > MAX_TOKEN_CHARACTERS)
    refuse('SHAPE', `the token has ${token.length} characters, more than ${MAX_TOKEN_CHARACTERS}`);
  const parts = token.split('.');
  const [header, payload, signature] = parts.map(decode);
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined)
    return refuse('SHAPE', 'this is no signed token in compact form');
  return { ...readHeader(header), payload: readObject(payload, 'payload') };
}

/** Undefined for what is empty or has a second spelling. */
function decode(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined;
}

function readHeader(bytes: Uint8Array): Pick<CompactToken, 'algorithm' | 'keyId'> {
  const header = readObject(bytes, 'header');
  const odd = Object.keys(header).find((name) => !HEADER_MEMBERS.has(name));
  if (odd !== undefined) refuse('HEADER', `the header has the member ${quoted(odd)}`);
  const { alg, typ, kid } = header;
  if (typ !== undefined && !(typeof typ === 'string' && typ.toUpperCase() === 'JWT'))
    refuse('HEADER', `the token is of type ${quoted(typ)}`);
  if (typeof kid !== 'string' || kid === '' || kid.length > 256)
    return refuse('HEADER', 'the header names no key: "kid" is missing');
  const algorithm =
    TOKEN_ALGORITHMS.find((known) => known === alg) ??
    refuse('ALGORITHM', `tokens signed with ${quoted(alg)} are not taken`);
  return { algorithm, keyId: kid };
}

function readObject(bytes: Uint8Array, what: string): Members {
  const value = parseStrict(bytes)?.value;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('SHAPE', `the ${what} is no JSON object, or one of its objects has a key twice`);
  return Object.fromEntries(Object.entries(value));
}
