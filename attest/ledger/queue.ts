// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';

/** Requests that wait for one another: whatever arrives in one turn of the event loop, or during a commit, is done as one batch. */
export interface Queue<Request, Result> {
  add(request: Request): Promise<Result>;
  /** Waits for what is queued, then calls `end`; later requests are refused. */
  close(end: () => void): Promise<void>;
}

interface Waiting<Request, Result> {
  readonly request: Request;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_BATCH = 1_024;
const RETRY_MS = 25;
/** With SQLite's own 50 ms, a lock held elsewhere is waited for about 7.5 s. */
const MAX_RETRIES = 100;

/**
 * Opens a queue over `commit`, which does a batch whole or not at all: results in order, undefined to be asked again a little
 * later (the lock is held elsewhere), or an exception that every request of the batch is rejected with.
 */
export function openQueue<Request, Result>(
  commit: (batch: readonly Request[]) => readonly Result[] | undefined,
): Queue<Request, Result> {
  let waiting: Waiting<Request, Result>[] = [];
  let retries = 0;
  let isScheduled = false;
  let closing: Promise<void> | undefined;
  let drained: (() => void) | undefined;

  function schedule(): void {
    if (isScheduled) return;
    if (waiting.length === 0) {
      drained?.();
      return;
    }
    isScheduled = true;
    // After the poll phase: requests that have just been read from their sockets join this batch.
    if (retries === 0) setImmediate(run);
    else setTimeout(run, RETRY_MS);
  }

  function run(): void {
    isScheduled = false;
    const batch = waiting.slice(0, MAX_BATCH);
    try {
      const results = commit(batch.map(({ request }) => request));
      if (results === undefined && ++retries <= MAX_RETRIES) {
        schedule();
        return;
      }
      settle(batch, results);
    } catch (error) {
      drop(batch, error);
    }
    schedule();
  }

  function settle(batch: Waiting<Request, Result>[], results: readonly Result[] | undefined): void {
    if (results === undefined) {
      const hint = 'let it finish, or give each process a ledger of its own';
      throw new AttestError('LEDGER_UNAVAILABLE', 'another process holds the ledger', { hint });
    }
    retries = 0;
    waiting = waiting.slice(batch.length);
    for (const [index, result] of results.entries()) batch[index]?.resolve(result);
  }

  function drop(batch: Waiting<Request, Result>[], error: unknown): void {
    retries = 0;
    waiting = waiting.slice(batch.length);
    for (const { reject } of batch) reject(error);
  }

  return {
    add: (request) => {
      if (closing !== undefined)
        return Promise.reject(new AttestError('LEDGER_UNAVAILABLE', 'the ledger is closed'));
      return new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject });
        schedule();
      });
    },
    close: (end) => {
      closing ??= new Promise<void>((resolve) => {
        drained = resolve;
        schedule();
      }).then(end);
      return closing;
    },
  };
}
