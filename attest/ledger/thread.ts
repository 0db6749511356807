// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import { AttestError } from '../error.ts';
import type { Envelope } from '../sign/index.ts';
import { BUNDLE_MEDIA_TYPE, type Bundle } from './bundle.ts';
import type { Ledger } from './ledger.ts';
import type { Reply, Request } from './ledger_worker.ts';

/** A ledger that can only be added to and closed. */
export type Appender = Pick<Ledger, 'append' | 'close'>;

interface Waiting {
  readonly envelope: Envelope;
  readonly resolve: (bundle: Bundle) => void;
  readonly reject: (error: unknown) => void;
}

const FILE = import.meta.url.endsWith('.ts') ? './ledger_worker.ts' : './ledger_worker.js';

/**
 * Opens the ledger of a folder, which exists, in a thread of its own: a commit waits for the disk, and the thread that judges
 * does not wait with it. Appends are as those of `openLedger`, and their errors too. When the thread ends unforeseen every append on
 * its way is rejected with LEDGER_UNAVAILABLE, though its record may be in the log, and the next append opens the ledger anew.
 */
export function openLedgerThread(directory: string): Appender {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let next = 0;
  let closing: Promise<void> | undefined;

  function current(): Worker {
    worker ??= startWorker(directory, { settle, lost });
    return worker;
  }

  function settle(reply: Reply): void {
    const found = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (waiting.size === 0) worker?.unref();
    if ('material' in reply)
      found?.resolve({
        mediaType: BUNDLE_MEDIA_TYPE,
        verificationMaterial: reply.material,
        dsseEnvelope: found.envelope,
      });
    else found?.reject(new AttestError(reply.code, reply.message, reply));
  }

  function lost(gone: Worker, cause: unknown): void {
    if (worker !== gone) return;
    worker = undefined;
    const error = new AttestError('LEDGER_UNAVAILABLE', "the ledger's thread ended", {
      hint: 'try again; whether the record is in the ledger is not known',
      cause,
    });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  async function append(envelope: Envelope, signer: { readonly publicKeyDer: Buffer }): Promise<Bundle> {
    if (closing !== undefined) throw new AttestError('LEDGER_UNAVAILABLE', 'the ledger is closed');
    const id = next++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { envelope, resolve, reject });
      const request: Request = { id, envelope, publicKeyDer: signer.publicKeyDer };
      current().ref();
      current().postMessage(request);
    });
  }

  return {
    append,
    close: () => {
      closing ??= end(worker);
      return closing;
    },
  };
}

interface Handlers {
  readonly settle: (reply: Reply) => void;
  readonly lost: (gone: Worker, cause: unknown) => void;
}

/** No environment and no flags of the process: the thread needs nothing but the folder. */
function startWorker(directory: string, { settle, lost }: Handlers): Worker {
  const worker = new Worker(new URL(FILE, import.meta.url), { workerData: directory, env: {}, execArgv: [] });
  worker.on('message', settle);
  worker.on('error', (cause) => lost(worker, cause));
  worker.on('exit', (code) => lost(worker, new Error(`exit ${code}`)));
  return worker;
}

/** Appends on their way are done first: the thread ends when its queue has. */
function end(worker: Worker | undefined): Promise<void> {
  if (worker === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.ref();
    worker.postMessage('close');
  });
}
