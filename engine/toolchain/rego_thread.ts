// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';
import { EngineError } from '../error.ts';
import type { WorkerReply } from './rego_worker.ts';

/** A thread of its own for the program `rego`: one request after the other, each with a deadline. */
export interface RegoThread {
  /** @throws {EngineError} TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST | POLICY_DEADLINE; the next request starts a new thread */
  ask(request: Uint8Array, deadlineMs: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const FILE = import.meta.url.endsWith('.ts') ? './rego_worker.ts' : './rego_worker.js';

/** Prepares a thread; it starts with the first request and keeps no process alive while it has none. */
export function openRegoThread(directory: string): RegoThread {
  let worker: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const askNow = async (request: Uint8Array, deadlineMs: number): Promise<Uint8Array> => {
    worker ??= new Worker(new URL(FILE, import.meta.url), {
      workerData: directory,
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    try {
      return await exchange(worker, request, deadlineMs);
    } catch (error) {
      const failed = worker;
      worker = undefined;
      await failed.terminate();
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

function exchange(worker: Worker, request: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      worker.removeAllListeners('message').removeAllListeners('error').removeAllListeners('exit');
      worker.unref();
      finish();
    };
    const fail = (message: string, cause?: unknown): void =>
      settle(() => reject(new EngineError('TOOLCHAIN_FAILED', message, { cause })));
    const timer = setTimeout(() => settle(() => reject(deadlinePassed(deadlineMs))), deadlineMs);
    worker.ref();
    worker.on('message', (reply: WorkerReply) =>
      settle(() =>
        'answer' in reply ? resolve(reply.answer) : reject(new EngineError(reply.code, reply.message)),
      ),
    );
    worker.on('error', (cause) => fail('the program "rego" failed', cause));
    worker.on('exit', () => fail('the program "rego" ended'));
    worker.postMessage(request);
  });
}

function deadlinePassed(deadlineMs: number): EngineError {
  return new EngineError('POLICY_DEADLINE', `the policy was not done after ${deadlineMs} ms`, {
    hint: 'a test or the compiler runs for too long: look for rules that multiply large collections',
  });
}
