// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { JudgeParts } from '../../engine/parts.ts';
import { WebhookError } from '../error.ts';
import { tooLate } from './handler.ts';
import type { Judged, JudgingFacts } from './judging.ts';
import type { Answered, Asked, Message, Reply, ThreadData } from './judging_worker.ts';
import { errorOf } from './told.ts';

/** Threads that judge, so that what takes long holds up neither connections nor health checks nor, mostly, other admissions. */
export interface JudgingThreads {
  /**
   * Judges one body when its turn comes, unless it is no longer wanted then.
   * Rejects with what `judgeBody` throws, and with {WebhookError} NOT_READY | DEADLINE | INTERNAL (the thread ended)
   */
  judge(body: Uint8Array, facts: JudgingFacts, isWanted: () => boolean): Promise<Judged>;
  /**
   * What to judge by from now on. Resolves when every thread does; admissions that were asked for later are judged by nothing else.
   * Rejects with {EngineError} | {WebhookError} INTERNAL when a thread cannot load it; all then judge by what they had before.
   */
  use(parts: JudgeParts): Promise<void>;
  /** Why nothing can be judged: no thread has policies, or not yet. Empty when one has. */
  notReady(): readonly string[];
  /** Ends the threads; what waits is rejected, and nothing is taken any more. */
  close(): Promise<void>;
}

/** How many threads there are, and what each is started with. */
export interface ThreadsOptions extends ThreadData {
  readonly count: number;
  /** MiB of JavaScript heap a thread may take before it is ended; a body of 7 MiB can take some hundred. */
  readonly heapMib?: number;
  /** Milliseconds after which a thread that owes an answer is ended; longer than any caller waits. */
  readonly stuckMs?: number;
}

/** As many as one thread is sent at once: with more, others would wait behind one that takes long while a thread is free. */
const AT_ONCE = 4;
/** Bodies from this size on are moved to the thread instead of copied twice. */
const MOVED_BYTES = 64 * 1024;
const HEAP_MIB = 1024;
/** Step limits end every evaluation long before: this is for what they do not know of. */
const STUCK_MS = 60_000;
/** From the end of a thread that could not open to the start of the next: each loads all policies. */
const RETRY_MS = 1_000;
/** Beside this file as it is run: `.ts`, or `.js` once it is built. */
const FILE = `./judging_worker${extname(import.meta.url).replace('cjs', 'js')}`;

interface Waiting {
  /** When it was sent to a thread. */
  sentMs?: number;
  readonly body: Uint8Array;
  readonly facts: JudgingFacts;
  readonly isWanted: () => boolean;
  readonly resolve: (judged: Judged) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** It has what it was told to judge by; until then it is handed nothing. */
  isOpen: boolean;
  readonly asked: Map<number, Waiting>;
  /** Whoever waits for parts that it was sent, in order. */
  readonly opening: Opening[];
}

interface Opening {
  readonly sentMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Opens threads that judge by nothing yet. One that ends unforeseen rejects what it was asked, and another takes its place. */
export function openThreads(options: ThreadsOptions): JudgingThreads {
  // Of the whole process, as V8 has it: with a thread for each core, threads that help each other collect their garbage only take
  // the cores from one another (8 % of the time of an admission).
  setFlagsFromString('--no-parallel-scavenge');
  return new Pool(options);
}

class Pool implements JudgingThreads {
  readonly #options: ThreadsOptions;
  readonly #threads = new Set<Thread>();
  #parts: JudgeParts | undefined;
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #isClosed = false;
  #ticket = 0;
  #retryAtMs = 0;
  readonly #watch: NodeJS.Timeout;

  constructor(options: ThreadsOptions) {
    this.#options = options;
    const { stuckMs = STUCK_MS } = options;
    this.#watch = setInterval(() => this.#endStuck(stuckMs), stuckMs / 4).unref();
  }

  judge(body: Uint8Array, facts: JudgingFacts, isWanted: () => boolean): Promise<Judged> {
    return new Promise((resolve, reject) => {
      if (this.#parts === undefined || this.#isClosed) {
        reject(new WebhookError('NOT_READY', 'not ready: no policies'));
        return;
      }
      this.#waiting.push({ body, facts, isWanted, resolve, reject });
      // What comes in in one turn of the event loop goes out as one message.
      if (!this.#isScheduled) setImmediate(() => this.#hand());
      this.#isScheduled = true;
    });
  }

  async use(parts: JudgeParts): Promise<void> {
    const before = this.#parts;
    try {
      await this.#openAll(parts);
    } catch (error) {
      this.#parts = before;
      if (before !== undefined && !this.#isClosed) await this.#openAll(before);
      throw error;
    }
  }

  notReady(): readonly string[] {
    return [...this.#threads].some(({ isOpen }) => isOpen) ? [] : ['no thread that judges'];
  }

  async #openAll(parts: JudgeParts): Promise<void> {
    if (this.#isClosed) throw gone();
    this.#parts = parts;
    while (this.#threads.size < this.#options.count) this.#threads.add(this.#start());
    const opened = await Promise.allSettled([...this.#threads].map((thread) => this.#open(thread, parts)));
    for (const one of opened) if (one.status === 'rejected') throw one.reason;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#rejectAll();
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  /** Hands out what waits, to the threads with the least to do. */
  #hand(): void {
    this.#isScheduled = false;
    this.#refill();
    if (this.#threads.size === 0) this.#rejectAll();
    this.#sweep();
    const batches = new Map<Thread, Asked[]>();
    for (let thread = this.#freest(); thread !== undefined; thread = this.#freest()) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) break;
      batches.set(thread, [...(batches.get(thread) ?? []), this.#ask(thread, waiting)]);
    }
    for (const [{ worker }, batch] of batches) send(worker, batch);
  }

  /** What nobody waits for any more goes, whether a thread is free or not. */
  #sweep(): void {
    const isWanted = (waiting: Waiting): boolean => {
      const wanted = waiting.isWanted();
      if (!wanted) waiting.reject(tooLate());
      return wanted;
    };
    this.#waiting = this.#waiting.filter(isWanted);
  }

  #ask(thread: Thread, waiting: Waiting): Asked {
    const { body, facts } = waiting;
    const ticket = this.#ticket++;
    waiting.sentMs = performance.now();
    thread.asked.set(ticket, waiting);
    // Bytes of their own: the body may be a slice of a larger buffer, which would go along.
    const { time, id, ...proved } = facts;
    return {
      ticket,
      body: Uint8Array.from(body),
      time: time.getTime(),
      decision: id,
      ...proved,
    };
  }

  /** Puts another thread in the place of one that ended. Where the system gives none, those that are left go on; without any, nobody does. */
  #refill(): void {
    const parts = this.#parts;
    if (parts === undefined || this.#isClosed || performance.now() < this.#retryAtMs) return;
    try {
      while (this.#threads.size < this.#options.count) {
        const thread = this.#start();
        this.#threads.add(thread);
        // One that cannot open them is ended (see `#settle`).
        this.#open(thread, parts).catch(() => undefined);
      }
    } catch {
      // Those that are there go on.
    }
  }

  #rejectAll(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(gone());
  }

  #endStuck(stuckMs: number): void {
    for (const { asked, opening, worker } of this.#threads) {
      // In the order in which they were sent, and are answered.
      const [oldest] = [...asked.values(), ...opening];
      if (oldest?.sentMs !== undefined && performance.now() - oldest.sentMs > stuckMs)
        void worker.terminate();
    }
  }

  #freest(): Thread | undefined {
    let freest: Thread | undefined;
    for (const thread of this.#threads)
      if (thread.isOpen && thread.asked.size < (freest?.asked.size ?? AT_ONCE)) freest = thread;
    return freest;
  }

  #open(thread: Thread, parts: JudgeParts): Promise<void> {
    return new Promise((resolve, reject) => {
      const message: Message = { parts };
      thread.worker.postMessage(message);
      thread.opening.push({ sentMs: performance.now(), resolve, reject });
    });
  }

  /** No environment and no flags of the process: a thread needs nothing but what it is given. */
  #start(): Thread {
    const { toolchain, engine, heapMib = HEAP_MIB } = this.#options;
    const workerData: ThreadData = { toolchain, engine };
    const resourceLimits = { maxOldGenerationSizeMb: heapMib };
    const frame = { workerData, resourceLimits, env: {}, execArgv: [] };
    const worker = new Worker(new URL(FILE, import.meta.url), frame);
    const thread: Thread = { worker, isOpen: false, asked: new Map(), opening: [] };
    worker.on('message', (reply: Reply) => this.#settle(thread, reply));
    worker.on('error', (cause) => this.#lose(thread, cause));
    worker.on('exit', (code) => this.#lose(thread, new Error(`exit ${code}`)));
    return thread;
  }

  #settle(thread: Thread, reply: Reply): void {
    if ('opened' in reply) {
      thread.isOpen = true;
      thread.opening.shift()?.resolve();
    } else if ('refused' in reply) {
      thread.opening.shift()?.reject(errorOf(reply.refused));
      if (!thread.isOpen) this.#endUnopened(thread);
    } else for (const answered of reply) settle(thread, answered);
    this.#handWaiting();
  }

  /** It judges by nothing, and would be the one with the least to do. */
  #endUnopened(thread: Thread): void {
    this.#threads.delete(thread);
    this.#retryAtMs = performance.now() + RETRY_MS;
    void thread.worker.terminate();
  }

  #handWaiting(): void {
    if (this.#waiting.length > 0 && !this.#isClosed) this.#hand();
  }

  #lose(thread: Thread, cause: unknown): void {
    this.#threads.delete(thread);
    for (const { reject } of thread.opening.splice(0)) reject(gone(cause));
    const lost = [...thread.asked.values()];
    thread.asked.clear();
    for (const { reject } of lost) reject(gone(cause));
    this.#handWaiting();
  }
}

function settle(thread: Thread, answered: Answered): void {
  const waiting = thread.asked.get(answered.ticket);
  thread.asked.delete(answered.ticket);
  if ('judged' in answered) waiting?.resolve(answered.judged);
  else waiting?.reject(errorOf(answered.told));
}

function send(worker: Worker, batch: readonly Asked[]): void {
  const moved = batch.flatMap(({ body: { buffer } }) =>
    buffer instanceof ArrayBuffer && buffer.byteLength >= MOVED_BYTES ? [buffer] : [],
  );
  const message: Message = batch;
  worker.postMessage(message, moved);
}

function gone(cause?: unknown): WebhookError {
  return new WebhookError('INTERNAL', 'the thread that judged ended', {
    hint: 'try again; if it lasts, look for a policy that takes very much memory',
    cause,
  });
}
