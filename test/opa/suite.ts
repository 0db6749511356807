// SPDX-License-Identifier: Apache-2.0
import { type Case, readCases, readExceptions } from './cases.ts';
import { openRunner } from './run.ts';

/** Every seventh case in `npm test`; all of them in `npm run test:opa`, which sets OPA_CASES. */
const STEP = process.env['OPA_CASES'] === 'all' ? 1 : 7;
export const DEADLINE_MS = 900_000;

/** What came of the cases of one syntax. */
export interface Outcome {
  /** Ids of those that came out otherwise than OPA has them, in order. */
  readonly different: readonly string[];
  /** Of these, what is not said in exceptions.json, with what was wrong. */
  readonly unexpected: readonly (readonly [id: string, verdict: string])[];
  /** Ids that exceptions.json says to come out otherwise. */
  readonly failing: readonly string[];
  readonly summary: string;
}

/** The cases of one syntax, ready to run. */
export interface Suite {
  run(): Promise<Outcome>;
  /** Ids of cases that call what policies are refused, and compile as policies all the same. */
  compiledThough(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export function openSuite(version: 'v0' | 'v1'): Suite {
  const exceptions = readExceptions();
  const runner = openRunner(exceptions);
  const cases = readCases(version).filter((_, index) => index % STEP === 0);
  const refused = cases.filter(({ host_builtins = [] }) =>
    host_builtins.some((name) => name in exceptions.refused),
  );
  return {
    run: async () => {
      const found: [string, string][] = [];
      await runner.run(cases, ({ id }, verdict) => {
        if (verdict !== undefined) found.push([id, verdict]);
      });
      return {
        different: found.map(([id]) => id),
        unexpected: found.filter(([id]) => !(id in exceptions.failing)),
        failing: cases.map(({ id }) => id).filter((id) => id in exceptions.failing),
        summary: summary(version, cases, { different: found.length, refused: refused.length }),
      };
    },
    compiledThough: async () => {
      const compiled: string[] = [];
      for (const one of refused)
        if ((await runner.compileAsPolicy(one)) !== 'POLICY_BUILTIN') compiled.push(one.id);
      return compiled;
    },
    close: () => runner.close(),
  };
}

function summary(
  version: string,
  cases: readonly Case[],
  count: { readonly different: number; readonly refused: number },
): string {
  const strict = cases.filter(
    ({ strict_error, want_result }) => strict_error === true && want_result === undefined,
  );
  return `${version}: ${cases.length - count.different} of ${cases.length} cases pass, ${strict.length} of them strict errors; ${count.refused} call builtins that policies are refused`;
}
