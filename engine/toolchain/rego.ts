// SPDX-License-Identifier: Apache-2.0
import { EngineError, type EngineErrorCode, type Problem } from '../error.ts';
import { COMPILED, insteadOf } from '../rego/builtins/table.ts';
import { openRegoThread, type RegoThread } from './rego_thread.ts';

/** One Rego file. */
export interface RegoSource {
  readonly file: string;
  readonly text: string;
  /** Written in the syntax of Rego before OPA 1.0. */
  readonly v0?: true;
}

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

/** OPA's parser, checker, compiler and tester. Each call throws POLICY_DEADLINE, TOOLCHAIN_FAILED or TOOLCHAIN_DIGEST besides its own. */
export interface RegoToolchain {
  /** @throws {EngineError} POLICY_COMPILE with every file's problems */
  parse(sources: readonly RegoSource[]): Promise<readonly RegoModuleInfo[]>;
  /** Strict: unused variables and imports are errors. @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN */
  check(sources: readonly RegoSource[], options: { readonly strict: true }): Promise<void>;
  /**
   * @param options.entrypoints paths such as `a/b/c`
   * @param options.extra builtins that policies are refused, for OPA's own cases
   * @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN
   */
  build(
    sources: readonly RegoSource[],
    options: { readonly entrypoints: readonly string[]; readonly extra?: readonly string[] },
  ): Promise<RegoBuild>;
  /**
   * Compiles a query whose one variable is `result`, as a module of one entrypoint `eval`; OPA's own cases need it, which also call
   * builtins that policies are refused (`extra`). @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN
   */
  query(
    sources: readonly RegoSource[],
    options: { readonly query: string; readonly extra?: readonly string[] },
  ): Promise<RegoBuild>;
  /**
   * Runs every `test_` rule. A test (file `*_test.rego` or package `*_test`) may use all builtins that do not read the world,
   * what it tests only those of `build`. @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN
   */
  test(
    sources: readonly RegoSource[],
    options: { readonly data?: unknown; readonly deadlineMs?: number },
  ): Promise<RegoTestReport>;
  close(): Promise<void>;
}

interface Answer {
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
}

/** Opens the toolchain; its thread starts with the first request. */
export function openRegoToolchain(options: {
  readonly directory: string;
  readonly deadlineMs: number;
}): RegoToolchain {
  const thread = openRegoThread(options.directory);
  const ask = (
    op: string,
    sources: readonly RegoSource[],
    more: object = {},
    deadlineMs = options.deadlineMs,
  ): ReturnType<typeof request> =>
    request(
      thread,
      { op, files: sources.map(({ file: name, ...source }) => ({ name, ...source })), ...COMPILED, ...more },
      deadlineMs,
    );
  return {
    parse: async (sources) => need((await ask('parse', sources)).answer.modules),
    check: async (sources) => void (await ask('check', sources)),
    build: async (sources, { entrypoints, extra = [] }) => {
      const served = [...COMPILED.served, ...extra];
      const { answer, module } = await ask('build', sources, { entrypoints, served });
      return { wasm: module, opaVersion: need(answer.opa) };
    },
    query: async (sources, { query, extra = [] }) => {
      const served = [...COMPILED.served, ...extra];
      const { answer, module } = await ask('query', sources, { query, served });
      return { wasm: module, opaVersion: need(answer.opa) };
    },
    test: async (sources, { data, deadlineMs }) =>
      need((await ask('test', sources, { data: data ?? {} }, deadlineMs)).answer.tests),
    close: () => thread.close(),
  };
}

function need<T>(value: T | undefined): T {
  if (value === undefined)
    throw new EngineError('TOOLCHAIN_FAILED', 'the program "rego" gave no answer to what was asked');
  return value;
}

/** Answer: four bytes of length (little endian), JSON, the module's bytes. */
async function request(
  thread: RegoThread,
  body: object,
  deadlineMs: number,
): Promise<{ answer: Answer; module: Uint8Array }> {
  const reply = Buffer.from(await thread.ask(Buffer.from(JSON.stringify(body)), deadlineMs));
  const end = 4 + reply.readUInt32LE(0);
  const answer: Answer = JSON.parse(reply.toString('utf8', 4, end));
  if (answer.problems !== undefined && answer.problems.length > 0) throw failed(answer.problems);
  return { answer, module: new Uint8Array(reply.subarray(end)) };
}

function failed(found: NonNullable<Answer['problems']>): EngineError {
  const isRefused = found.some((problem) => problem.code === 'builtin_refused');
  const code: EngineErrorCode = isRefused
    ? 'POLICY_BUILTIN'
    : found.some(({ code: own }) => own === 'crash')
      ? 'TOOLCHAIN_FAILED'
      : 'POLICY_COMPILE';
  const problems = found.map(
    ({ code: own, message, file, line, column }): Problem => ({
      message: own === 'builtin_refused' ? `builtin ${JSON.stringify(message)} is not available` : message,
      code: own === 'builtin_refused' ? 'POLICY_BUILTIN' : own,
      ...(file === undefined ? {} : { location: { file, line: line ?? 1, column: column ?? 1 } }),
    }),
  );
  const hint = isRefused ? builtinHint(found.map((problem) => problem.message)) : undefined;
  return new EngineError(
    code,
    `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in the policy`,
    { problems, ...(hint === undefined ? {} : { hint }) },
  );
}

const builtinHint = (names: readonly string[]): string =>
  names.map(insteadOf).find((hint) => hint !== undefined) ?? 'docs/policies.md lists the builtins that are';
