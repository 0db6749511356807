// SPDX-License-Identifier: Apache-2.0
// The thread of `openRecorder`: it opens the ledger with the first batch and answers each when all of it is on disk or refused.
import { parentPort, workerData } from 'node:worker_threads';
import { AttestError, type AttestErrorCode } from '../error.ts';
import { openSigner, type Signer, signStatement } from '../sign/index.ts';
import { type Ledger, openLedger } from './ledger.ts';
import type { RecorderOptions } from './recorder.ts';

/** What is to be signed and appended. */
export type Batch = readonly { readonly id: number; readonly statement: Uint8Array }[];

/** What became of one of them. */
export type Reply =
  | { readonly id: number; readonly logIndex: number }
  | {
      readonly id: number;
      readonly code: AttestErrorCode;
      readonly message: string;
      readonly hint?: string;
    };

const options: RecorderOptions = workerData;
const answering = new Set<Promise<void>>();
let opening: Promise<Opened> | undefined;

interface Opened {
  readonly ledger: Ledger;
  readonly signer: Signer;
}

parentPort?.on('message', (message: Batch | 'close') => {
  if (message === 'close') void end();
  else {
    const answered = Promise.all(message.map(answer)).then((replies) => parentPort?.postMessage(replies));
    answering.add(answered);
    void answered.then(() => answering.delete(answered));
  }
});

async function answer({ id, statement }: Batch[number]): Promise<Reply> {
  try {
    opening ??= open();
    const { ledger, signer } = await opening;
    const bundle = await ledger.append(await signStatement(statement, signer), signer);
    return { id, logIndex: Number(bundle.verificationMaterial.tlogEntries[0]?.logIndex) };
  } catch (error) {
    if (!(error instanceof AttestError)) throw error;
    const { code, message, hint } = error;
    return { id, code, message, ...(hint === undefined ? {} : { hint }) };
  }
}

async function open(): Promise<Opened> {
  try {
    const signer = await openSigner(options.key);
    // The clock is asked only where a ledger is made, and this one exists.
    const ledger = openLedger({ directory: options.directory, create: false, now: () => new Date(0) });
    return { signer, ledger };
  } catch (error) {
    opening = undefined; // the next statement tries again
    throw error;
  }
}

async function end(): Promise<void> {
  await Promise.all(answering);
  const opened = await opening?.catch(() => undefined);
  await opened?.ledger.close();
  parentPort?.postMessage('closed');
  parentPort?.close();
}
