// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import { AttestError } from '../error.ts';
import type { Batch, Reply } from './keeper_worker.ts';
import type { Item } from './store.ts';

/** Keeps inputs beside the thread that asks. */
export interface Keeper {
  /**
   * Resolves when the item is on disk; what is asked for in one turn of the event loop shares a commit.
   * Rejects with {AttestError} INPUTS_UNAVAILABLE
   */
  keep(item: Item): Promise<void>;
  /** Waits for what was asked, then closes the store. */
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const FILE = import.meta.url.endsWith('.ts') ? './keeper_worker.ts' : './keeper_worker.js';

/** Opens a keeper for a state folder: compressing takes time and a commit waits for the disk. A thread that ended is replaced. */
export function openKeeper(directory: string): Keeper {
  const waiting = new Map<number, Waiting>();
  let batch: { readonly id: number; readonly item: Item }[] = [];
  let worker: Worker | undefined;
  let next = 0;

  function flush(): void {
    const asked: Batch = batch;
    batch = [];
    try {
      worker ??= start();
      worker.ref();
      worker.postMessage(asked);
    } catch (cause) {
      lost(cause);
    }
  }

  function start(): Worker {
    const started = new Worker(new URL(FILE, import.meta.url), {
      workerData: directory,
      env: {},
      execArgv: [],
    });
    started.on('message', settle);
    started.on('error', (cause) => worker === started && lost(cause));
    started.on('exit', (code) => worker === started && lost(new Error(`exit ${code}`)));
    return started;
  }

  function settle({ ids, failure }: Reply): void {
    for (const id of ids) {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (failure === undefined) asked?.resolve();
      else asked?.reject(new AttestError(failure.code, failure.message, failure));
    }
    if (waiting.size === 0) worker?.unref();
  }

  function lost(cause: unknown): void {
    worker = undefined;
    const error = new AttestError('INPUTS_UNAVAILABLE', 'the thread that keeps inputs ended', {
      hint: 'try again',
      cause,
    });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  return {
    keep: (item) =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        if (batch.length === 0) setImmediate(flush);
        batch.push({ id, item });
      }),
    close: async () => {
      if (batch.length > 0) flush();
      const ending = worker;
      if (ending === undefined) return;
      await new Promise<void>((resolve) => {
        ending.once('exit', () => resolve());
        ending.ref();
        ending.postMessage('close');
      });
    },
  };
}
