// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import { type ProgramName, readArtefact } from './artefact.ts';
import { makeSandbox, type Sandbox } from './sandbox.ts';

/** A running Go program that answers one request after the other. */
export interface ProgramInstance {
  /**
   * Hands `request` to the program and returns a copy of its answer; what the bytes mean is between the program and
   * its client. Runs in place: nothing can interrupt it.
   *
   * @throws {EngineError} TOOLCHAIN_FAILED: the program crashed; the next call starts a new one
   */
  call(request: Uint8Array): Uint8Array;
}

/** A program's memory never shrinks: past this a new instance is made for the next call. */
export const KEEP_MAX_BYTES = 512 * 1024 * 1024;

/**
 * Reads, checks and compiles a program; it starts with the first call.
 *
 * @param directory where the built programs are (`engine/toolchain/built` of the package); the edge knows it
 * @throws {EngineError} TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST
 */
export function loadProgram(directory: string, name: ProgramName): ProgramInstance {
  return openProgram(compileProgram(directory, name), name);
}

/** The same for a module that was compiled already; `wallClock` is what its wall clock shows, in nanoseconds. */
export function openProgram(
  module: WebAssembly.Module,
  name: ProgramName,
  wallClock?: () => bigint,
): ProgramInstance {
  let running: Running | undefined;
  return {
    call: (request) => {
      try {
        running ??= start(module, wallClock);
        const answer = exchange(running, request);
        if (running.memory.buffer.byteLength > KEEP_MAX_BYTES) running = undefined;
        return answer;
      } catch (cause) {
        const complaint = running?.sandbox.complaint() ?? '';
        running = undefined;
        throw crashed(name, complaint, cause);
      }
    },
  };
}

/** Modules that somebody in this thread still holds, by directory and what they are. */
const compiled = new Map<string, WeakRef<WebAssembly.Module>>();

/** The compiled module of a program, made once and shared while anybody holds it; as {@link loadProgram}. */
export function compileProgram(directory: string, name: ProgramName): WebAssembly.Module {
  const known = knownProgram(directory, name);
  if (known !== undefined) return known;
  const module = new WebAssembly.Module(readArtefact(directory, name));
  shareProgram(directory, name, module);
  return module;
}

/**
 * The module where this thread has it: one that is started with it neither reads, checks nor compiles it again.
 *
 * @param what the program's name, with what makes this module of it another
 */
export function knownProgram(directory: string, what: string): WebAssembly.Module | undefined {
  return compiled.get(`${directory}\0${what}`)?.deref();
}

/** All that this thread has; who holds them keeps them for whoever comes later. */
export function knownPrograms(): readonly WebAssembly.Module[] {
  return [...compiled.values()].flatMap((reference) => reference.deref() ?? []);
}

/** Lets others of this thread have a module that was read and checked, be it by another thread. */
export function shareProgram(directory: string, what: string, module: WebAssembly.Module): void {
  compiled.set(`${directory}\0${what}`, new WeakRef(module));
}

/** A started program: its memory and what it exports, by name. */
export interface Started {
  readonly sandbox: Sandbox;
  readonly memory: WebAssembly.Memory;
  /** @throws {TypeError} when there is no such function */
  exported(name: string): WebAssembly.Function;
}

interface Running extends Started {
  readonly alloc: WebAssembly.Function;
  readonly free: WebAssembly.Function;
  readonly call: WebAssembly.Function;
}

function start(module: WebAssembly.Module, wallClock?: () => bigint): Running {
  const started = startProgram(module, wallClock);
  const [alloc, free, call] = [started.exported('alloc'), started.exported('free'), started.exported('call')];
  return { ...started, alloc, free, call };
}

/** Instantiates and initialises a program in place. `wallClock` is what its wall clock shows, in nanoseconds. */
export function startProgram(module: WebAssembly.Module, wallClock?: () => bigint): Started {
  const sandbox = makeSandbox(module, wallClock);
  const { exports } = new WebAssembly.Instance(module, sandbox.imports);
  const memory = exports['memory'];
  if (!(memory instanceof WebAssembly.Memory)) throw new TypeError('the module exports no memory');
  sandbox.attach(memory);
  exported(exports, '_initialize')();
  return { sandbox, memory, exported: (name) => exported(exports, name) };
}

function exported(exports: WebAssembly.Exports, name: string): WebAssembly.Function {
  const value = exports[name];
  if (typeof value !== 'function') throw new TypeError(`the module exports no function ${name}`);
  return value;
}

/** The memory may be replaced while the program runs, so its buffer is taken anew for each copy. */
function exchange({ memory, alloc, free, call }: Running, request: Uint8Array): Uint8Array {
  const at = Number(alloc(request.length)) >>> 0;
  new Uint8Array(memory.buffer, at, request.length).set(request);
  const packed = BigInt.asUintN(64, BigInt(call(at, request.length) ?? 0));
  const answerAt = Number(packed >> 32n);
  const answer = new Uint8Array(memory.buffer, answerAt, Number(packed & 0xffffffffn)).slice();
  free(at);
  free(answerAt);
  return answer;
}

/** Go says what happened in one line; the stacks below it are of no use to a reader. */
const LAST_WORDS = /^(?:panic|fatal error|runtime error): .*$/m;

/** The error that a program's end is; `complaint` is what it said on its stderr. */
export function crashed(name: ProgramName, complaint: string, cause: unknown): EngineError {
  const why = LAST_WORDS.exec(complaint)?.[0];
  const message = `the program "${name}" failed${why === undefined ? '' : `: ${JSON.stringify(why)}`}`;
  return new EngineError('TOOLCHAIN_FAILED', message, { cause });
}
