// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import type { BuiltinAnswer, BuiltinServer } from '../rego/builtins/server.ts';
import { compileProgram, crashed, KEEP_MAX_BYTES, type Started, startProgram } from './program.ts';

interface Serving {
  readonly program: Started;
  readonly lookup: WebAssembly.Function;
  readonly begin: WebAssembly.Function;
  readonly call: WebAssembly.Function;
  readonly buffer: WebAssembly.Function;
  readonly ids: Map<string, number>;
  /** Address and size of what the program reads its arguments from. */
  at: number;
  size: number;
}

/** See `kind` in programs/rego/internal/serve/serve.go. */
const KINDS = ['undefined', 'value', 'failed', 'refused', 'crashed'] as const;
const HEADER_BYTES = 4;
const decoder = new TextDecoder();

/**
 * OPA's own builtins, of the program `rego`, in place: the policy that calls waits inside a call of its own. The program starts with
 * the first call or with `prepare` (about 0.3 s), with no files and no environment; its clock is the evaluation's.
 */
export function openRegoBuiltins(directory: string): BuiltinServer {
  let module: WebAssembly.Module | undefined;
  let serving: Serving | undefined;
  let nowNs = 1_000_000_000_000_000_000n;
  const running = (): Serving => {
    module ??= compileProgram(directory, 'rego');
    if (serving === undefined) {
      serving = start(module, () => nowNs);
      serving.begin(nowNs);
    }
    return serving;
  };
  const guarded = <T>(run: (current: Serving) => T): T => {
    try {
      return run(running());
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      const complaint = serving?.program.sandbox.complaint() ?? '';
      serving = undefined;
      throw crashed('rego', complaint, cause);
    }
  };
  return {
    prepare: () => guarded(() => undefined),
    begin: (timeNs) => {
      nowNs = timeNs;
      // A program's memory never shrinks; only between evaluations is nothing kept in it.
      if (serving !== undefined && serving.program.memory.buffer.byteLength > KEEP_MAX_BYTES)
        serving = undefined;
      guarded((current) => current.begin(timeNs));
    },
    call: (name, parameters) => guarded((current) => call(current, name, parameters)),
  };
}

function start(module: WebAssembly.Module, wallClock: () => bigint): Serving {
  const program = startProgram(module, wallClock);
  const [lookup, begin, invoke, buffer] = ['lookup', 'start', 'call', 'buffer'].map((name) =>
    program.exported(`serve_${name}`),
  );
  if (lookup === undefined || begin === undefined || invoke === undefined || buffer === undefined)
    throw new TypeError('exports are missing');
  return { program, lookup, begin, call: invoke, buffer, ids: new Map(), at: 0, size: 0 };
}

/** Arguments lie one after the other, each behind its length; the answer is one byte of kind and text. */
function call(serving: Serving, name: string, parameters: readonly Uint8Array[]): BuiltinAnswer {
  const id = idOf(serving, name);
  const length = parameters.reduce((sum, bytes) => sum + HEADER_BYTES + bytes.length, 0);
  let at = reserve(serving, length);
  const view = new DataView(serving.program.memory.buffer);
  const memory = new Uint8Array(serving.program.memory.buffer);
  for (const bytes of parameters) {
    view.setUint32(at, bytes.length, true);
    memory.set(bytes, at + HEADER_BYTES);
    at += HEADER_BYTES + bytes.length;
  }
  const packed = BigInt.asUintN(64, BigInt(serving.call(id, parameters.length) ?? 0));
  const told = new Uint8Array(
    serving.program.memory.buffer,
    Number(packed >> 32n),
    Number(packed & 0xffffffffn),
  );
  return answerOf(told);
}

function idOf(serving: Serving, name: string): number {
  const known = serving.ids.get(name);
  if (known !== undefined) return known;
  const bytes = new TextEncoder().encode(name);
  new Uint8Array(serving.program.memory.buffer).set(bytes, reserve(serving, bytes.length));
  const id = Number(serving.lookup(bytes.length));
  if (id < 0) throw new TypeError(`there is no builtin ${JSON.stringify(name)}`);
  serving.ids.set(name, id);
  return id;
}

/** The program may move its buffer when it needs a larger one. */
function reserve(serving: Serving, bytes: number): number {
  if (serving.size < Math.max(bytes, 1)) {
    serving.at = Number(serving.buffer(bytes)) >>> 0;
    serving.size = bytes;
  }
  return serving.at;
}

function answerOf(told: Uint8Array): BuiltinAnswer {
  const kind = KINDS[told[0] ?? -1];
  const rest = told.subarray(1);
  switch (kind) {
    case 'undefined':
      return { kind };
    case 'value':
      return { kind, bytes: rest };
    case 'failed':
      return failedOf(decoder.decode(rest));
    case 'refused':
    case 'crashed':
      return { kind, message: decoder.decode(rest) };
    default:
      throw new TypeError('the answer has no kind');
  }
}

/** OPA's code, a line feed, its message. */
function failedOf(text: string): BuiltinAnswer {
  const end = text.indexOf('\n');
  const code = text.slice(0, end) === 'eval_type_error' ? 'eval_type_error' : 'eval_builtin_error';
  return { kind: 'failed', code, message: text.slice(end + 1) };
}
