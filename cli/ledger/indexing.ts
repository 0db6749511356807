// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import { messageOf } from '../cause.ts';
import type { Io } from '../io.ts';
import type { Failure } from './indexing_worker.ts';
import type { LedgerPlace } from './place.ts';

/** Catches up the index beside the ledger of a server, so that whoever asks `records` does not wait for all that it recorded. */
export interface Indexing {
  /** Something was recorded: the next turn has something to do. */
  touch(): void;
  /** Takes the next turn now, after one that is under way: much came at once. Resolves when it is done. */
  now(): Promise<void>;
  /** Ends what is under way; what is not indexed then is by whoever asks next. */
  stop(): Promise<void>;
}

const EVERY_MS = 30_000;
const FILE = import.meta.url.endsWith('.ts') ? './indexing_worker.ts' : './indexing_worker.js';

/**
 * Starts it: at once for what is there, and then now and then where something was recorded since. Each turn is a thread of its own that
 * ends, for reading a million records takes a while, and whoever judges should not wait. An index that cannot be made is told, once.
 */
export function startIndexing(place: LedgerPlace, io: Pick<Io, 'err'>, everyMs = EVERY_MS): Indexing {
  let isWanted = true;
  let worker: Worker | undefined;
  let isStopped = false;
  let told: string | undefined;
  let running = Promise.resolve();

  async function turn(): Promise<void> {
    if (!isWanted || isStopped) return;
    isWanted = false;
    const failure = await catchUp(place, (started) => {
      worker = started;
    });
    worker = undefined;
    if (failure === undefined || isStopped) return;
    isWanted = true;
    if (failure.isLedgers || failure.message === told) return;
    told = failure.message;
    const message = `the index of the ledger is not caught up: ${told}`;
    io.err(`${JSON.stringify({ level: 'warn', event: 'index', message })}\n`);
  }

  const next = (): Promise<void> => {
    running = running.then(turn);
    return running;
  };
  const timer = setInterval(() => void next(), everyMs);
  timer.unref();
  void next();
  return {
    touch: () => {
      isWanted = true;
    },
    now: () => {
      isWanted = true;
      return next();
    },
    stop: async () => {
      clearInterval(timer);
      isStopped = true;
      await worker?.terminate();
      await running;
    },
  };
}

/** One turn, in a thread that is given nothing of the process. */
function catchUp(place: LedgerPlace, onStart: (worker: Worker) => void): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    let failure: Failure | undefined;
    const fail = (error: unknown): void => {
      failure = { message: messageOf(error), isLedgers: false };
    };
    try {
      const worker = new Worker(new URL(FILE, import.meta.url), { workerData: place, env: {}, execArgv: [] });
      worker.unref();
      worker.on('message', (said: Failure) => {
        failure = said;
      });
      worker.on('error', fail);
      worker.on('exit', () => resolve(failure));
      onStart(worker);
    } catch (error) {
      // The system gives no thread now.
      fail(error);
      resolve(failure);
    }
  });
}
