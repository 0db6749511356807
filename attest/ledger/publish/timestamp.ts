// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Reader, SignedCheckpoint } from '../reading/reader.ts';
import { writeOnce } from './folder.ts';

/**
 * Keeps a checkpoint with the time at which an authority saw it, each in a file of its own; one that is there is not asked for again.
 * Rejects with {AttestError} SIGSTORE_UNAVAILABLE | SIGSTORE_REFUSED | CHECKPOINT_UNPUBLISHED
 */
export async function keepTimed(
  { publicKey }: Reader,
  { size, root, note }: SignedCheckpoint,
  { url, directory }: { readonly url: URL; readonly directory: string },
): Promise<void> {
  const name = `${size}-${Buffer.from(root).toString('hex').slice(0, 16)}.json`;
  await writeOnce(join(directory, name), async () => {
    // Only where there is an authority to ask.
    const { stampCheckpoint } = await import('../../timestamp/index.ts');
    return Buffer.from(await stampCheckpoint(note, publicKey, url.href));
  });
}
