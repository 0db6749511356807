// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import type { Worker } from 'node:worker_threads';
import { EngineError } from '../error.ts';
import { knownProgram, shareProgram } from '../toolchain/program.ts';
import type { WorkerReply } from '../toolchain/reply.ts';
import type { WorkerData, WorkerRequest } from './render_worker.ts';

/** What one rendering may use. */
export interface RenderLimits {
  readonly deadlineMs: number;
  readonly maxMemoryBytes: number;
}

/** A thread of its own for the program `render`: one rendering after the other, each with a deadline for all that it asks. */
export interface RenderThread {
  /** From now on the deadline counts anew. */
  begin(): void;
  /** @throws {EngineError} TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST | RENDER_DEADLINE | RENDER_LIMIT; the next request starts a new thread */
  ask(asked: WorkerRequest): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** To compile the program takes a second; on a machine that is very busy, many. */
const START_MS = 300_000;

/** Loaded with the first request: most runs make none. */
const load = createRequire(import.meta.url);

const FILE = import.meta.url.endsWith('.ts') ? './render_worker.ts' : './render_worker.js';

/**
 * Prepares a thread; it starts with the first request. Its memory and its time are bounded; nothing that a template does can keep the
 * process or bring it down.
 */
export function openRenderThread(directory: string, limits: RenderLimits): RenderThread {
  let worker: Worker | undefined;
  // Held, so that the thread that follows one which was ended starts with it.
  let module: WebAssembly.Module | undefined;
  const what = `render of ${limits.maxMemoryBytes}`;
  let leftMs = limits.deadlineMs;
  return {
    begin: () => {
      leftMs = limits.deadlineMs;
    },
    ask: async (asked) => {
      const isNew = worker === undefined;
      module ??= knownProgram(directory, what);
      worker ??= startWorker({ directory, maxMemoryBytes: limits.maxMemoryBytes, module });
      const current = worker;
      const forget = (): void => {
        if (worker === current) worker = undefined;
      };
      // A thread may also break while it is idle: that must not bring the process down.
      if (isNew) current.on('error', forget);
      try {
        // What the program needs to start is no template's doing.
        const told = isNew ? await exchange(current, 'start', { leftMs: START_MS, limits }) : undefined;
        if (told?.module !== undefined) {
          module = told.module;
          shareProgram(directory, what, module);
        }
        const startMs = performance.now();
        const { answer } = await exchange(current, asked, { leftMs, limits });
        leftMs = Math.max(0, leftMs - (performance.now() - startMs));
        return answer;
      } catch (error) {
        forget();
        await current.terminate();
        throw error;
      }
    },
    close: async () => {
      await worker?.terminate();
      worker = undefined;
    },
  };
}

function startWorker(data: WorkerData): Worker {
  const { Worker }: typeof import('node:worker_threads') = load('node:worker_threads');
  return new Worker(new URL(FILE, import.meta.url), { workerData: data, env: {}, execArgv: [] });
}

function exchange(
  worker: Worker,
  asked: WorkerRequest | 'start',
  { leftMs, limits }: { readonly leftMs: number; readonly limits: RenderLimits },
): Promise<Extract<WorkerReply, { answer: unknown }>> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      finish();
    };
    const onMessage = (reply: WorkerReply): void =>
      settle(() => ('answer' in reply ? resolve(reply) : reject(failed(reply, limits))));
    const onError = (cause: unknown): void =>
      settle(() => reject(new EngineError('TOOLCHAIN_FAILED', 'the program "render" failed', { cause })));
    const onExit = (): void =>
      settle(() => reject(new EngineError('TOOLCHAIN_FAILED', 'the program "render" ended')));
    const timer = setTimeout(() => settle(() => reject(deadlinePassed(limits))), leftMs);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(asked);
  });
}

/** What Go says when its memory, its heap's address space or its stack is at an end. */
const EXHAUSTED = /out of memory|cannot allocate memory|stack overflow|exceeds \d+-byte limit/;

function failed(reply: Exclude<WorkerReply, { answer: unknown }>, limits: RenderLimits): EngineError {
  if (!EXHAUSTED.test(reply.message)) return new EngineError(reply.code, reply.message, reply);
  const mib = Math.round(limits.maxMemoryBytes / 1024 / 1024);
  return new EngineError('RENDER_LIMIT', `rendering needs more memory than ${mib} MiB`, {
    hint: 'a template prints or builds too much: look for a range over a large number, or for a template that includes itself',
  });
}

function deadlinePassed({ deadlineMs }: RenderLimits): EngineError {
  return new EngineError('RENDER_DEADLINE', `rendering was not done after ${deadlineMs} ms`, {
    hint: 'a template runs for too long: look for a range over a large number, or for loops in each other',
  });
}
