// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import type { ImageDigest } from '../../attest/image/index.ts';
import { errorOf } from '../admission/told.ts';
import { WebhookError } from '../error.ts';
import type { Answered, Asked } from './proving_worker.ts';
import type { ClaimScope } from './scope.ts';

/** Proves what is attached to images, in a thread of its own. */
export interface Proving {
  /** The claims about an image, each as canonical JSON text. Rejects with {WebhookError} CLAIMS_UNAVAILABLE, or what broke */
  prove(scope: ClaimScope, image: ImageDigest): Promise<readonly string[]>;
  /** Ends the thread; what waits is rejected, and nothing is taken any more. */
  close(): Promise<void>;
}

/** All requests to a registry about one image, in milliseconds. */
const IMAGE_TIMEOUT_MS = 30_000;
/** After which a thread that owes an answer is ended: its own time-out has then not held. */
const STUCK_MS = 45_000;
const HEAP_MIB = 512;
/** Beside this file as it is run: `.ts`, or `.js` once it is built. */
const FILE = import.meta.url.endsWith('.ts') ? './proving_worker.ts' : './proving_worker.js';

interface Waiting {
  readonly resolve: (texts: readonly string[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** @param now the time by which keys and proofs are judged */
export function openProving(now: () => Date): Proving {
  return new Thread(now);
}

class Thread implements Proving {
  readonly #now: () => Date;
  #worker: Worker | undefined;
  #ticket = 0;
  #isClosed = false;
  readonly #waiting = new Map<number, Waiting>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  prove(scope: ClaimScope, image: ImageDigest): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(unavailable('the server is stopping'));
      this.#worker ??= this.#start();
      const ticket = this.#ticket++;
      const timer = setTimeout(() => void this.#worker?.terminate(), STUCK_MS).unref();
      this.#waiting.set(ticket, { resolve, reject, timer });
      const timeMs = this.#now().getTime();
      const asked: Asked = {
        ticket,
        key: scope.key,
        parts: scope.parts,
        image,
        timeMs,
        timeoutMs: IMAGE_TIMEOUT_MS,
      };
      this.#worker.postMessage(asked);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  /** No environment and no flags of the process: it is given all that it needs. */
  #start(): Worker {
    const worker = new Worker(new URL(FILE, import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
      env: {},
      execArgv: [],
    });
    worker.unref();
    worker.on('message', (answered: Answered) => this.#settle(answered));
    worker.on('error', (cause: Error) => this.#lose(worker, cause));
    worker.on('exit', () => this.#lose(worker, unavailable('the thread that fetches them ended')));
    return worker;
  }

  #settle(answered: Answered): void {
    const waiting = this.#waiting.get(answered.ticket);
    this.#waiting.delete(answered.ticket);
    clearTimeout(waiting?.timer);
    if ('texts' in answered) waiting?.resolve(answered.texts);
    else if ('told' in answered) waiting?.reject(errorOf(answered.told));
    else waiting?.reject(unavailable(`${answered.message} [${answered.code}]`));
  }

  #lose(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(cause);
    }
    this.#waiting.clear();
  }
}

function unavailable(why: string): WebhookError {
  return new WebhookError('CLAIMS_UNAVAILABLE', `attestations cannot be had: ${why}`, {
    hint: 'they are fetched again with the next request; countersign verify image tells more',
  });
}
