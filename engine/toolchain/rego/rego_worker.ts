// SPDX-License-Identifier: Apache-2.0
// The thread that runs the program `rego`, so that its client can end it: Go on wasip1 has no timers while it runs.
import { parentPort, workerData } from 'node:worker_threads';
import { compileProgram, openProgram } from '../program.ts';
import { lazily, replyOf, tellingOf } from '../reply.ts';
import { unhurried } from './tiering.ts';

/** What the thread is started with; `module` where one before it compiled the program. */
export interface WorkerData {
  readonly directory: string;
  readonly module: WebAssembly.Module | undefined;
}

const { directory, module: given }: WorkerData = workerData;
const compiled = lazily(() => given ?? unhurried(() => compileProgram(directory, 'rego')));
const program = lazily(() => openProgram(compiled(), 'rego'));
const telling = tellingOf(compiled, given !== undefined);

parentPort?.on('message', (request: Uint8Array) =>
  parentPort?.postMessage(telling(replyOf(() => program().call(request)))),
);
