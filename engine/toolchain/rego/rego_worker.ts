// SPDX-License-Identifier: Apache-2.0
// The thread that runs the program `rego`, so that its client can end it: Go on wasip1 has no timers while it runs.
import { setFlagsFromString } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { loadProgram } from '../program.ts';
import { lazily, replyOf } from '../reply.ts';

const directory: unknown = workerData;
const program = lazily(() => unhurried(() => loadProgram(String(directory), 'rego')));

parentPort?.on('message', (request: Uint8Array) =>
  parentPort?.postMessage(replyOf(() => program().call(request))),
);

/** How much a function of a module runs before it is compiled again, optimised; V8's own. */
export const USUAL_BUDGET = 13_000_000;
const BUDGET = 2_000_000_000;

/**
 * A start and one compilation end long before optimising the program's functions would pay: it is what takes half of the time
 * where there is one core. A module keeps the budget that it is made with, so those of policies, which run a million times, have theirs.
 */
function unhurried<T>(make: () => T): T {
  setFlagsFromString(`--wasm-tiering-budget=${BUDGET}`);
  try {
    return make();
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${USUAL_BUDGET}`);
  }
}
