// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import { AttestError } from '../error.ts';
import type { SigningKey } from '../sign/index.ts';
import type { Batch, Reply } from './recorder_worker.ts';

/** Signs statements and adds them to a ledger, beside the thread that asks. */
export interface Recorder {
  /**
   * Signs and appends; resolves with the record's index in the log, and only when it is on disk. What is asked for in one turn of
   * the event loop shares a commit. A rejected statement is not in the log, unless the thread ended (LEDGER_UNAVAILABLE says so).
   * Rejects with {AttestError} BUNDLE_SHAPE | LEDGER_UNAVAILABLE | LEDGER_FULL | LEDGER_CORRUPT | KEY_UNREADABLE | KEY_KIND | KMS_…
   */
  record(statement: Uint8Array): Promise<{ readonly logIndex: number }>;
  /** Waits for what was asked, then closes the ledger. */
  close(): Promise<void>;
}

/** What the thread needs: the folder of a ledger that exists, and the key that signs, which the thread opens for itself. */
export interface RecorderOptions {
  readonly directory: string;
  readonly key: SigningKey;
}

interface Waiting {
  readonly resolve: (record: { readonly logIndex: number }) => void;
  readonly reject: (error: unknown) => void;
}

const FILE = import.meta.url.endsWith('.ts') ? './recorder_worker.ts' : './recorder_worker.js';

/**
 * Opens a recorder: a signature takes time and a commit waits for the disk, and a thread that judges should do neither. When its
 * thread ends unforeseen all that was asked is rejected, and the next statement starts a new one.
 */
export function openRecorder(options: RecorderOptions): Recorder {
  const waiting = new Map<number, Waiting>();
  let batch: { id: number; statement: Uint8Array }[] = [];
  let worker: Worker | undefined;
  let next = 0;
  let closing: Promise<void> | undefined;

  function flush(): void {
    const asked: Batch = batch;
    batch = [];
    try {
      worker ??= startWorker(options, { settle, lost });
    } catch (cause) {
      // The system gives no thread now.
      for (const { id } of asked) refuse(id, cause);
      return;
    }
    worker.ref();
    worker.postMessage(asked);
  }

  function refuse(id: number, cause: unknown): void {
    const { reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    reject?.(new AttestError('LEDGER_UNAVAILABLE', 'the thread of the ledger does not start', { cause }));
  }

  function settle(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const asked = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ('logIndex' in reply) asked?.resolve({ logIndex: reply.logIndex });
      else asked?.reject(new AttestError(reply.code, reply.message, reply));
    }
    if (waiting.size === 0) worker?.unref();
  }

  function lost(gone: Worker, cause: unknown): void {
    if (worker !== gone) return;
    worker = undefined;
    const error = new AttestError('LEDGER_UNAVAILABLE', 'the thread of the ledger ended', {
      hint: 'try again; whether the record is in the ledger is not known',
      cause,
    });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  async function end(): Promise<void> {
    if (batch.length > 0) flush();
    if (worker !== undefined) await endOf(worker);
  }

  return {
    record: async (statement) => {
      if (closing !== undefined) throw new AttestError('LEDGER_UNAVAILABLE', 'the ledger is closed');
      return new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        if (batch.length === 0) setImmediate(() => batch.length > 0 && flush());
        batch.push({ id, statement });
      });
    },
    close: () => {
      closing ??= end();
      return closing;
    },
  };
}

interface Handlers {
  readonly settle: (replies: readonly Reply[]) => void;
  readonly lost: (gone: Worker, cause: unknown) => void;
}

/** No flags of the process, and of its environment what its key needs: the thread has nothing but what it is given. */
function startWorker(options: RecorderOptions, { settle, lost }: Handlers): Worker {
  const env = { ...options.key.env };
  const worker = new Worker(new URL(FILE, import.meta.url), { workerData: options, env, execArgv: [] });
  worker.on('message', (message: readonly Reply[] | 'closed') => {
    // The client of a KMS may keep connections, and these the thread.
    if (message === 'closed') void worker.terminate();
    else settle(message);
  });
  worker.on('error', (cause) => lost(worker, cause));
  worker.on('exit', (code) => lost(worker, new Error(`exit ${code}`)));
  return worker;
}

/** What is on its way is done first: the thread ends when it has nothing left to do. */
function endOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.ref();
    worker.postMessage('close');
  });
}
