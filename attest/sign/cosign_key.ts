// SPDX-License-Identifier: Apache-2.0
// The one file that knows a cipher which OpenSSL lacks.
import { scrypt } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { decodeBase64 } from '../base64.ts';
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import { wrongPassword } from './unlock.ts';

const KEY_BYTES = 32;
const SALT_BYTES = 32;
const NONCE_BYTES = 24;
/** cosign writes 65,536 or 32,768; more is taken as long as it asks for no more than 256 MiB. */
const COSTS: readonly unknown[] = [32_768, 65_536, 131_072, 262_144];
const BLOCK = 8;
const PARALLEL = 1;

interface Box {
  readonly cost: number;
  readonly salt: Buffer;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

/**
 * Opens the body of an `ENCRYPTED SIGSTORE PRIVATE KEY` (or COSIGN, its older name): base64 of JSON that holds a secretbox whose key
 * scrypt makes from the password.
 * @returns PKCS#8 DER
 * @throws {AttestError} KEY_UNREADABLE | KEY_PASSWORD
 * @see https://github.com/secure-systems-lab/go-securesystemslib/blob/v0.9.0/encrypted/encrypted.go
 */
export async function openCosignKey(base64: string, password: string): Promise<Buffer> {
  const json = decodeBase64(base64.replace(/\s+/g, ''));
  const box = json === undefined ? undefined : boxOf(parseStrict(json)?.value);
  if (box === undefined)
    throw new AttestError('KEY_UNREADABLE', 'the private key has not the form that cosign writes', {
      hint: 'cosign generate-key-pair, or import-key-pair of a key in PEM, makes one',
    });
  const key = await derive(password, box);
  try {
    return Buffer.from(xsalsa20poly1305(key, box.nonce).decrypt(box.ciphertext));
  } catch {
    throw wrongPassword();
  }
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;

function boxOf(value: unknown): Box | undefined {
  const [kdf, cipher] = [member(value, 'kdf'), member(value, 'cipher')];
  if (member(kdf, 'name') !== 'scrypt' || member(cipher, 'name') !== 'nacl/secretbox') return undefined;
  const params = member(kdf, 'params');
  const cost = member(params, 'N');
  if (!COSTS.includes(cost) || typeof cost !== 'number') return undefined;
  if (member(params, 'r') !== BLOCK || member(params, 'p') !== PARALLEL) return undefined;
  const salt = bytesOf(member(kdf, 'salt'), SALT_BYTES);
  const nonce = bytesOf(member(cipher, 'nonce'), NONCE_BYTES);
  const ciphertext = bytesOf(member(value, 'ciphertext'));
  return salt && nonce && ciphertext && { cost, salt, nonce, ciphertext };
}

function bytesOf(value: unknown, length?: number): Buffer | undefined {
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  return length === undefined || bytes?.length === length ? bytes : undefined;
}

/** In a thread of Node's own: it takes a few tenths of a second. */
function derive(password: string, { salt, cost }: Box): Promise<Buffer> {
  const options = { N: cost, r: BLOCK, p: PARALLEL, maxmem: 2 * 128 * cost * BLOCK };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
