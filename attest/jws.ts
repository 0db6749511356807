// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, errors } from 'jose';
import { AttestError } from './error.ts';

const ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'HS256',
  'HS384',
  'HS512',
] as const;

/** How a JSON Web Signature may be made; `none` is not one of them. @see https://www.rfc-editor.org/rfc/rfc7518#section-3.1 */
export type JwsAlgorithm = (typeof ALGORITHMS)[number];

/** A key for exactly one algorithm: what a token says of its own algorithm chooses nothing. */
export interface JwsKey {
  readonly algorithm: JwsAlgorithm | 'EdDSA' | 'Ed25519';
  readonly key: KeyObject;
}

/** A token whose signature holds; `payload` is what was signed. */
export interface JwsToken {
  readonly keyId?: string;
  readonly payload: Uint8Array;
}

const CURVES: Readonly<Record<string, JwsAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/**
 * Reads a key that verifies: a public key in PEM, or the bytes of a secret where `algorithm` is HS…. Without `algorithm` it follows
 * from the key: ES… by its curve, RS256 for RSA.
 * @throws {AttestError} KEY_UNREADABLE | KEY_KIND
 */
export function readVerificationKey(bytes: Uint8Array, algorithm?: string): JwsKey {
  return readKey(bytes, algorithm, 'public');
}

/** Reads a key that signs: a private key in PEM, or a secret. @throws {AttestError} KEY_UNREADABLE | KEY_KIND */
export function readSigningKey(bytes: Uint8Array, algorithm?: string): JwsKey {
  return readKey(bytes, algorithm, 'private');
}

function readKey(bytes: Uint8Array, stated: string | undefined, half: 'public' | 'private'): JwsKey {
  const algorithm = stated === undefined ? undefined : ALGORITHMS.find((known) => known === stated);
  if (stated !== undefined && algorithm === undefined)
    throw new AttestError('KEY_KIND', `the algorithm ${JSON.stringify(stated)} is not known`, {
      hint: `one of ${ALGORITHMS.join(', ')}`,
    });
  const text = Buffer.from(bytes).toString('utf8');
  if (algorithm?.startsWith('HS') === true) return { algorithm, key: secret(bytes, text) };
  refuseOtherHalf(text, half);
  const key = parse(text, half);
  return { algorithm: fitting(key, algorithm), key };
}

/** A public key taken for a secret would let everybody sign. */
function secret(bytes: Uint8Array, text: string): KeyObject {
  if (/-----BEGIN /.test(text))
    throw new AttestError('KEY_KIND', 'this is a PEM file, not a secret', {
      hint: 'an HS… algorithm takes the bytes of a shared secret',
    });
  if (bytes.length < 16)
    throw new AttestError('KEY_KIND', `the secret has ${bytes.length} bytes, fewer than 16`);
  return createSecretKey(bytes);
}

function refuseOtherHalf(text: string, half: 'public' | 'private'): void {
  const isPrivate = /PRIVATE KEY-----/.test(text);
  if (isPrivate === (half === 'private')) return;
  throw new AttestError(
    'KEY_KIND',
    half === 'public' ? 'this is a private key, not a public one' : 'this is no private key',
    { hint: half === 'public' ? 'give the public half only' : 'give the private key in PEM' },
  );
}

function parse(text: string, half: 'public' | 'private'): KeyObject {
  try {
    return half === 'public' ? createPublicKey(text) : createPrivateKey(text);
  } catch {
    // No cause: what the parser says of a key is not for a log.
    throw new AttestError('KEY_UNREADABLE', `the ${half} key cannot be read as PEM`, {
      hint: 'an EC or RSA key in PEM, or a secret with an HS… algorithm',
    });
  }
}

function fitting(key: KeyObject, algorithm: JwsAlgorithm | undefined): JwsAlgorithm {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? '';
  const offered = key.asymmetricKeyType === 'ec' ? CURVES[curve] : undefined;
  const isRsa = key.asymmetricKeyType === 'rsa';
  const found = algorithm ?? offered ?? (isRsa ? 'RS256' : undefined);
  if (found !== undefined && (found === offered || (isRsa && /^[RP]S/.test(found)))) return found;
  throw new AttestError(
    'KEY_KIND',
    `a key of kind ${JSON.stringify(`${key.asymmetricKeyType ?? ''} ${curve}`.trim())} does not fit ${JSON.stringify(algorithm ?? 'any algorithm')}`,
    { hint: 'ES256, ES384 and ES512 take the curves P-256, P-384 and P-521, RS… and PS… take RSA' },
  );
}

const HEADER_MEMBERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid']);

/**
 * Verifies a token in compact form, or returns why it does not hold. Only `alg`, `typ` and `kid` may stand in its header: anything
 * that names a key, a URL or a critical extension is refused.
 * @param members that may stand in the header instead
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-5.2
 */
export async function verifyJws(
  token: string,
  { algorithm, key }: JwsKey,
  members = HEADER_MEMBERS,
): Promise<JwsToken | string> {
  try {
    const { payload, protectedHeader } = await compactVerify(token, key, { algorithms: [algorithm] });
    const odd = Object.keys(protectedHeader).find((name) => !members.has(name));
    if (odd !== undefined) return `its header has the member ${JSON.stringify(odd)}`;
    const { kid } = protectedHeader;
    return { payload, ...(kid === undefined ? {} : { keyId: kid }) };
  } catch (error) {
    if (error instanceof errors.JOSEAlgNotAllowed) return `it is not signed with ${algorithm}`;
    if (error instanceof errors.JWSSignatureVerificationFailed)
      return 'its signature is not by the configured key';
    if (error instanceof errors.JOSEError) return 'it is malformed';
    if (error instanceof TypeError) return 'the key does not fit it';
    throw error;
  }
}

/** Signs a payload in compact form; the header names algorithm and key. */
export function signJws(payload: Uint8Array, { algorithm, key }: JwsKey, keyId: string): Promise<string> {
  return new CompactSign(payload).setProtectedHeader({ alg: algorithm, typ: 'JWT', kid: keyId }).sign(key);
}
