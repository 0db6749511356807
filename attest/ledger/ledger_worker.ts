// SPDX-License-Identifier: Apache-2.0
// The thread of `openLedgerThread`: it opens the ledger with the first append and answers each when it is on disk.
import { parentPort, workerData } from 'node:worker_threads';
import { AttestError, type AttestErrorCode } from '../error.ts';
import type { Envelope } from '../sign/index.ts';
import type { Bundle } from './bundle.ts';
import { type Ledger, openLedger } from './ledger.ts';

/** One append. */
export interface Request {
  readonly id: number;
  readonly envelope: Envelope;
  readonly publicKeyDer: Uint8Array;
}

/** What became of it: what the bundle has besides the envelope, or why there is none. */
export type Reply =
  | { readonly id: number; readonly material: Bundle['verificationMaterial'] }
  | {
      readonly id: number;
      readonly code: AttestErrorCode;
      readonly message: string;
      readonly hint?: string;
    };

const directory: unknown = workerData;
let ledger: Ledger | undefined;
const answering = new Set<Promise<void>>();

parentPort?.on('message', (message: Request | 'close') => {
  if (message === 'close') void end();
  else {
    const answered = answer(message).then((reply) => parentPort?.postMessage(reply));
    answering.add(answered);
    void answered.then(() => answering.delete(answered));
  }
});

async function answer({ id, envelope, publicKeyDer }: Request): Promise<Reply> {
  try {
    // The clock is asked only where a ledger is made, and this one exists.
    ledger ??= openLedger({ directory: String(directory), create: false, now: () => new Date(0) });
    const bundle = await ledger.append(envelope, { publicKeyDer: Buffer.from(publicKeyDer) });
    return { id, material: bundle.verificationMaterial };
  } catch (error) {
    if (!(error instanceof AttestError)) throw error;
    const { code, message, hint } = error;
    return { id, code, message, ...(hint === undefined ? {} : { hint }) };
  }
}

async function end(): Promise<void> {
  await Promise.all(answering);
  await ledger?.close();
  parentPort?.close();
}
