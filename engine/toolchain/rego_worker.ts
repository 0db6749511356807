// SPDX-License-Identifier: Apache-2.0
// The thread that runs the program `rego`, so that its client can end it: Go on wasip1 has no timers while it runs.
import { parentPort, workerData } from 'node:worker_threads';
import { EngineError } from '../error.ts';
import { loadProgram } from './program.ts';

/** What the thread answers: the program's bytes, or why there are none. */
export type WorkerReply =
  | { readonly answer: Uint8Array }
  | {
      readonly code: 'TOOLCHAIN_DIGEST' | 'TOOLCHAIN_FAILED';
      readonly message: string;
      readonly hint?: string;
    };

const directory: unknown = workerData;
const program = lazily(() => loadProgram(String(directory), 'rego'));

parentPort?.on('message', (request: Uint8Array) => parentPort?.postMessage(reply(request)));

function reply(request: Uint8Array): WorkerReply {
  try {
    return { answer: program().call(request) };
  } catch (error) {
    const isChanged = error instanceof EngineError && error.code === 'TOOLCHAIN_DIGEST';
    const hint = error instanceof EngineError ? error.hint : undefined;
    return {
      code: isChanged ? 'TOOLCHAIN_DIGEST' : 'TOOLCHAIN_FAILED',
      message: error instanceof Error ? error.message : String(error),
      ...(hint === undefined ? {} : { hint }),
    };
  }
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
