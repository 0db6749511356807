// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../../error.ts';
import type { Queue } from '../queue.ts';

interface Waiting<Request, Result> {
  readonly request: Request;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_BATCH = 1_024;

/** A queue whose commits take their time: whatever arrives during one is done as the next. Results are in the order of the requests. */
export function openAsyncQueue<Request, Result>(
  commit: (batch: readonly Request[]) => Promise<readonly Result[]>,
): Queue<Request, Result> {
  let waiting: Waiting<Request, Result>[] = [];
  let running: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  async function run(): Promise<void> {
    // What arrives in this turn of the event loop is in the first batch.
    await new Promise((wake) => setImmediate(wake));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH);
      waiting = waiting.slice(batch.length);
      try {
        const results = await commit(batch.map(({ request }) => request));
        for (const [index, result] of results.entries()) batch[index]?.resolve(result);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = undefined;
  }

  return {
    add: (request) => {
      if (closing !== undefined)
        return Promise.reject(new AttestError('LEDGER_UNAVAILABLE', 'the ledger is closed'));
      return new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject });
        running ??= run();
      });
    },
    close: (end) => {
      closing ??= (running ?? Promise.resolve()).then(end);
      return closing;
    },
  };
}
