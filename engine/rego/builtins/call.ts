// SPDX-License-Identifier: Apache-2.0
import { readTerm } from '../term.ts';
import type { Bound } from './bind.ts';
import { BuiltinBroken, type BuiltinFailure, BuiltinRefused, placeOf, TwinError } from './failed.ts';
import type { BuiltinAnswer, BuiltinServer } from './server.ts';

/** What the builtins of one evaluation know and leave behind. */
export interface Calls {
  readonly timeNs: bigint | undefined;
  /** Ask what an undefined native means, and keep failures. */
  readonly isStrict: boolean;
  readonly failures: BuiltinFailure[];
  /** The server was told of this evaluation. */
  hasBegun: boolean;
}

/** Enough to mend a policy by; every further one is still a failure. */
const KEPT_FAILURES = 20;
/** The clock of builtins that have nothing to do with time: 2001-09-09T01:46:40Z. */
const NO_TIME = 1_000_000_000_000_000_000n;

export function newCalls(timeNs: bigint | undefined, isStrict: boolean): Calls {
  return { timeNs, isStrict, failures: [], hasBegun: false };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Answers one call; undefined means that the expression is undefined.
 * @throws {BuiltinBroken | BuiltinRefused} nothing is known of the answer
 * @throws {EngineError} TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST
 */
export function answer(
  bound: Bound,
  parameters: readonly Uint8Array[],
  { calls, server }: { readonly calls: Calls; readonly server: BuiltinServer | undefined },
): Uint8Array | undefined {
  switch (bound.kind) {
    case 'twin':
      return answerOfTwin(bound, parameters, calls, server);
    case 'served':
      if (bound.isPinned && calls.timeNs === undefined)
        throw new BuiltinBroken(`${bound.name}: this evaluation has no time`);
      return settle(bound.name, ask(bound.name, parameters, calls, server), calls);
    case 'error':
      return explain(bound.name, parameters, calls, server);
    case 'place':
      return locate(parameters, calls.failures);
  }
}

/** What a twin leaves to OPA's own builtin is asked there; where there is none, nothing is known. */
function answerOfTwin(
  bound: Extract<Bound, { kind: 'twin' }>,
  parameters: readonly Uint8Array[],
  calls: Calls,
  server: BuiltinServer | undefined,
): Uint8Array | undefined {
  const { name } = bound;
  const given = tryTwin(bound, parameters, calls);
  if (given !== undefined) return settle(name, given, calls);
  if (server === undefined) throw new BuiltinBroken(`${name}: nobody serves it`);
  return settle(name, ask(name, parameters, calls, server), calls);
}

function tryTwin(
  { name, twin }: Extract<Bound, { kind: 'twin' }>,
  parameters: readonly Uint8Array[],
  { timeNs }: Calls,
): BuiltinAnswer | undefined {
  try {
    const texts = parameters.map((bytes) => decoder.decode(bytes));
    const text = twin(texts, timeNs);
    return text === undefined ? undefined : { kind: 'value', bytes: encoder.encode(text) };
  } catch (cause) {
    if (cause instanceof RangeError) throw new BuiltinRefused(`${name}: ${cause.message}`, { cause });
    if (!(cause instanceof TwinError)) throw cause;
    return { kind: 'failed', code: cause.code, message: `${name}: ${cause.message}` };
  }
}

function ask(
  name: string,
  parameters: readonly Uint8Array[],
  calls: Calls,
  server: BuiltinServer | undefined,
): BuiltinAnswer {
  if (server === undefined)
    return { kind: 'failed', code: 'eval_builtin_error', message: `${name}: it failed` };
  if (!calls.hasBegun) server.begin(calls.timeNs ?? NO_TIME);
  calls.hasBegun = true;
  return server.call(name, parameters);
}

/** What an undefined native means; where errors are not asked for, it stays undefined, as on OPA's own WebAssembly. */
function explain(
  name: string,
  [place, ...parameters]: readonly Uint8Array[],
  calls: Calls,
  server: BuiltinServer | undefined,
): Uint8Array | undefined {
  if (!calls.isStrict || place === undefined) return undefined;
  const before = calls.failures.length;
  const result = settle(name, ask(name, parameters, calls, server), calls);
  if (calls.failures.length > before) locate([place, encoder.encode(JSON.stringify(name))], calls.failures);
  return result;
}

function settle(name: string, given: BuiltinAnswer, calls: Calls): Uint8Array | undefined {
  switch (given.kind) {
    case 'value':
      return given.bytes;
    case 'undefined':
      return undefined;
    case 'failed':
      if (calls.failures.length < KEPT_FAILURES)
        calls.failures.push({ name, code: given.code, message: given.message });
      return undefined;
    case 'refused':
      throw new BuiltinRefused(`${name}: ${given.message}`);
    case 'crashed':
      throw new BuiltinBroken(`${name}: ${given.message}`);
  }
}

/** Gives the last failure its place, if it is of the builtin that the place is of and has none yet. */
function locate([place, name]: readonly Uint8Array[], failures: BuiltinFailure[]): undefined {
  const last = failures.at(-1);
  if (last === undefined || last.location !== undefined || textOf(name) !== last.name) return;
  const location = placeOf(textOf(place));
  if (location !== undefined) failures[failures.length - 1] = { ...last, location };
}

function textOf(bytes: Uint8Array | undefined): string {
  const term = readTerm(decoder.decode(bytes));
  return term.kind === 'string' ? term.value : '';
}
