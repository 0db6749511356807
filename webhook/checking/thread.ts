// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AttestError } from '../../attest/index.ts';
import { errorOf } from '../admission/told.ts';
import { WebhookError } from '../error.ts';
import type { CheckFacts, CheckJudged, CheckParts } from './checking.ts';
import type { Answered, Asked, CheckingData } from './checking_worker.ts';

/** Checks sets in a thread of its own, one after the other: whatever they take, admissions are judged by other threads. */
export interface Checking {
  /** What to check by from now on. */
  use(parts: CheckParts): void;
  /**
   * Checks a set when its turn comes. The bytes are moved to the thread.
   * Rejects with what `checkSet` does, and with {WebhookError} NOT_READY | DEADLINE | INTERNAL (the thread ended)
   */
  readonly check: (body: Uint8Array, facts: CheckFacts, leftMs: number) => Promise<CheckJudged>;
  /** Ends the thread; what waits is rejected, and nothing is taken any more. */
  close(): Promise<void>;
}

/** MiB of JavaScript heap: a body of 32 MiB is held as text, as bytes and as objects. */
const HEAP_MIB = 2048;
/** After a body of so many bytes the thread ends, since WebAssembly gives no memory back; the next starts in a second. */
const LARGE_BYTES = 4 * 1024 * 1024;
/** Beside this file as it is run: `.ts`, or `.js` once it is built. */
const FILE = `./checking_worker${extname(import.meta.url).replace('cjs', 'js')}`;

interface Waiting {
  readonly asked: Asked;
  /** Of the body, which is moved to the thread. */
  readonly size: number;
  readonly resolve: (judged: CheckJudged) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** Opens a thread that is started with the first set. */
export function openChecking(data: CheckingData): Checking {
  return new Thread(data);
}

class Thread implements Checking {
  readonly #data: CheckingData;
  readonly #waiting: Waiting[] = [];
  #running: Waiting | undefined;
  #worker: Worker | undefined;
  #parts: CheckParts | undefined;
  /** What the thread has. */
  #sent: CheckParts | undefined;
  #isClosed = false;

  constructor(data: CheckingData) {
    this.#data = data;
  }

  use(parts: CheckParts): void {
    this.#parts = parts;
  }

  readonly check: Checking['check'] = (body, facts, leftMs) =>
    new Promise((resolve, reject) => {
      if (this.#isClosed || this.#parts === undefined) {
        reject(new WebhookError('NOT_READY', 'not ready: no policies'));
        return;
      }
      const timer = setTimeout(() => this.#expire(waiting), Math.max(leftMs, 0)).unref();
      const asked = { body: Uint8Array.from(body), facts };
      const waiting: Waiting = { asked, size: body.length, resolve, reject, timer };
      this.#waiting.push(waiting);
      this.#next();
    });

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const waiting of this.#waiting.splice(0)) refuse(waiting, gone());
    await this.#worker?.terminate();
  }

  #next(): void {
    const parts = this.#parts;
    if (this.#running !== undefined || parts === undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#running = waiting;
    try {
      this.#worker ??= this.#start();
      const asked: Asked = { ...waiting.asked, ...(this.#sent === parts ? {} : { parts }) };
      const { buffer } = asked.body;
      this.#worker.postMessage(asked, buffer instanceof ArrayBuffer ? [buffer] : []);
      this.#sent = parts;
    } catch (error) {
      // Such as no thread left in the system.
      this.#settle((one) => refuse(one, error));
    }
  }

  /** No evaluation can be ended from outside but with its thread. */
  #expire(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting);
    if (at >= 0) this.#waiting.splice(at, 1);
    refuse(
      waiting,
      new WebhookError('DEADLINE', 'no decision in the time that a check may take', {
        hint: 'check a smaller set, or try again when fewer are checked',
      }),
    );
    const worker = this.#worker;
    if (this.#running !== waiting || worker === undefined) return;
    this.#lose(worker, undefined);
    void worker.terminate();
  }

  /** No environment and no flags of the process: it is given all that it needs. */
  #start(): Worker {
    const worker = new Worker(new URL(FILE, import.meta.url), {
      workerData: this.#data,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
      env: {},
      execArgv: [],
    });
    worker.on('message', (answered: Answered) => {
      // One that was ended may have spoken before it was.
      if (this.#worker !== worker) return;
      if ((this.#running?.size ?? 0) > LARGE_BYTES) this.#retire(worker);
      this.#settle((one) => settle(one, answered));
    });
    worker.on('error', (cause) => this.#lose(worker, cause));
    worker.on('exit', (code) => this.#lose(worker, new Error(`exit ${code}`)));
    return worker;
  }

  #retire(worker: Worker): void {
    this.#worker = undefined;
    this.#sent = undefined;
    void worker.terminate();
  }

  #settle(settleOne: (waiting: Waiting) => void): void {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) settleOne(running);
    this.#next();
  }

  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#sent = undefined;
    this.#settle((one) => refuse(one, gone(cause)));
  }
}

function settle(waiting: Waiting, answered: Answered): void {
  if ('judged' in answered) {
    clearTimeout(waiting.timer);
    waiting.resolve(answered.judged);
  } else if ('attest' in answered) {
    const { code, message, hint } = answered.attest;
    refuse(waiting, new AttestError(code, message, hint === undefined ? {} : { hint }));
  } else refuse(waiting, errorOf(answered.told));
}

function refuse({ timer, reject }: Waiting, error: unknown): void {
  clearTimeout(timer);
  reject(error);
}

function gone(cause?: unknown): WebhookError {
  return new WebhookError('INTERNAL', 'the thread that checked ended', {
    hint: 'try again; if it lasts, look for a policy that takes very much memory',
    cause,
  });
}
