// SPDX-License-Identifier: Apache-2.0
// The thread of `openKeeper`: it opens the store with the first batch and answers each when all of it is on disk or refused.
import { parentPort, workerData } from 'node:worker_threads';
import { AttestError, type AttestErrorCode } from '../error.ts';
import { type Inputs, type Item, openInputs } from './store.ts';

/** What is to be kept in one commit. */
export type Batch = readonly { readonly id: number; readonly item: Item }[];

/** What became of these. */
export interface Reply {
  readonly ids: readonly number[];
  readonly failure?: { readonly code: AttestErrorCode; readonly message: string; readonly hint?: string };
}

const directory: string = workerData;
let opened: Inputs | undefined;

parentPort?.on('message', (message: Batch | 'close') => {
  if (message === 'close') {
    opened?.close();
    parentPort?.close();
  } else parentPort?.postMessage(answer(message));
});

function answer(batch: Batch): Reply {
  const ids = batch.map(({ id }) => id);
  try {
    opened ??= openInputs(directory, { create: true });
    opened.put(batch.map(({ item }) => item));
    return { ids };
  } catch (error) {
    if (!(error instanceof AttestError)) throw error;
    const { code, message, hint } = error;
    return { ids, failure: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}
