// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { EngineError } from '../../engine/error.ts';
import {
  type BuiltinServer,
  loadRego,
  type RegoProgram,
  type RegoResult,
  type RegoValue,
} from '../../engine/rego/index.ts';
import { openRegoBuiltins, openRegoToolchain, type RegoSource } from '../../engine/toolchain/index.ts';
import type { Case, Exceptions } from './cases.ts';

const BUILT = join(import.meta.dirname, '../../engine/toolchain/built');
/** The time of every evaluation; certificates in the cases are valid then. */
const TIME = new Date('2026-01-01T00:00:00Z');
const PACKAGE = 'countersign_case';

/** What became of a case: undefined when it is as OPA has it, or what differs. */
export type Verdict = string | undefined;

/** Compiles cases with the toolchain and evaluates them with the evaluator, both as a policy would be. */
export interface Runner {
  /** Verdicts in the order of the cases. */
  run(cases: readonly Case[], onVerdict: (one: Case, verdict: Verdict) => void): Promise<void>;
  /** The code of the error that the case's modules are as a policy, undefined where they compile. */
  compileAsPolicy(one: Case): Promise<string | undefined>;
  close(): Promise<void>;
}

export function openRunner(exceptions: Exceptions): Runner {
  const toolchain = openRegoToolchain({ directory: BUILT, deadlineMs: 60_000 });
  const builtins: BuiltinServer = {
    ...openRegoBuiltins(BUILT),
    extra: new Set(Object.keys(exceptions.refused)),
  };
  const extra = Object.keys(exceptions.refused);
  const compile = async (one: Case): Promise<Compiled | Error> => {
    const { sources, entrypoint, query } = adapt(one, exceptions);
    try {
      const built =
        query === undefined
          ? await toolchain.build(sources, { entrypoints: [entrypoint], extra })
          : await toolchain.query(sources, { query, extra });
      return { wasm: built.wasm, entrypoint };
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  return {
    run: async (cases, onVerdict) => {
      // One ahead: the next case compiles in its thread while this one is evaluated.
      let next: Promise<Compiled | Error> | undefined;
      for (const [index, one] of cases.entries()) {
        const compiled = await (next ?? compile(one));
        const following = cases[index + 1];
        next = following === undefined ? undefined : compile(following);
        onVerdict(one, compiled instanceof Error ? describe(compiled) : judge(one, compiled, builtins));
      }
    },
    compileAsPolicy: async (one) => {
      const { sources, entrypoint } = adapt(one, exceptions);
      try {
        await toolchain.build(sources, { entrypoints: [entrypoint] });
        return undefined;
      } catch (error) {
        return error instanceof EngineError ? error.code : String(error);
      }
    },
    close: () => toolchain.close(),
  };
}

interface Compiled {
  readonly wasm: Uint8Array;
  readonly entrypoint: string;
}

interface Adapted {
  readonly sources: readonly RegoSource[];
  readonly entrypoint: string;
  readonly query?: string;
}

/** A query that is no plain reference becomes the body of a rule whose items are its bindings, and an input that is no JSON a `with`. */
function adapt(one: Case, { adapted }: Exceptions): Adapted {
  const version = one.v0 ? { v0: true as const } : {};
  const replaced = (text: string): string =>
    adapted.reduce((now, [from, to]) => now.replaceAll(from, to), text);
  const sources = (one.modules ?? []).map((text, index) => ({
    file: `test-${index}.rego`,
    text: replaced(text),
    ...version,
  }));
  if (one.query === 'data = x') return { sources, entrypoint: 'eval', query: 'data = result' };
  if (one.entrypoint !== undefined && one.input_term === undefined)
    return { sources, entrypoint: one.entrypoint };
  const text = `package ${PACKAGE}\n\n${ruleOf(one)}\n`;
  return {
    sources: [...sources, { file: 'case.rego', text, ...version }],
    entrypoint: `${PACKAGE}/bindings`,
  };
}

function ruleOf(one: Case): string {
  const variables = Object.keys(one.want_result?.[0] ?? {});
  const bindings = `{${variables.map((name) => `${JSON.stringify(name)}: ${name}`).join(', ')}}`;
  const given = one.input_term === undefined ? '' : ` with input as ${one.input_term}`;
  const body = `${one.query.trim()}${given}`;
  return one.v0 ? `bindings[${bindings}] { ${body} }` : `bindings contains ${bindings} if { ${body} }`;
}

function judge(one: Case, compiled: Compiled, builtins: BuiltinServer): Verdict {
  let program: RegoProgram;
  try {
    const data = Buffer.from(JSON.stringify(one.data ?? {}));
    program = loadRego(compiled.wasm, { data, builtins, limits: { memoryBytes: 8 * 1024 * 1024 } });
  } catch (error) {
    return describe(error);
  }
  const evaluate = (isStrict: boolean): RegoResult | Error => {
    try {
      const input = 'input' in one ? Buffer.from(JSON.stringify(one.input)) : undefined;
      return program.evaluate(compiled.entrypoint, input, { time: TIME, isStrict });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  const strict = one.strict_error === true ? judgeError(one, evaluate(true)) : undefined;
  return strict ?? judgeResult(one, evaluate(false));
}

/** With strict errors: a failure that says what OPA's error says. */
function judgeError(one: Case, found: RegoResult | Error): Verdict {
  if (one.want_error === undefined && one.want_error_code === undefined) return undefined;
  if (found instanceof Error) return `strict: ${describe(found)}`;
  const lines = found.failures.map(
    ({ location, code, message }) => `${location?.file}:${location?.line}: ${code}: ${message}`,
  );
  const isShown = lines.some(
    (line) => line.includes(one.want_error ?? '') && line.includes(`: ${one.want_error_code ?? ''}`),
  );
  return isShown ? undefined : `strict: no ${one.want_error_code}: ${one.want_error} in ${lines.join('\n')}`;
}

/** Without: the result, which is empty where the case wants an error of a builtin; a conflict is an error always. */
function judgeResult(one: Case, found: RegoResult | Error): Verdict {
  const isConflict = one.want_error_code === 'eval_conflict_error';
  if (found instanceof Error) return isConflict && isConflictError(found) ? undefined : describe(found);
  if (isConflict) return 'no conflict';
  const want = (one.want_result ?? []).map((bindings) => exact(bindings, one));
  const have = bindingsOf(one, found.value).map((bindings) => exact(bindings, one));
  const [wanted, had] = [want, have].map((all) => JSON.stringify(all.sort()));
  return wanted === had ? undefined : `want ${wanted}, have ${had}`;
}

function bindingsOf(one: Case, value: RegoValue | undefined): readonly RegoValue[] {
  const isRule = one.entrypoint === undefined ? one.query !== 'data = x' : one.input_term !== undefined;
  if (isRule) return Array.isArray(value) ? value : [];
  if (value === undefined) return [];
  return [{ [one.binding ?? 'x']: value }];
}

const isConflictError = (error: Error): boolean =>
  error instanceof EngineError &&
  error.code === 'POLICY_EVALUATION' &&
  /must not produce multiple outputs|object keys must be unique/.test(error.message);

/** Text by which two results are the same: numbers by value, keys of any type by their text, lists as they are or sorted. */
function exact(bindings: unknown, one: Case): string {
  const members = Object.entries(bindings ?? {}).map(([name, value]): [string, string] => {
    const isSorted = one.sort_bindings === true && Array.isArray(value);
    return [name, isSorted ? `[${value.map(textOf).sort().join()}]` : textOf(value)];
  });
  return JSON.stringify(members.sort());
}

function textOf(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return numberText(String(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (isRaw(value)) return numberText(JSON.stringify(value));
  const members =
    value instanceof Map ? [...value].map(([key, item]) => [keyOf(key), item]) : Object.entries(value);
  return `{${members
    .map(([key, item]) => `${JSON.stringify(key)}:${textOf(item)}`)
    .sort()
    .join()}}`;
}

const keyOf = (key: unknown): string => (typeof key === 'string' ? key : textOf(key));
const isRaw = (value: object): boolean =>
  Boolean(Reflect.apply(Reflect.get(JSON, 'isRawJSON'), JSON, [value]));

/** An integer in full, anything else as a double. */
function numberText(text: string): string {
  if (/^-?\d+$/.test(text)) return BigInt(text).toString();
  const value = Number(text);
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

function describe(error: unknown): string {
  if (!(error instanceof EngineError)) return String(error);
  const problems = error.problems.map(({ message }) => message).join('; ');
  return `${error.code}: ${error.message}${problems === '' ? '' : ` (${problems})`}`;
}
