// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import { COMPILED } from '../rego/builtins/table.ts';
import {
  type RegoBuild,
  type RegoDependencies,
  type RegoEvaluation,
  type RegoModuleInfo,
  type RegoQueryModule,
  type RegoTestModule,
  type RegoTestReport,
  readAnswer,
} from './rego/rego_answer.ts';
import { openRegoThread, type RegoThread } from './rego/rego_thread.ts';

export type * from './rego/rego_answer.ts';

/** One Rego file; `v0` where it is written in Rego as it was before OPA 1.0, absent where nobody said so, which is v1. */
export interface RegoSource {
  readonly file: string;
  readonly text: string;
  readonly v0?: boolean;
}

/** A JSON Schema. `path` is what METADATA calls it below `schema`, in parts; empty for the one that `input` has everywhere. */
export interface RegoSchema {
  readonly file: string;
  readonly path: readonly string[];
  readonly schema: unknown;
}

/** Which tests run, and for how long each may. */
export interface RegoTestOptions {
  /** Keys of the document under `data`. */
  readonly data?: unknown;
  /** Regular expression (RE2) over `data.<package>.<name>`. */
  readonly run?: string;
  /** For each test; absent, only the deadline of the whole call ends it. */
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
}

/** A query and what it sees. */
export interface RegoEvalOptions {
  /** Rego: `data.main.deny`, `x := data.a; x > 1`. */
  readonly query: string;
  /** JSON text; absent, `input` is undefined. */
  readonly input?: string;
  readonly data?: unknown;
  /** What builtins that read a clock see; absent, the beginning of 1970. */
  readonly time?: Date;
  readonly explain?: true;
  /** The first failing builtin is an error; otherwise it is undefined, as OPA has it. */
  readonly strictBuiltinErrors?: true;
}

/** OPA's parser, checker, compiler and tester. Each call throws POLICY_DEADLINE, TOOLCHAIN_FAILED or TOOLCHAIN_DIGEST besides its own. */
export interface RegoToolchain {
  /** @throws {EngineError} POLICY_COMPILE with every file's problems */
  parse(sources: readonly RegoSource[]): Promise<readonly RegoModuleInfo[]>;
  /** The texts as OPA lays them out, in the order of the sources. @throws {EngineError} POLICY_COMPILE */
  format(sources: readonly RegoSource[]): Promise<readonly string[]>;
  /** Strict: unused variables and imports are errors. @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN */
  check(
    sources: readonly RegoSource[],
    options: { readonly strict: true; readonly schemas?: readonly RegoSchema[] },
  ): Promise<void>;
  /**
   * @param options.entrypoints paths such as `a/b/c`
   * @param options.optimise OPA's level, 0 (the default) to 2
   * @param options.extra builtins that policies are refused, for OPA's own cases
   * @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN; TOOLCHAIN_FAILED where OPA's compiler panics
   */
  build(
    sources: readonly RegoSource[],
    options: {
      readonly entrypoints: readonly string[];
      readonly optimise?: number;
      readonly extra?: readonly string[];
    },
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
   * what it tests only those of `build`. @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN | POLICY_DATA
   */
  test(sources: readonly RegoSource[], options: RegoTestOptions): Promise<RegoTestReport>;
  /** Compiles what `test` would run, each test as an entrypoint. @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN */
  testModule(sources: readonly RegoSource[], options: Pick<RegoTestOptions, 'run'>): Promise<RegoTestModule>;
  /** Answers a query with OPA's own evaluator. @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN | POLICY_EVALUATION | POLICY_DATA */
  eval(sources: readonly RegoSource[], options: RegoEvalOptions): Promise<RegoEvaluation>;
  /** Compiles what `eval` would answer. @throws {EngineError} POLICY_COMPILE | POLICY_BUILTIN | POLICY_DATA */
  evalModule(
    sources: readonly RegoSource[],
    options: Pick<RegoEvalOptions, 'query' | 'data'>,
  ): Promise<RegoQueryModule>;
  /** @param query as in `eval` @throws {EngineError} POLICY_COMPILE */
  deps(sources: readonly RegoSource[], query: string): Promise<RegoDependencies>;
  close(): Promise<void>;
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
    request(thread, { op, files: sources.map(fileOf), ...COMPILED, ...more }, deadlineMs);
  return {
    parse: async (sources) => need((await ask('parse', sources)).answer.modules),
    format: async (sources) => need((await ask('format', sources)).answer.texts),
    check: async (sources, { schemas }) => void (await ask('check', sources, { schemas: schemas ?? [] })),
    build: async (sources, { entrypoints, optimise = 0, extra = [] }) => {
      const served = [...COMPILED.served, ...extra];
      const { answer, module } = await ask('build', sources, { entrypoints, optimise, served });
      return { wasm: module, opaVersion: need(answer.opa) };
    },
    query: async (sources, { query, extra = [] }) => {
      const served = [...COMPILED.served, ...extra];
      const { answer, module } = await ask('query', sources, { query, served });
      return { wasm: module, opaVersion: need(answer.opa) };
    },
    test: async (sources, { data, run, timeoutMs, deadlineMs }) => {
      const more = { data: documentsOf(data), test: { run: run ?? '', timeoutMs: timeoutMs ?? 0 } };
      return need((await ask('test', sources, more, deadlineMs)).answer.tests);
    },
    testModule: async (sources, { run }) => {
      const { answer, module } = await ask('test_module', sources, { test: { run: run ?? '' } });
      return { entries: need(answer.entries), wasm: module };
    },
    eval: async (sources, { query, input, data, time, explain, strictBuiltinErrors }) => {
      const how = {
        query,
        explain: explain ?? false,
        strict: strictBuiltinErrors ?? false,
        timeMs: time?.getTime() ?? 0,
      };
      const more = { eval: how, data: documentsOf(data), ...(input === undefined ? {} : { input }) };
      return need((await ask('eval', sources, more)).answer.eval);
    },
    evalModule: async (sources, { query, data }) => {
      const { answer, module } = await ask('eval_module', sources, {
        eval: { query },
        data: documentsOf(data),
      });
      return { wasm: module, parts: need(answer.parts) };
    },
    deps: async (sources, query) => need((await ask('deps', sources, { eval: { query } })).answer.deps),
    close: () => thread.close(),
  };
}

/** The program would read a lone surrogate as another character: what it judged would not be what was written. */
function fileOf({ file, text, v0 }: RegoSource): object {
  if (!text.isWellFormed() || !file.isWellFormed())
    throw new EngineError('POLICY_UNREADABLE', `${JSON.stringify(file)} holds a lone surrogate`, {
      hint: 'write the file as UTF-8',
    });
  return { name: file, text, v0: v0 ?? false };
}

function documentsOf(data: unknown): object {
  if (data === undefined) return {};
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
  throw new EngineError('POLICY_DATA', 'the document under data is not an object', {
    hint: 'hand in an object whose keys become data.<key>',
  });
}

function need<T>(value: T | undefined): T {
  if (value === undefined)
    throw new EngineError('TOOLCHAIN_FAILED', 'the program "rego" gave no answer to what was asked');
  return value;
}

/** A program that has panicked is not asked again: the next request starts another. */
async function request(
  thread: RegoThread,
  body: object,
  deadlineMs: number,
): Promise<ReturnType<typeof readAnswer>> {
  const reply = await thread.ask(Buffer.from(JSON.stringify(body)), deadlineMs);
  try {
    return readAnswer(reply);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'TOOLCHAIN_FAILED') await thread.close();
    throw error;
  }
}
