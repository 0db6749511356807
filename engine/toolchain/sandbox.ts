// SPDX-License-Identifier: Apache-2.0
import { randomFillSync } from 'node:crypto';

const SUCCESS = 0;
const BAD_FILE = 8;
const NOT_THERE = 52;
const MONOTONIC_CLOCK = 1;
/** What the wall clock shows unless another time is given, in nanoseconds: no answer of a program may depend on the time. */
const FIXED_TIME_NS = 1_000_000_000_000_000_000n;
const COMPLAINT_MAX_CHARACTERS = 65_536;

/** All that a program can reach of the world, as an import object for its module. */
export interface Sandbox {
  readonly imports: WebAssembly.Imports;
  /** Must be called before the program runs, with the memory that its instance exports. */
  attach(memory: WebAssembly.Memory): void;
  /** The end of what the program wrote to its stderr: Go's words on why it crashed. */
  complaint(): string;
}

/** Thrown to leave a program that asked to exit: there is no process to end. */
class ProgramExit extends Error {}

/**
 * Makes the world of one instance: a clock that only counts, a wall clock that its host sets (in nanoseconds), random bytes for Go's hash maps, and a stderr that is kept.
 *
 * There are no files, no sockets, no environment and no arguments: every other call of the interface is answered with
 * an error. So a fault in a parser of untrusted bytes has nothing to read and nowhere to send it.
 * @see https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */
export function makeSandbox(module: WebAssembly.Module, wallClock = (): bigint => FIXED_TIME_NS): Sandbox {
  let memory: WebAssembly.Memory | undefined;
  let said = '';
  const view = (): DataView => {
    if (memory === undefined) throw new ProgramExit('the program ran before its memory was attached');
    return new DataView(memory.buffer);
  };
  const say = (text: string): void => {
    said = (said + text).slice(-COMPLAINT_MAX_CHARACTERS);
  };
  const served = serve(view, say, wallClock);
  const functions: Record<string, WebAssembly.Function> = {};
  for (const { name } of WebAssembly.Module.imports(module)) functions[name] = served[name] ?? refusal(name);
  return {
    imports: { wasi_snapshot_preview1: functions },
    attach: (given) => {
      memory = given;
    },
    complaint: () => said,
  };
}

function refusal(name: string): WebAssembly.Function {
  return () => (name.startsWith('fd_') ? BAD_FILE : NOT_THERE);
}

type Served = Readonly<Record<string, WebAssembly.Function | undefined>>;

function serve(view: () => DataView, say: (text: string) => void, wallClock: () => bigint): Served {
  const nothing: WebAssembly.Function = (count, size) => {
    view().setUint32(Number(count) >>> 0, 0, true);
    view().setUint32(Number(size) >>> 0, 0, true);
    return SUCCESS;
  };
  return {
    args_sizes_get: nothing,
    environ_sizes_get: nothing,
    args_get: () => SUCCESS,
    environ_get: () => SUCCESS,
    sched_yield: () => SUCCESS,
    poll_oneoff: (_subscriptions, _events, _count, happened) => {
      view().setUint32(Number(happened) >>> 0, 0, true);
      return SUCCESS;
    },
    clock_time_get: (clock, _precision, result) => {
      const now = clock === MONOTONIC_CLOCK ? BigInt(Math.round(performance.now() * 1e6)) : wallClock();
      view().setBigUint64(Number(result) >>> 0, now, true);
      return SUCCESS;
    },
    // Seeds Go's hash maps, so that nobody can prepare keys that collide; no answer depends on it.
    random_get: (pointer, length) => {
      randomFillSync(new Uint8Array(view().buffer, Number(pointer) >>> 0, Number(length) >>> 0));
      return SUCCESS;
    },
    fd_write: (_file, vectors, count, written) => writeVectors(view(), { vectors, count, written }, say),
    proc_exit: (code) => {
      throw new ProgramExit(`the program ended with code ${code}`);
    },
  };
}

interface WriteRequest {
  readonly vectors: WebAssembly.Value | undefined;
  readonly count: WebAssembly.Value | undefined;
  readonly written: WebAssembly.Value | undefined;
}

/** Gathers the pieces of one write (pointer and length, four bytes each). */
function writeVectors(view: DataView, request: WriteRequest, say: (text: string) => void): number {
  let total = 0;
  for (let index = 0; index < Number(request.count); index++) {
    const at = (Number(request.vectors) >>> 0) + index * 8;
    const bytes = new Uint8Array(view.buffer, view.getUint32(at, true), view.getUint32(at + 4, true));
    say(new TextDecoder().decode(bytes));
    total += bytes.length;
  }
  view.setUint32(Number(request.written) >>> 0, total, true);
  return SUCCESS;
}
