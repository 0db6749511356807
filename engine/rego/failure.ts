// SPDX-License-Identifier: Apache-2.0
import { EngineError, type EngineErrorDetail } from '../error.ts';
import { BuiltinBroken, BuiltinRefused } from './builtins/index.ts';
import { Aborted, OutOfFuel } from './host.ts';
import type { Machine } from './machine.ts';

/** What was being done when an evaluation ended without an answer. */
export interface Attempt {
  readonly entrypoint: string;
  readonly fuel: bigint;
  readonly depth: number;
  /** The input was parsed: what failed is the policy. */
  readonly isParsed: boolean;
}

/** OPA's wording on its own runtime, by what its WebAssembly says. */
const CONFLICTS: readonly (readonly [string, string])[] = [
  ['var assignment conflict', 'complete rules must not produce multiple outputs'],
  ['object insert conflict', 'object keys must be unique'],
];

/** What ended an evaluation, told apart by what is left of its budgets and by who threw; never by the text of a trap. */
export function failureOf(cause: unknown, machine: Machine, attempt: Attempt): EngineError {
  if (cause instanceof EngineError) return cause;
  if (cause instanceof OutOfFuel || machine.fuelLeft() < 0n)
    return passed('steps', `${attempt.fuel}`, attempt, cause);
  if (machine.depthLeft() < 0) return passed('call depth', `${attempt.depth}`, attempt, cause);
  if (isOutOfMemory(cause)) return passed('memory', `${machine.memoryBytes} bytes`, attempt, cause);
  if (!attempt.isParsed) return unreadableInput(attempt.entrypoint, cause);
  if (cause instanceof Aborted) return aborted(cause, attempt.entrypoint);
  if (cause instanceof BuiltinRefused)
    return new EngineError('POLICY_LIMIT', `builtin ${cause.message}`, {
      cause,
      hint: 'docs/policies.md has the bounds of builtins',
    });
  if (cause instanceof BuiltinBroken)
    return new EngineError('POLICY_EVALUATION', `builtin ${cause.message}`, { cause });
  return new EngineError('POLICY_EVALUATION', `the policy trapped in ${JSON.stringify(attempt.entrypoint)}`, {
    cause,
  });
}

export const isOutOfMemory = (cause: unknown): boolean =>
  cause instanceof Aborted && cause.message === 'opa_malloc: failed';

export function unreadableInput(entrypoint: string, cause?: unknown): EngineError {
  const detail = cause === undefined ? {} : { cause };
  return new EngineError(
    'INPUT_SYNTAX',
    `the policy cannot read the input of ${JSON.stringify(entrypoint)}`,
    detail,
  );
}

function passed(what: string, budget: string, attempt: Attempt, cause: unknown): EngineError {
  return new EngineError(
    'POLICY_LIMIT',
    `the policy passed its limit of ${what} (${budget}) in ${JSON.stringify(attempt.entrypoint)}`,
    { cause, hint: 'look for rules that multiply or grow large collections, or call themselves' },
  );
}

/** The runtime names a place (`file:line:column: text`) where it knows one. */
function aborted(cause: Aborted, entrypoint: string): EngineError {
  const [, file, line, column, said] = /^(.*):(\d+):(\d+): (.*)$/s.exec(cause.message) ?? [];
  const text = said ?? cause.message;
  const conflict = CONFLICTS.find(([native]) => native === text)?.[1];
  const detail: EngineErrorDetail = {
    cause,
    ...(file === undefined ? {} : { location: { file, line: Number(line), column: Number(column) } }),
  };
  const message = conflict ?? `the policy gave up in ${JSON.stringify(entrypoint)}: ${JSON.stringify(text)}`;
  return new EngineError('POLICY_EVALUATION', message, detail);
}
