// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { EngineError } from '../error.ts';
import { type BuiltinFailure, type BuiltinServer, newCalls } from './builtins/index.ts';
import { type DataPath, Store } from './data/index.ts';
import { failureOf, isOutOfMemory, unreadableInput } from './failure.ts';
import { DEFAULT_LIMITS, fuelFor, pagesFor, type RegoLimits } from './limits.ts';
import { type Machine, type Room, startMachine } from './machine.ts';
import { pagesOf } from './memory.ts';
import { meter, refuse } from './meter/index.ts';
import { isRegoObject, type RegoValue, readValue } from './value.ts';

/** A module with its data, ready to evaluate. */
export interface RegoProgram {
  /** SHA-256 (hex) of the module as it came, before it was metered. */
  readonly digest: string;
  /** Names of its entrypoints, `a/b/c`. */
  readonly entrypoints: readonly string[];
  /**
   * Evaluates one entrypoint (`a/b/c`) over JSON bytes, or with `input` undefined. After an error the program is as good as new.
   * @throws {EngineError} POLICY_LIMIT | POLICY_EVALUATION | POLICY_RESULT | INPUT_SYNTAX | INPUT_TOO_LARGE
   */
  evaluate(entrypoint: string, input: Uint8Array | undefined, moment?: RegoMoment): RegoResult;
  /**
   * Puts a JSON document at a path of the data, in place; objects on the way are made where they are missing, and the empty path
   * is the whole data. Values and steps of evaluations are then those of a program that was loaded with this data.
   * @throws {EngineError} POLICY_DATA when it is no JSON, or the path goes through what is no object | POLICY_LIMIT when it does
   * not fit; nothing is changed then
   */
  setData(path: DataPath, json: Uint8Array): void;
  /** Takes away what is at a path of the data, if anything is. @throws {EngineError} POLICY_DATA for the empty path */
  removeData(path: DataPath): void;
}

/** What one evaluation is told besides its input. */
export interface RegoMoment {
  /** The clock of builtins; without it those that read a clock are an error. */
  readonly time?: Date;
  /** Failures of builtins are kept in the result. Without it a builtin that fails is undefined, as on OPA's own runtime. */
  readonly isStrict?: boolean;
}

export interface RegoResult {
  /** undefined where the entrypoint is undefined. */
  readonly value: RegoValue | undefined;
  /** Steps that this evaluation took; equal on every machine. */
  readonly fuelUsed: bigint;
  /** Memory that this evaluation took from the module's heap. */
  readonly heapBytes: number;
  /** Calls of builtins that failed, at most 20; empty where `isStrict` is not set. The value is as if they were undefined. */
  readonly failures: readonly BuiltinFailure[];
}

/** What is loaded beside a module. */
export interface RegoLoad {
  /** JSON bytes of the document under `data`. */
  readonly data: Uint8Array;
  readonly limits?: Partial<RegoLimits>;
  /** What `meter` made of the module before; must come from where nobody else can write. */
  readonly metered?: Uint8Array;
  /** Has the builtins that are neither native nor written in TypeScript; without it a module that needs them is refused. */
  readonly builtins?: BuiltinServer;
}

/**
 * Meters and loads a module. One instance serves all evaluations and is rewound before each; an input that needs more memory than
 * the base gets a larger instance, of which the last is kept.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA | POLICY_LIMIT when the data does not fit
 */
export function loadRego(wasm: Uint8Array, load: RegoLoad): RegoProgram {
  const { data, builtins, metered } = load;
  const limits: RegoLimits = { ...DEFAULT_LIMITS, ...load.limits };
  const module = compile(metered ?? meter(wasm));
  const basePages = pagesFor(limits, 0);
  const begin = (room: Room): Machine => start(module, room, builtins);
  const store = new Store(
    {
      start: (dataBytes) => begin({ pages: basePages, dataPages: pagesOf(dataBytes) }),
      max: limits.dataBytes,
    },
    data,
  );
  const larger = new LargerMachine(begin, store);
  return {
    digest: hash('sha256', wasm, 'hex'),
    entrypoints: [...store.machine.entrypoints.keys()],
    evaluate: (entrypoint, input, moment = {}) => {
      const size = input?.length ?? 0;
      if (size > limits.inputBytes)
        throw new EngineError(
          'INPUT_TOO_LARGE',
          `the input of ${JSON.stringify(entrypoint)} is ${size} bytes, more than ${limits.inputBytes}`,
        );
      const pages = pagesFor(limits, size);
      const machine = pages === basePages ? store.machine : larger.get(pages);
      return evaluate({ machine, data: store.root, limits }, { entrypoint, input, moment });
    },
    setData: (path, json) => store.set(path, json),
    removeData: (path) => store.remove(path),
  };
}

/** The machine of the last input that needed more memory than the base; it follows the base's data. */
class LargerMachine {
  readonly #begin: (room: Room) => Machine;
  readonly #store: Store;
  #kept: { readonly pages: number; readonly capacity: number; readonly machine: Machine } | undefined;

  constructor(begin: (room: Room) => Machine, store: Store) {
    this.#begin = begin;
    this.#store = store;
  }

  get(pages: number): Machine {
    const { capacity } = this.#store;
    const kept = this.#kept;
    if (kept?.pages === pages && kept.capacity === capacity) {
      this.#store.copyTo(kept.machine, false);
      return kept.machine;
    }
    const machine = this.#begin({ pages, dataPages: pagesOf(capacity) });
    this.#store.copyTo(machine, true);
    this.#kept = { pages, capacity, machine };
    return machine;
  }
}

/** A module can be valid and still, with its charges, be more than the engine takes. */
function compile(metered: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(metered);
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : 'it does not compile');
  }
}

function start(module: WebAssembly.Module, room: Room, builtins: BuiltinServer | undefined): Machine {
  try {
    return startMachine(module, room, builtins);
  } catch (cause) {
    // Its own account of itself is unreadable: it is the module that is wrong, no result.
    if (cause instanceof EngineError && cause.code !== 'POLICY_RESULT') throw cause;
    if (isOutOfMemory(cause))
      throw new EngineError(
        'POLICY_LIMIT',
        `the policy passes its limit of memory (${room.pages} pages) before it is asked`,
        {
          cause,
        },
      );
    return refuse(cause instanceof Error ? cause.message : 'it does not start');
  }
}

interface Bench {
  readonly machine: Machine;
  /** Address of the data. */
  readonly data: number;
  readonly limits: RegoLimits;
}

interface Asked {
  readonly entrypoint: string;
  readonly input: Uint8Array | undefined;
  readonly moment: RegoMoment;
}

const NANOSECONDS_PER_MS = 1_000_000n;

function evaluate({ machine, data, limits }: Bench, { entrypoint, input, moment }: Asked): RegoResult {
  const id = machine.entrypoints.get(entrypoint);
  if (id === undefined)
    throw new EngineError('POLICY_MODULE', `the policy has no entrypoint ${JSON.stringify(entrypoint)}`);
  const fuel = fuelFor(limits, input?.length ?? 0);
  machine.rewind(fuel, limits.depth);
  const timeNs = moment.time === undefined ? undefined : BigInt(moment.time.getTime()) * NANOSECONDS_PER_MS;
  const calls = newCalls(timeNs, moment.isStrict ?? false);
  machine.begin(calls);
  let isParsed = false;
  try {
    const address = input === undefined ? 0 : machine.readInput(input);
    if (address === 0 && input !== undefined) throw unreadableInput(entrypoint);
    isParsed = true;
    const text = machine.evaluate(id, address, data);
    return {
      value: resultOf(text),
      fuelUsed: fuel - machine.fuelLeft(),
      heapBytes: machine.heapBytes(),
      failures: moment.isStrict ? calls.failures : [],
    };
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
