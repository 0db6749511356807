// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { EngineError } from '../error.ts';
import { failureOf, isOutOfMemory, unreadableInput } from './failure.ts';
import { DEFAULT_LIMITS, fuelFor, pagesFor, type RegoLimits } from './limits.ts';
import { type Machine, startMachine } from './machine.ts';
import { meter, refuse } from './meter/index.ts';
import { isRegoObject, type RegoValue, readValue } from './value.ts';

/** A module with its data, ready to evaluate. */
export interface RegoProgram {
  /** SHA-256 (hex) of the module as it came, before it was metered. */
  readonly digest: string;
  /** Names of its entrypoints, `a/b/c`. */
  readonly entrypoints: readonly string[];
  /**
   * Evaluates one entrypoint (`a/b/c`) over JSON bytes. After an error the program is as good as new.
   * @throws {EngineError} POLICY_LIMIT | POLICY_EVALUATION | POLICY_RESULT | INPUT_SYNTAX | INPUT_TOO_LARGE
   */
  evaluate(entrypoint: string, input: Uint8Array): RegoResult;
}

export interface RegoResult {
  /** undefined where the entrypoint is undefined. */
  readonly value: RegoValue | undefined;
  /** Steps that this evaluation took; equal on every machine. */
  readonly fuelUsed: bigint;
}

/** What is loaded beside a module. */
export interface RegoLoad {
  /** JSON bytes of the document under `data`. */
  readonly data: Uint8Array;
  readonly limits?: Partial<RegoLimits>;
}

/**
 * Meters and loads a module. One instance serves all evaluations and is rewound before each; an input that needs more memory than
 * the base gets a larger instance, of which the last is kept.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA | POLICY_LIMIT when the data does not fit
 */
export function loadRego(wasm: Uint8Array, { data, limits: given }: RegoLoad): RegoProgram {
  const limits: RegoLimits = { ...DEFAULT_LIMITS, ...given };
  const module = new WebAssembly.Module(meter(wasm));
  const basePages = pagesFor(limits, 0);
  const base = start(module, basePages, data);
  let larger: { readonly pages: number; readonly machine: Machine } | undefined;
  const machineFor = (inputBytes: number): Machine => {
    const pages = pagesFor(limits, inputBytes);
    if (pages === basePages) return base;
    if (larger?.pages !== pages) larger = { pages, machine: start(module, pages, data) };
    return larger.machine;
  };
  return {
    digest: hash('sha256', wasm, 'hex'),
    entrypoints: [...base.entrypoints.keys()],
    evaluate: (entrypoint, input) => {
      if (input.length > limits.inputMax)
        throw new EngineError(
          'INPUT_TOO_LARGE',
          `the input of ${JSON.stringify(entrypoint)} is ${input.length} bytes, more than ${limits.inputMax}`,
        );
      return evaluate(machineFor(input.length), entrypoint, input, limits);
    },
  };
}

function start(module: WebAssembly.Module, pages: number, data: Uint8Array): Machine {
  try {
    return startMachine(module, pages, data);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    if (isOutOfMemory(cause))
      throw new EngineError('POLICY_LIMIT', `the policy's data passes the limit of memory (${pages} pages)`, {
        cause,
      });
    return refuse(cause instanceof Error ? cause.message : 'it does not start');
  }
}

function evaluate(machine: Machine, entrypoint: string, input: Uint8Array, limits: RegoLimits): RegoResult {
  const id = machine.entrypoints.get(entrypoint);
  if (id === undefined)
    throw new EngineError('POLICY_MODULE', `the policy has no entrypoint ${JSON.stringify(entrypoint)}`);
  const fuel = fuelFor(limits, input.length);
  machine.rewind(fuel, limits.depth);
  let isParsed = false;
  try {
    const address = machine.readInput(input);
    if (address === 0) throw unreadableInput(entrypoint);
    isParsed = true;
    const text = machine.evaluate(id, address);
    return { value: resultOf(text), fuelUsed: fuel - machine.fuelLeft() };
  } catch (cause) {
    throw failureOf(cause, machine, { entrypoint, fuel, depth: limits.depth, isParsed });
  }
}

/** The result set is a set of `{"result": value}`, empty where the entrypoint is undefined. */
function resultOf(text: string): RegoValue | undefined {
  const set = readValue(text);
  if (!Array.isArray(set) || set.length > 1) throw noResult();
  const [first] = set;
  if (first === undefined) return undefined;
  if (!isRegoObject(first)) throw noResult();
  return first['result'];
}

const noResult = (): EngineError => new EngineError('POLICY_RESULT', 'the policy returned no result set');
