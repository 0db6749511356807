// SPDX-License-Identifier: Apache-2.0
import { hash, verify } from 'node:crypto';
import { AttestError } from '../../error.ts';
import { readPublicKey, type Signer } from '../key.ts';

/** Where KMS clients find addresses and credentials: environment variables, as their own tools name them. */
export type KmsEnvironment = Readonly<Record<string, string | undefined>>;

/** Loads an optional package by its name. */
export type LoadPackage = (name: string) => Promise<unknown>;

/** One key in a KMS, read once. */
export interface RemoteKey {
  /** SubjectPublicKeyInfo. */
  readonly publicKeyPem: string;
  /** An ECDSA signature over a SHA-256 digest, DER-encoded. */
  sign(digest: Buffer): Promise<Uint8Array>;
}

const DEADLINE_MS = 10_000;

/**
 * Makes a Signer of a key in a KMS. What comes back is verified before it is used: a signature by another key, or by another version
 * of it after a rotation, would be found out by the verifiers only.
 * @throws {AttestError} KMS_REFUSED | KMS_UNAVAILABLE | KEY_KIND
 */
export async function signerOver(kms: string, open: () => Promise<RemoteKey>): Promise<Signer> {
  const remote = await within(kms, open());
  const { key, ...publicKey } = readPublicKey(remote.publicKeyPem);
  return {
    ...publicKey,
    sign: async (bytes) => {
      const digest = hash('sha256', bytes, 'buffer');
      const signature = Buffer.from(await within(kms, remote.sign(digest)));
      if (!verify('sha256', bytes, key, signature))
        throw new AttestError('KMS_UNAVAILABLE', `${kms} returns a signature that is not by its key`, {
          hint: 'was the key rotated? start again, or name its version',
        });
      return signature;
    },
  };
}

async function within<T>(kms: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(kms, `no answer within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** It cannot be asked now. */
export const unavailable = (kms: string, why: string, cause?: unknown): AttestError =>
  new AttestError('KMS_UNAVAILABLE', `${kms} cannot be asked: ${why}`, {
    hint: 'check the address of the key and the network',
    cause,
  });

/** It says no. */
export const refused = (kms: string, why: string, cause?: unknown): AttestError =>
  new AttestError('KMS_REFUSED', `${kms} refuses: ${why}`, {
    hint: 'check the name of the key, and that these credentials may read its public half and sign with it',
    cause,
  });

/** The URI names no key of this kind. */
export const badUri = (uri: string, example: string): AttestError =>
  new AttestError('KMS_URI', `${JSON.stringify(uri)} names no key`, { hint: `such as ${example}` });

/** A member of an answer that has to be a text. */
export const textIn = (value: unknown, name: string): string | undefined => {
  const member: unknown = Reflect.get(Object(value), name);
  return typeof member === 'string' && member !== '' ? member : undefined;
};

/**
 * The error of a cloud's own client as ours. Only its name and its status are shown: what these clients write into messages is theirs,
 * and may hold what was sent.
 */
export function failureOf(kms: string, cause: unknown): AttestError {
  if (cause instanceof AttestError) return cause;
  const stated: unknown =
    Reflect.get(Object(cause), 'statusCode') ??
    Reflect.get(Object(Reflect.get(Object(cause), '$metadata')), 'httpStatusCode');
  const status = typeof stated === 'number' ? stated : undefined;
  const name = textIn(cause, 'code') ?? textIn(cause, 'name') ?? 'unknown';
  const why = status === undefined ? name : `${name} (HTTP ${status})`;
  return status !== undefined && status >= 400 && status < 500 && status !== 429
    ? refused(kms, why)
    : unavailable(kms, why);
}

/** A package that is no dependency, since few need it and it is large. */
export interface Wanted<T> {
  readonly kms: string;
  readonly name: string;
  /** What of it is used, as it is there from. */
  readonly version: string;
  readonly is: (module: unknown) => module is T;
}

/** @throws {AttestError} KMS_PACKAGE  it is not installed, or has not what is used of it */
export async function packageOf<T>({ kms, name, version, is }: Wanted<T>, load: LoadPackage): Promise<T> {
  const hint = `npm install ${name}@${version}, beside countersign`;
  let module: unknown;
  try {
    module = await load(name);
  } catch (cause) {
    throw new AttestError('KMS_PACKAGE', `a key in ${kms} needs the package ${JSON.stringify(name)}`, {
      hint,
      cause,
    });
  }
  // What is CommonJS may be found below `default` only.
  const inner: unknown = Reflect.get(Object(module), 'default');
  if (is(module)) return module;
  if (is(inner)) return inner;
  throw new AttestError('KMS_PACKAGE', `the package ${JSON.stringify(name)} is not as expected`, { hint });
}

/** Whether a module has these classes. */
export const hasClasses = (module: unknown, names: readonly string[]): boolean =>
  names.every((name) => typeof Reflect.get(Object(module), name) === 'function');

/** A member of an answer that has to be bytes; a client may give a text in base64 for them. */
export function bytesIn(answer: unknown, name: string): Buffer | undefined {
  const value: unknown = Reflect.get(Object(answer), name);
  if (value instanceof Uint8Array) return Buffer.from(value);
  return typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
}
