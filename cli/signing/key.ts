// SPDX-License-Identifier: Apache-2.0
// From what --key says to who signs. Loaded only where something is signed.

import { readFileSync, statSync } from 'node:fs';
import {
  AttestError,
  isKeyUri,
  openSigner,
  readSigner,
  type Signer,
  type SigningKey,
  unlockKey,
} from '../../attest/index.ts';
import { codeOf } from '../cause.ts';
import { UsageError } from '../exit.ts';
import type { Io } from '../io.ts';
import type { KeyRequest } from './flags.ts';

/** Who signs, and what a thread needs to open the same key for itself. */
export interface OpenedKey {
  readonly signer: Signer;
  readonly source: SigningKey;
}

/**
 * Opens a key file, encrypted or not, or a key in a KMS.
 * @throws {UsageError} a password for what has none
 * @throws {AttestError} KEY_UNREADABLE | KEY_KIND | KEY_PASSWORD | KMS_…
 */
export async function openKey(request: KeyRequest, io: Io): Promise<OpenedKey> {
  if (isKeyUri(request.key)) {
    refuseIdlePassword(request, 'a KMS asks for none');
    // Of a thread's environment NODE_OPTIONS would be read as flags.
    const { NODE_OPTIONS: _, ...env } = io.env;
    const source = { key: request.key, env };
    return { signer: await openSigner(source), source };
  }
  const text = readKeyText(request.key);
  warnOfReaders(request.key, io);
  const pem = await unlockKey(text, () => passwordOf(request, io));
  if (pem === text) refuseIdlePassword(request, 'the key is not encrypted');
  return keyOf(pem);
}

/** A key that is opened when it is first wanted, and once: whoever sits at the terminal is asked for one password. */
export function keyOnce(request: KeyRequest, io: Io): () => Promise<OpenedKey> {
  let opening: Promise<OpenedKey> | undefined;
  return () => {
    opening ??= openKey(request, io);
    return opening;
  };
}

/** A private key in PEM, not encrypted. @throws {AttestError} KEY_UNREADABLE | KEY_KIND */
export const keyOf = (pem: string): OpenedKey => ({ signer: readSigner(pem), source: { key: pem, env: {} } });

function refuseIdlePassword({ passwordFile }: KeyRequest, why: string): void {
  if (passwordFile !== undefined)
    throw new UsageError(`--key-password-file has no effect: ${why}`, 'leave it out');
}

/**
 * Reads the text of a private key that can sign, and warns of one that everybody on this machine may read.
 * @throws {AttestError} KEY_UNREADABLE | KEY_KIND
 */
export function readKeyPem(file: string, io: Io): string {
  const pem = readKeyText(file);
  readSigner(pem);
  warnOfReaders(file, io);
  return pem;
}

function readKeyText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = codeOf(cause);
    throw new AttestError('KEY_UNREADABLE', `cannot read key ${JSON.stringify(file)}: ${code}`, {
      hint: 'countersign init makes one',
      cause,
    });
  }
}

/** A warning and no error: on volumes of a cluster, and in copies of a CI, the mode is often not the user's to choose. */
function warnOfReaders(file: string, io: Io): void {
  const mode = (statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o777;
  // Windows has no such modes, and no user ids.
  if (io.userId === undefined || (mode & 0o004) === 0) return;
  const shown = mode.toString(8).padStart(4, '0');
  io.err(
    `warning: everybody on this machine may read key ${JSON.stringify(file)} (mode ${shown})\nhint: chmod 600\n`,
  );
}

/** The password of an encrypted key: from the file that is named, the environment, or whoever sits at the terminal. */
async function passwordOf({ key, passwordFile }: KeyRequest, io: Io): Promise<string | undefined> {
  if (passwordFile !== undefined) return readPassword(passwordFile, io);
  return io.env['COUNTERSIGN_PASSWORD'] ?? (await io.askPassword?.(`password of ${JSON.stringify(key)}: `));
}

/** The line end is the editor's and not part of it. */
function readPassword(file: string, io: Io): string {
  const text = readKeyText(file);
  warnOfReaders(file, io);
  return text.replace(/\r?\n$/, '');
}
