// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { type JwsKey, readSigningKey, readVerificationKey, signJws } from '../../../../attest/jws.ts';
import type { ArchiveFile } from '../../../../engine/archive/index.ts';
import {
  hashedForm,
  readBundle,
  SIGNATURES_FILE,
  signFiles,
} from '../../../../engine/policy/bundle/index.ts';
import { openYamlReader, type YamlReader } from '../../../../engine/toolchain/yaml.ts';

let reader: YamlReader | undefined;

/** The reader of YAML, opened once. */
export const yaml = (): YamlReader => {
  reader ??= openYamlReader(join(process.cwd(), 'engine/toolchain/built'));
  return reader;
};

/** Files from texts by path. */
export const filesOf = (texts: Readonly<Record<string, string | Uint8Array>>): readonly ArchiveFile[] =>
  Object.entries(texts).map(([path, text]) => ({
    path,
    bytes: typeof text === 'string' ? Buffer.from(text) : text,
  }));

/** Reads a bundle of these files, with no key. */
export const read = (texts: Readonly<Record<string, string | Uint8Array>>) =>
  readBundle('b', filesOf(texts), { yaml });

/** A key pair for one algorithm. */
export function keysFor(algorithm: string): { readonly signing: JwsKey; readonly verifying: JwsKey } {
  if (algorithm.startsWith('HS')) {
    const secret = Buffer.from('a secret that is long enough to be one');
    return { signing: readSigningKey(secret, algorithm), verifying: readVerificationKey(secret, algorithm) };
  }
  const curve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[algorithm];
  const encoding = {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  } as const;
  const pair =
    curve === undefined
      ? generateKeyPairSync('rsa', { modulusLength: 2048, ...encoding })
      : generateKeyPairSync('ec', { namedCurve: curve, ...encoding });
  return {
    signing: readSigningKey(Buffer.from(pair.privateKey), algorithm),
    verifying: readVerificationKey(Buffer.from(pair.publicKey), algorithm),
  };
}

/** The files with a signature over them as they are. */
export async function signed(
  files: readonly ArchiveFile[],
  key: JwsKey,
  scope?: string,
): Promise<readonly ArchiveFile[]> {
  const signing = { key, keyId: 'default', ...(scope === undefined ? {} : { scope }) };
  return [...files, { path: SIGNATURES_FILE, bytes: await signFiles(files, hashedForm(yaml), signing) }];
}

/** A `.signatures.json` over these claims. */
export async function signaturesOf(claims: unknown, key: JwsKey, keyId = 'default'): Promise<ArchiveFile> {
  const token = await signJws(Buffer.from(JSON.stringify(claims)), key, keyId);
  return { path: SIGNATURES_FILE, bytes: Buffer.from(JSON.stringify({ signatures: [token] })) };
}
