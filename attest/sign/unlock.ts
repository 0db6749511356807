// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey } from 'node:crypto';
import { AttestError } from '../error.ts';

/** Where the password of an encrypted key comes from; asked only for one that is encrypted. Undefined: there is none to be had. */
export type AskPassword = () => Promise<string | undefined>;

const PKCS8 = /-----BEGIN ENCRYPTED PRIVATE KEY-----[\s\S]+?-----END ENCRYPTED PRIVATE KEY-----/;
const COSIGN =
  /-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END ENCRYPTED \1 PRIVATE KEY-----/;

/**
 * Opens the private key in a PEM text: encrypted PKCS#8, or the form of cosign (`generate-key-pair`). A text that holds neither, or
 * more than one private key, is returned as it is, for `readSigner` to judge.
 * @returns the text with the key as PKCS#8, not encrypted; never to be written anywhere
 * @throws {AttestError} KEY_PASSWORD (none, or one that does not open the key) | KEY_UNREADABLE (a malformed key of cosign)
 */
export async function unlockKey(pem: string, askPassword: AskPassword): Promise<string> {
  const [pkcs8] = PKCS8.exec(pem) ?? [];
  const [cosign, , body = ''] = COSIGN.exec(pem) ?? [];
  const locked = pkcs8 ?? cosign;
  const isOne = pem.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----/g)?.length === 1;
  if (locked === undefined || !isOne) return pem;
  const password = (await askPassword()) ?? raiseMissing();
  const opened = pkcs8 === undefined ? await openCosign(body, password) : openPkcs8(pkcs8, password);
  return pem.replace(locked, () => opened);
}

/** Only who has such a key loads a cipher for it. */
async function openCosign(body: string, password: string): Promise<string> {
  const { openCosignKey } = await import('./cosign_key.ts');
  const der = await openCosignKey(body, password);
  return pkcs8Of(() => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

const openPkcs8 = (pem: string, password: string): string =>
  pkcs8Of(() => createPrivateKey({ key: pem, passphrase: password }));

function pkcs8Of(read: () => ReturnType<typeof createPrivateKey>): string {
  try {
    return read().export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch {
    // No cause: what a parser says of a key or of a password is not for a log.
    throw wrongPassword();
  }
}

/** The password is another one, or the key was damaged: a cipher cannot tell which. */
export const wrongPassword = (): AttestError =>
  new AttestError('KEY_PASSWORD', 'the private key does not open with this password', {
    hint: '--key-password-file is taken first, then COUNTERSIGN_PASSWORD, then what is typed',
  });

function raiseMissing(): never {
  throw new AttestError('KEY_PASSWORD', 'the private key is encrypted, and no password is given', {
    hint: 'set COUNTERSIGN_PASSWORD, or name a file with --key-password-file',
  });
}
