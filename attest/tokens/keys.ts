// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject } from 'node:crypto';
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import type { Members, TokenAlgorithm } from './compact.ts';

/** The largest set of keys that is read, in bytes, and the most keys in it. */
export const MAX_JWKS_BYTES = 256 * 1024;
const MAX_KEYS = 100;
const MIN_RSA_BITS = 2_048;

/** A public key of an issuer, with the algorithms that it may verify. */
export interface TokenKey {
  readonly key: KeyObject;
  readonly algorithms: readonly TokenAlgorithm[];
}

/** The keys of an issuer by `kid`; a Map, so that `__proto__` and a path are names like any other. */
export type TokenKeys = ReadonlyMap<string, TokenKey>;

/**
 * Reads a JSON Web Key Set. Keys of other kinds, without `kid`, for encryption, or of RSA below 2,048 bits are left out: an issuer may
 * publish them for others. Private ones, and two of one `kid`, make the whole set unusable.
 * @throws {AttestError} TOKEN_KEYS
 * @see https://www.rfc-editor.org/rfc/rfc7517#section-5
 */
export function parseJwks(bytes: Uint8Array): TokenKeys {
  if (bytes.length > MAX_JWKS_BYTES) throw unusable(`it has more than ${MAX_JWKS_BYTES} bytes`);
  const value = parseStrict(bytes)?.value;
  const keys: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'keys') : undefined;
  if (!Array.isArray(keys)) throw unusable('it is no JSON object with "keys"');
  if (keys.length > MAX_KEYS) throw unusable(`it has ${keys.length} keys, more than ${MAX_KEYS}`);
  const found = new Map<string, TokenKey>();
  for (const item of keys) {
    const jwk = membersOf(item);
    const { kid } = jwk;
    if ('d' in jwk || jwk['kty'] === 'oct') throw unusable('it holds a secret or a private key');
    const key = keyOf(jwk);
    if (typeof kid !== 'string' || kid === '' || key === undefined) continue;
    if (found.has(kid)) throw unusable(`it has two keys ${JSON.stringify(kid)}`);
    found.set(kid, key);
  }
  return found;
}

const unusable = (why: string): AttestError =>
  new AttestError('TOKEN_KEYS', `the key set of an issuer of tokens cannot be used: ${why}`, {
    hint: 'it is what the issuer publishes as its jwks_uri: {"keys": […]}, public keys only',
  });

const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};

function keyOf(jwk: Members): TokenKey | undefined {
  const { use, key_ops: operations, alg } = jwk;
  const verifies =
    (use === undefined || use === 'sig') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify')));
  const key = verifies ? importKey(jwk) : undefined;
  if (key === undefined) return undefined;
  // The key itself says what it is for; what a token says of its algorithm only chooses among these.
  const algorithms = fitting(key).filter((algorithm) => alg === undefined || alg === algorithm);
  return algorithms.length === 0 ? undefined : { key, algorithms };
}

function importKey(jwk: Members): KeyObject | undefined {
  try {
    const publicPart: Record<string, string> = Object.fromEntries(
      ['kty', 'crv', 'x', 'y', 'n', 'e'].flatMap((name) => {
        const value = jwk[name];
        return typeof value === 'string' ? [[name, value]] : [];
      }),
    );
    return createPublicKey({ key: publicPart, format: 'jwk' });
  } catch {
    return undefined; // of a kind that Node does not know, or no point of its curve
  }
}

function fitting(key: KeyObject): readonly TokenAlgorithm[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return ['EdDSA', 'Ed25519'];
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS)
    return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
  if (type !== 'ec') return [];
  const { namedCurve } = details ?? {};
  if (namedCurve === 'prime256v1') return ['ES256'];
  if (namedCurve === 'secp384r1') return ['ES384'];
  return namedCurve === 'secp521r1' ? ['ES512'] : [];
}
