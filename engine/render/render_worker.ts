// SPDX-License-Identifier: Apache-2.0
// The thread that runs the program `render`, so that its client can end it: a template may loop for ever, and Go on wasip1 has no
// timers while it runs.
import { parentPort, workerData } from 'node:worker_threads';
import { readArtefact } from '../toolchain/artefact.ts';
import { openProgram } from '../toolchain/program.ts';
import { lazily, replyOf, tellingOf, type WorkerReply } from '../toolchain/reply.ts';
import { limitMemory } from './memory.ts';

/** What the thread is started with. */
export interface WorkerData {
  readonly directory: string;
  readonly maxMemoryBytes: number;
  /** Where a thread before it compiled the program, with this limit. */
  readonly module: WebAssembly.Module | undefined;
}

/** A request, and what the program's wall clock shows meanwhile: nanoseconds since 1970. */
export interface WorkerRequest {
  readonly request: Uint8Array;
  readonly wallClock: bigint;
}

const { directory, maxMemoryBytes, module: given }: WorkerData = workerData;
let wallClock = 0n;
const compiled = lazily(
  () => given ?? new WebAssembly.Module(limitMemory(readArtefact(directory, 'render'), maxMemoryBytes)),
);
const program = lazily(() => openProgram(compiled(), 'render', () => wallClock));
const telling = tellingOf(compiled, given !== undefined);

parentPort?.on('message', (asked: WorkerRequest | 'start') => parentPort?.postMessage(telling(reply(asked))));

/** What a program that is to start is asked: it answers that the request is for nothing. */
const NOTHING = Uint8Array.of(2, 0, 0, 0, 0x7b, 0x7d);

function reply(asked: WorkerRequest | 'start'): WorkerReply {
  return replyOf(() => {
    if (asked === 'start') return program().call(NOTHING);
    wallClock = asked.wallClock;
    return program().call(asked.request);
  });
}
