// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import type { Worker } from 'node:worker_threads';
import { EngineError } from '../../error.ts';
import { knownProgram, shareProgram } from '../program.ts';
import type { WorkerReply } from '../reply.ts';
import type { WorkerData } from './rego_worker.ts';

/** A thread of its own for the program `rego`: one request after the other, each with a deadline. */
export interface RegoThread {
  /** @throws {EngineError} TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST | POLICY_DEADLINE; the next request starts a new thread */
  ask(request: Uint8Array, deadlineMs: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Loaded with the first request: most runs make none. */
const load = createRequire(import.meta.url);

const FILE = import.meta.url.endsWith('.ts') ? './rego_worker.ts' : './rego_worker.js';

/** Prepares a thread; it starts with the first request and keeps no process alive while it has none. */
export function openRegoThread(directory: string): RegoThread {
  let worker: Worker | undefined;
  // Held, so that the thread that follows one which was ended starts with it.
  let module: WebAssembly.Module | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const forget = (gone: Worker): void => {
    if (worker === gone) worker = undefined;
  };
  const askNow = async (request: Uint8Array, deadlineMs: number): Promise<Uint8Array> => {
    module ??= knownProgram(directory, 'rego');
    const current = worker ?? startWorker({ directory, module }, forget);
    worker = current;
    try {
      const told = await exchange(current, request, deadlineMs);
      if (told.module !== undefined) {
        module = told.module;
        shareProgram(directory, 'rego', module);
      }
      return told.answer;
    } catch (error) {
      forget(current);
      await current.terminate();
      throw error;
    }
  };
  return {
    ask: (request, deadlineMs) => {
      const next = last.then(() => askNow(request, deadlineMs));
      last = next.catch(() => undefined);
      return next;
    },
    close: async () => {
      await last;
      await worker?.terminate();
      worker = undefined;
    },
  };
}

/** A thread may also break while it is idle: that must not bring the process down, nor may the next request wait for it. */
function startWorker(workerData: WorkerData, onGone: (gone: Worker) => void): Worker {
  const options = { workerData, env: {}, execArgv: [] };
  const { Worker }: typeof import('node:worker_threads') = load('node:worker_threads');
  const worker = new Worker(new URL(FILE, import.meta.url), options);
  return worker.on('error', () => onGone(worker));
}

/** A reply that has an answer. */
type Answered = Extract<WorkerReply, { answer: unknown }>;

function exchange(worker: Worker, request: Uint8Array, deadlineMs: number): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit).unref();
      finish();
    };
    const onMessage = (reply: WorkerReply): void =>
      settle(() =>
        'answer' in reply ? resolve(reply) : reject(new EngineError(reply.code, reply.message, reply)),
      );
    const onError = (cause: unknown): void =>
      settle(() => reject(new EngineError('TOOLCHAIN_FAILED', 'the program "rego" failed', { cause })));
    const onExit = (): void =>
      settle(() => reject(new EngineError('TOOLCHAIN_FAILED', 'the program "rego" ended')));
    const timer = setTimeout(() => settle(() => reject(deadlinePassed(deadlineMs))), deadlineMs);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit).ref();
    worker.postMessage(request);
  });
}

function deadlinePassed(deadlineMs: number): EngineError {
  return new EngineError('POLICY_DEADLINE', `the policy was not done after ${deadlineMs} ms`, {
    hint: 'a test or the compiler runs for too long: look for rules that multiply large collections',
  });
}
