// SPDX-License-Identifier: Apache-2.0

import { EngineError, type EngineErrorCode, type Problem } from '../../error.ts';
import { insteadOf } from '../../rego/builtins/table.ts';

/** One rule as written; `name` is the first part of its head, `line` is 1-based. */
export interface RegoRule {
  readonly name: string;
  readonly kind: 'set' | 'object' | 'complete' | 'function';
  readonly line: number;
}

/** One METADATA block and what it is of: `path` is `data.<package>[.<rule>]`; `line` is the first of the block, 1-based. */
export interface RegoAnnotation {
  readonly scope: string;
  readonly path: string;
  readonly title?: string;
  readonly description?: string;
  readonly custom?: unknown;
  /** `entrypoint: true`: what it is of shall be one of the module. */
  readonly entrypoint?: true;
  readonly line: number;
}

/** Where a builtin of OPA is called or replaced by name; both 1-based. */
export interface RegoBuiltinUse {
  readonly name: string;
  readonly line: number;
  readonly column: number;
}

/** What one file declares; `package` is without `data.`. */
export interface RegoModuleInfo {
  readonly file: string;
  readonly package: string;
  readonly rules: readonly RegoRule[];
  readonly annotations: readonly RegoAnnotation[];
  /** As references: `data.lib.images`, `rego.v1`. */
  readonly imports: readonly string[];
  readonly builtins: readonly RegoBuiltinUse[];
}

/** A compiled policy: the module of all entrypoints, and the version of OPA that made it. */
export interface RegoBuild {
  readonly wasm: Uint8Array;
  readonly opaVersion: string;
}

/** One `test_` rule's outcome; neither `fail` nor `skip` nor `error` means it passed. */
export interface RegoTest {
  readonly package: string;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly fail: boolean;
  readonly skip: boolean;
  readonly error?: string;
  /** What the test printed. */
  readonly output: string;
  readonly durationNs: number;
  /** Of a test with cases (`test_x[name] if …`): each with the parts of its name. */
  readonly cases?: readonly { readonly name: readonly string[]; readonly fail: boolean }[];
  /** Where the body of a failed test stopped: its first expression that was undefined or false. */
  readonly stopped?: RegoPlace;
}

/** A place in a Rego file, both 1-based, and the first line of what stands there. */
export interface RegoPlace {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** The outcome of all tests; `percent` of lines covered. */
export interface RegoTestReport {
  readonly tests: readonly RegoTest[];
  readonly coverage: readonly {
    readonly file: string;
    readonly covered: number;
    readonly notCovered: readonly number[];
  }[];
  readonly percent: number;
}

/** How one test is called on a compiled module; `missing` are builtins that it reaches and the module does not have. */
export interface RegoTestEntry {
  readonly package: string;
  readonly name: string;
  readonly entrypoint: string;
  readonly missing: readonly string[];
}

/** The tests themselves as a module; `wasm` is empty where none of them can be compiled. */
export interface RegoTestModule {
  readonly entries: readonly RegoTestEntry[];
  readonly wasm: Uint8Array;
}

/** What became of one rule body: how often it held, and if it never did, its first expression that was undefined or false. */
export interface RegoRuleTrace {
  readonly path: string;
  readonly file: string;
  readonly line: number;
  /** First line of the rule. */
  readonly head: string;
  readonly fired: number;
  readonly stopped?: RegoPlace;
}

/** One expression of a query with its value as JSON text; `row` and `col` are 1-based, in the query. */
export interface RegoExpression {
  readonly value: string;
  readonly text: string;
  readonly location: { readonly row: number; readonly col: number } | null;
}

/**
 * Answers to a query, none where it is undefined. Values are JSON text, two spaces a level, since a JavaScript number has fewer
 * digits than Rego's; sets are sorted arrays, as in OPA's JSON.
 */
export interface RegoEvaluation {
  readonly result: readonly {
    readonly expressions: readonly RegoExpression[];
    readonly bindings?: Readonly<Record<string, string>>;
  }[];
  /** What rules printed, a line each. */
  readonly printed: string;
  /** By file and line; empty unless asked for. */
  readonly rules: readonly RegoRuleTrace[];
}

/** One expression of a query that is compiled; `captured` is the variable that has its value, absent where it is only true. */
export interface RegoQueryPart {
  readonly text: string;
  readonly location: { readonly row: number; readonly col: number } | null;
  readonly captured?: string;
}

/** A query as a module: its entrypoint `eval` is an array of answers, each an object of variables. */
export interface RegoQueryModule {
  readonly wasm: Uint8Array;
  readonly parts: readonly RegoQueryPart[];
}

/** The documents that a query reads: base ones come from outside, virtual ones from rules. */
export interface RegoDependencies {
  readonly base: readonly string[];
  readonly virtual: readonly string[];
}

/** What the program says, besides a module. */
export interface Answer {
  readonly problems?: readonly {
    code: string;
    message: string;
    file?: string;
    line?: number;
    column?: number;
  }[];
  readonly modules?: readonly RegoModuleInfo[];
  readonly tests?: RegoTestReport;
  readonly opa?: string;
  readonly texts?: readonly string[];
  readonly deps?: RegoDependencies;
  readonly eval?: RegoEvaluation;
  readonly entries?: readonly RegoTestEntry[];
  readonly parts?: readonly RegoQueryPart[];
}

/**
 * Reads a reply: four bytes of length (little endian), JSON, the module's bytes.
 * @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN | POLICY_EVALUATION with the problems; TOOLCHAIN_FAILED for a panic
 */
export function readAnswer(bytes: Uint8Array): { readonly answer: Answer; readonly module: Uint8Array } {
  const reply = Buffer.from(bytes);
  const end = 4 + reply.readUInt32LE(0);
  const answer: Answer = JSON.parse(reply.toString('utf8', 4, end));
  const { problems } = answer;
  if (problems === undefined || problems.length === 0)
    return { answer, module: new Uint8Array(reply.subarray(end)) };
  const crash = problems.find(({ code }) => code === 'crash');
  throw crash === undefined ? failed(problems) : crashed(crash.message);
}

/** OPA's compiler panics over a few policies, more of them when it optimises. */
const crashed = (said: string): EngineError =>
  new EngineError('TOOLCHAIN_FAILED', `OPA's compiler crashed over this policy: ${JSON.stringify(said)}`, {
    hint: 'build without optimisation (the default); if it was, please report the policy',
  });

function failed(found: NonNullable<Answer['problems']>): EngineError {
  const isRefused = found.some((problem) => problem.code === 'builtin_refused');
  const code: EngineErrorCode = isRefused
    ? 'POLICY_BUILTIN'
    : found.some(({ code: own }) => own.startsWith('eval_'))
      ? 'POLICY_EVALUATION'
      : 'POLICY_COMPILE';
  const problems = found.map(
    ({ code: own, message, file, line, column }): Problem => ({
      message: own === 'builtin_refused' ? `builtin ${JSON.stringify(message)} is not available` : message,
      code: own === 'builtin_refused' ? 'POLICY_BUILTIN' : own,
      ...(file === undefined ? {} : { location: { file, line: line ?? 1, column: column ?? 1 } }),
    }),
  );
  const hint = isRefused ? builtinHint(found.map((problem) => problem.message)) : versionHint(problems);
  return new EngineError(
    code,
    `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in the policy`,
    { problems, ...(hint === undefined ? {} : { hint }) },
  );
}

/** What OPA says first of all about a rule as it was written before 1.0. */
const versionHint = (problems: readonly Problem[]): string | undefined =>
  problems.some(({ message }) => /^`(?:if|contains)` keyword is required /.test(message))
    ? 'Rego as it was before OPA 1.0 is read with --v0-compatible, or regoVersion: v0 of a policy in the Project'
    : undefined;

const builtinHint = (names: readonly string[]): string =>
  names.map(insteadOf).find((hint) => hint !== undefined) ?? 'docs/policies.md lists the builtins that are';
