// SPDX-License-Identifier: Apache-2.0
import { cosignedAt, readCheckpoint, readIndex, type Witness } from '../../log/index.ts';
import type { Reader, SignedCheckpoint } from '../reading/reader.ts';
import { type Answer, post, unpublished } from './post.ts';

/**
 * Has a witness cosign a checkpoint, and resolves with the signature lines that hold. The witness remembers which checkpoint it last
 * cosigned; where that is another than we took it for, it says so (409) and is asked once more with the proof from there on.
 * Rejects with {AttestError} CHECKPOINT_UNPUBLISHED  also where the witness has seen a longer log, or another of the same length: then
 * this ledger was cut back or written anew
 * @param cosigned the size that it cosigned last, as far as we know; 0 where we do not
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-witness.md
 */
export async function cosign(
  reader: Reader,
  checkpoint: SignedCheckpoint,
  { url, witness, cosigned }: { readonly url: URL; readonly witness: Witness; readonly cosigned: number },
): Promise<string> {
  const address = new URL(`${url.href.replace(/\/$/, '')}/add-checkpoint`);
  const ask = async (old: number): Promise<Answer> => post(address, await requestOf(reader, checkpoint, old));
  const first = Math.min(cosigned, checkpoint.size);
  let answer = await ask(first);
  if (answer.status === 409) {
    const size = sizeIn(answer);
    if (size === undefined) throw unpublished(url, 'it has seen another log of this name and size');
    if (size > checkpoint.size)
      throw unpublished(url, `it has seen ${size} records of this log, which has ${checkpoint.size}`);
    if (size === first) throw unpublished(url, `it has seen another log of this name, of ${size} records`);
    answer = await ask(size);
  }
  if (answer.status !== 200) throw unpublished(url, REASONS[answer.status] ?? `it answers ${answer.status}`);
  return linesOf(answer.text, checkpoint, { url, witness });
}

const REASONS: Readonly<Record<number, string>> = {
  403: 'it does not trust the key of this log',
  404: 'it does not know this log',
  409: 'it has seen another log of this name and size',
  422: 'this log has not grown from the one that it has seen',
};

async function requestOf(reader: Reader, { size, note }: SignedCheckpoint, old: number): Promise<string> {
  const proof = await reader.consistency(old, size);
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return `old ${old}\n${lines.join('')}\n${note}`;
}

/** The size that a witness answers a conflict with. */
function sizeIn({ type, text }: Answer): number | undefined {
  return type.split(';')[0]?.trim() === 'text/x.tlog.size' ? readIndex(text.replace(/\n$/, '')) : undefined;
}

/** Only lines by the witness that was asked, over the checkpoint that it was asked about. */
function linesOf(
  text: string,
  { note }: SignedCheckpoint,
  { url, witness }: { readonly url: URL; readonly witness: Witness },
): string {
  const lines = text.split('\n').filter((line) => line !== '');
  const good = lines.filter((line) => {
    const read = readCheckpoint(`${note}${line}\n`);
    return read !== undefined && cosignedAt(read, witness) !== undefined;
  });
  if (good.length === 0)
    throw unpublished(url, `what it answers is not signed by ${JSON.stringify(witness.name)}`);
  return good.map((line) => `${line}\n`).join('');
}
