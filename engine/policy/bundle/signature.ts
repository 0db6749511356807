// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type JwsKey, signJws, verifyJws } from '../../../attest/jws.ts';
import type { ArchiveFile } from '../../archive/index.ts';
import { EngineError } from '../../error.ts';
import { type ExactJson, type ExactObject, isExactObject, parseExact } from './json.ts';

/** Where a bundle keeps its signature. */
export const SIGNATURES_FILE = '.signatures.json';

/** Who must have signed a bundle. */
export interface BundleVerification {
  readonly key: JwsKey;
  /** OPA's default is `default`; what a token names must be this. */
  readonly keyId: string;
  /** Must be equal; absent where the token states none. */
  readonly scope?: string;
  /** At which an `exp` of the token must not have passed. */
  readonly at: Date;
}

/** The JSON value of a structured file (`data.json`, `data.yaml`, `.manifest`) as OPA hashes it; other files are hashed as they are. */
export type HashedForm = (file: ArchiveFile) => string | Uint8Array;

const HASHES: Readonly<Record<string, string>> = {
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
  'SHA-512-224': 'sha512-224',
  'SHA-512-256': 'sha512-256',
};

/**
 * Requires that the bundle is signed by the configured key, with every file of it in the signature and every file of the signature
 * in the bundle. MD5 and SHA-1, which OPA would take, are refused.
 * @throws {EngineError} BUNDLE_SIGNATURE
 * @see https://www.openpolicyagent.org/docs/management-bundles#signature-format
 */
export async function verifySignatures(
  bundle: { readonly name: string; readonly files: readonly ArchiveFile[] },
  form: HashedForm,
  verification: BundleVerification,
): Promise<void> {
  const fail = (why: string): never => {
    throw new EngineError('BUNDLE_SIGNATURE', `bundle ${JSON.stringify(bundle.name)} is refused: ${why}`, {
      hint: 'with a verification key every bundle must be signed by it, whole',
    });
  };
  const file = bundle.files.find(({ path }) => path === SIGNATURES_FILE);
  if (file === undefined) return fail(`it has no ${SIGNATURES_FILE}`);
  const token = tokenOf(file.bytes, fail);
  const answer = await verifyJws(token, verification.key);
  if (typeof answer === 'string') return fail(`the token of its signature does not hold: ${answer}`);
  const claims = claimsOf(answer.payload, fail);
  checkClaims(claims, answer.keyId, verification, fail);
  const signed = filesOf(claims, fail);
  for (const { path, bytes } of bundle.files) {
    if (path === SIGNATURES_FILE) continue;
    const entry = signed.get(path) ?? fail(`the file ${JSON.stringify(path)} is not in its signature`);
    const digest = createHash(entry.algorithm).update(form({ path, bytes })).digest('hex');
    if (digest !== entry.hash) fail(`the file ${JSON.stringify(path)} is not the one that was signed`);
    signed.delete(path);
  }
  const [missing] = signed.keys();
  if (missing !== undefined) fail(`the file ${JSON.stringify(missing)} of its signature is missing`);
}

type Fail = (why: string) => never;

function readObject(bytes: Uint8Array, what: string, fail: Fail): ExactObject {
  try {
    const value = parseExact(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isExactObject(value) ? value : fail(`${what} is no object`);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    return fail(`${what} is malformed`);
  }
}

/** OPA writes the name of its own verifier; any other would be a program of somebody's. */
const isUnderstood = (key: string, value: ExactJson): boolean =>
  key === 'signatures' || (key === 'plugin' && (value === '' || value === '_default'));

/** One token, as OPA has it: of several it would not be said which one counts. */
function tokenOf(bytes: Uint8Array, fail: Fail): string {
  const signatures = readObject(bytes, SIGNATURES_FILE, fail);
  const odd = [...signatures].find(([key, value]) => !isUnderstood(key, value));
  if (odd !== undefined) fail(`${SIGNATURES_FILE} has the key ${JSON.stringify(odd[0])}`);
  const tokens = signatures.get('signatures');
  if (!Array.isArray(tokens) || tokens.length !== 1)
    return fail(`${SIGNATURES_FILE} has ${Array.isArray(tokens) ? tokens.length : 'no'} signatures, not one`);
  const [token]: readonly ExactJson[] = tokens;
  return typeof token === 'string' ? token : fail('its signature is no text');
}

const claimsOf = (payload: Uint8Array, fail: Fail): ExactObject =>
  readObject(payload, 'its signed payload', fail);

function checkClaims(
  claims: ExactObject,
  headerKeyId: string | undefined,
  { keyId, scope, at }: BundleVerification,
  fail: Fail,
): void {
  for (const stated of [headerKeyId, claims.get('keyid')])
    if (stated !== undefined && stated !== keyId)
      fail(`its signature names the key ${JSON.stringify(stated)}, not ${JSON.stringify(keyId)}`);
  if ((claims.get('scope') ?? '') !== (scope ?? ''))
    fail(
      `its signature has the scope ${JSON.stringify(claims.get('scope') ?? '')}, not ${JSON.stringify(scope ?? '')}`,
    );
  const expires = claims.get('exp');
  if (expires === undefined) return;
  const seconds =
    typeof expires === 'object' && expires !== null && 'number' in expires
      ? Number(expires.number)
      : Number.NaN;
  if (!(at.getTime() < seconds * 1000)) fail('its signature has expired');
}

interface SignedFile {
  readonly hash: string;
  /** Node's name. */
  readonly algorithm: string;
}

function filesOf(claims: ExactObject, fail: Fail): Map<string, SignedFile> {
  const listed = claims.get('files');
  if (!Array.isArray(listed) || listed.length === 0) return fail('its signature covers no file');
  const found = new Map<string, SignedFile>();
  for (const item of listed) {
    const [name, hash, stated] = ['name', 'hash', 'algorithm'].map((key) =>
      isExactObject(item) ? item.get(key) : undefined,
    );
    const algorithm =
      typeof stated === 'string' && Object.hasOwn(HASHES, stated) ? HASHES[stated] : undefined;
    if (typeof name !== 'string' || typeof hash !== 'string')
      fail('its signature has a file without name or hash');
    else if (algorithm === undefined) fail(`its signature uses the hash ${JSON.stringify(stated ?? '')}`);
    else if (found.has(name)) fail(`its signature has the file ${JSON.stringify(name)} twice`);
    else found.set(name, { hash: hash.toLowerCase(), algorithm });
  }
  return found;
}

/** What `.signatures.json` is to hold for these files, signed as `opa build --signing-key` would. */
export async function signFiles(
  files: readonly ArchiveFile[],
  form: HashedForm,
  signing: { readonly key: JwsKey; readonly keyId: string; readonly scope?: string },
): Promise<Uint8Array> {
  const listed = files.map((file) => ({
    name: file.path,
    hash: createHash('sha256').update(form(file)).digest('hex'),
    algorithm: 'SHA-256',
  }));
  const claims = {
    files: listed,
    keyid: signing.keyId,
    ...(signing.scope === undefined ? {} : { scope: signing.scope }),
  };
  const token = await signJws(Buffer.from(JSON.stringify(claims)), signing.key, signing.keyId);
  return Buffer.from(`${JSON.stringify({ signatures: [token] })}\n`);
}
