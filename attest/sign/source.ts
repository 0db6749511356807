// SPDX-License-Identifier: Apache-2.0
import { readSigner, type Signer } from './key.ts';

/** A key as it can be handed to a thread, which opens it there. */
export interface SigningKey {
  /** A private key in PEM, not encrypted, or the URI of a key in a KMS. */
  readonly key: string;
  /** What a KMS needs of the environment: addresses and credentials. Empty for a key in PEM. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Whether a text names a key in a KMS: a scheme and `://`, which no path of a file has. */
export const isKeyUri = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//.test(text);

/**
 * Opens a key that signs.
 * @throws {AttestError} KEY_UNREADABLE | KEY_KIND | KMS_…
 */
export async function openSigner({ key, env }: SigningKey): Promise<Signer> {
  if (!isKeyUri(key)) return readSigner(key);
  const { openKms } = await import('./kms/index.ts');
  return openKms(key, env);
}
