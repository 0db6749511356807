// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { EngineError } from '../error.ts';
import { DEFAULT_LIMITS, fuelFor, pagesFor, type RegoLimits } from './limits.ts';
import { Aborted, type Machine, OutOfFuel, startMachine } from './machine.ts';
import { refuse } from './meter/bytes.ts';
import { meter } from './meter/meter.ts';
import { parseValue, type RegoValue } from './value.ts';

/** A module with its data, ready to evaluate. */
export interface RegoProgram {
  /** SHA-256 (hex) of the module as it came, before it was metered. */
  readonly digest: string;
  /**
   * Evaluates one entrypoint (`a/b/c`) over JSON bytes.
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
 * the base gets a larger instance, which is kept.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA
 */
export function loadRego(wasm: Uint8Array, { data, limits: given }: RegoLoad): RegoProgram {
  const limits: RegoLimits = { ...DEFAULT_LIMITS, ...given };
  const module = new WebAssembly.Module(meter(wasm));
  const machines = new Map<number, Machine>();
  const machineFor = (inputBytes: number): Machine => {
    const pages = pagesFor(limits, inputBytes);
    const machine = machines.get(pages) ?? start(module, pages, data);
    machines.set(pages, machine);
    return machine;
  };
  machineFor(0);
  return {
    digest: hash('sha256', wasm, 'hex'),
    evaluate: (entrypoint, input) => {
      if (input.length > limits.inputMax) {
        throw new EngineError(
          'INPUT_TOO_LARGE',
          `the input of ${JSON.stringify(entrypoint)} is ${input.length} bytes, more than ${limits.inputMax}`,
        );
      }
      return evaluate(machineFor(input.length), entrypoint, input, limits);
    },
  };
}

function start(module: WebAssembly.Module, pages: number, data: Uint8Array): Machine {
  try {
    return startMachine(module, pages, data);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    return refuse(cause instanceof Error ? cause.message : 'it does not start');
  }
}

function evaluate(machine: Machine, entrypoint: string, input: Uint8Array, limits: RegoLimits): RegoResult {
  const id = machine.entrypoints.get(entrypoint);
  if (id === undefined)
    throw new EngineError('POLICY_MODULE', `the policy has no entrypoint ${JSON.stringify(entrypoint)}`);
  const budget = fuelFor(limits, input.length);
  machine.rewind(budget, limits.depth);
  let text: string | undefined;
  try {
    text = machine.run(id, input);
  } catch (cause) {
    throw failure(machine, entrypoint, { budget, limits, cause });
  }
  if (text === undefined)
    throw new EngineError(
      'INPUT_SYNTAX',
      `the policy cannot read the input of ${JSON.stringify(entrypoint)}`,
    );
  return { value: resultOf(text), fuelUsed: budget - BigInt(machine.fuel.value) };
}

/** The result set is a set of `{"result": value}`, empty where the entrypoint is undefined. */
function resultOf(text: string): RegoValue | undefined {
  const set = parseValue(text);
  if (!Array.isArray(set) || set.length > 1)
    throw new EngineError('POLICY_RESULT', 'the policy returned no result set');
  const [first] = set;
  if (first === undefined) return undefined;
  if (typeof first !== 'object' || first === null || Array.isArray(first) || first instanceof Map)
    throw new EngineError('POLICY_RESULT', 'the policy returned no result set');
  return first['result'];
}

interface Failure {
  readonly budget: bigint;
  readonly limits: RegoLimits;
  readonly cause: unknown;
}

/** What ended an evaluation, told apart by what is left (rego-limits §4): never by the text of a trap. */
function failure(machine: Machine, entrypoint: string, { budget, limits, cause }: Failure): EngineError {
  const passed = (what: string, limit: string): EngineError =>
    new EngineError(
      'POLICY_LIMIT',
      `the policy passed its limit of ${what} (${limit}) in ${JSON.stringify(entrypoint)}`,
      {
        cause,
        hint: 'look for rules that multiply or grow large collections',
      },
    );
  if (cause instanceof OutOfFuel || BigInt(machine.fuel.value) < 0n) return passed('steps', String(budget));
  if (Number(machine.depth.value) < 0) return passed('call depth', String(limits.depth));
  if (cause instanceof Aborted && cause.message.includes('malloc'))
    return passed('memory', `${limits.memoryBase} bytes`);
  if (cause instanceof Aborted)
    return new EngineError('POLICY_EVALUATION', readable(cause.message), { cause });
  return new EngineError('POLICY_EVALUATION', 'the policy trapped', { cause });
}

const WORDINGS: readonly (readonly [RegExp, string])[] = [
  [
    /var assignment conflict/,
    'a complete rule has more than one value (OPA: complete rules must not produce multiple outputs)',
  ],
  [/object insert conflict/, 'an object has more than one value for a key (OPA: object keys must be unique)'],
];

/** `file:row:col: text` of OPA's runtime, with its wording for authors where it is known. */
function readable(message: string): string {
  const wording = WORDINGS.find(([pattern]) => pattern.test(message))?.[1];
  return wording === undefined ? message : `${/^(.*?:\d+:\d+: )/.exec(message)?.[1] ?? ''}${wording}`;
}
