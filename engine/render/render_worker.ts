// SPDX-License-Identifier: Apache-2.0
// The thread that runs the program `render`, so that its client can end it: a template may loop for ever, and Go on wasip1 has no
// timers while it runs.
import { parentPort, workerData } from 'node:worker_threads';
import { EngineError } from '../error.ts';
import { readArtefact } from '../toolchain/artefact.ts';
import { openProgram } from '../toolchain/program.ts';
import { limitMemory } from './memory.ts';

/** What the thread is started with. */
export interface WorkerData {
  readonly directory: string;
  readonly maxMemoryBytes: number;
}

/** A request, and what the program's wall clock shows meanwhile: nanoseconds since 1970. */
export interface WorkerRequest {
  readonly request: Uint8Array;
  readonly wallClock: bigint;
}

/** What the thread answers: the program's bytes, or why there are none. */
export type WorkerReply =
  | { readonly answer: Uint8Array }
  | {
      readonly code: 'TOOLCHAIN_DIGEST' | 'TOOLCHAIN_FAILED';
      readonly message: string;
      readonly hint?: string;
    };

const { directory, maxMemoryBytes }: WorkerData = workerData;
let wallClock = 0n;
const program = lazily(() => {
  const module = new WebAssembly.Module(limitMemory(readArtefact(directory, 'render'), maxMemoryBytes));
  return openProgram(module, 'render', () => wallClock);
});

parentPort?.on('message', (asked: WorkerRequest | 'start') => parentPort?.postMessage(reply(asked)));

/** What a program that is to start is asked: it answers that the request is for nothing. */
const NOTHING = Uint8Array.of(2, 0, 0, 0, 0x7b, 0x7d);

function reply(asked: WorkerRequest | 'start'): WorkerReply {
  try {
    if (asked === 'start') return { answer: program().call(NOTHING) };
    wallClock = asked.wallClock;
    return { answer: program().call(asked.request) };
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
