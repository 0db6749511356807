// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Case, readCases, readExceptions } from './cases.ts';
import { openRunner } from './run.ts';

/** Every seventh case in `npm test`; all of them in `npm run test:opa`, which sets OPA_CASES. */
const STEP = process.env['OPA_CASES'] === 'all' ? 1 : 7;
const DEADLINE_MS = 900_000;

/** The tests of one syntax. */
export function testCases(version: 'v0' | 'v1'): void {
  const exceptions = readExceptions();
  const runner = openRunner(exceptions);
  afterAll(() => runner.close());
  const cases = readCases(version).filter((_, index) => index % STEP === 0);
  const refused = cases.filter(({ host_builtins = [] }) =>
    host_builtins.some((name) => name in exceptions.refused),
  );

  describe(`OPA's own cases, ${version}`, () => {
    it(
      'come out as OPA has them, but for those that stand in exceptions.json',
      async () => {
        const different: [string, string][] = [];
        await runner.run(cases, ({ id }, verdict) => {
          if (verdict !== undefined) different.push([id, verdict]);
        });
        const unexpected = different.filter(([id]) => !(id in exceptions.failing));
        expect(unexpected).toEqual([]);
        const failing = cases.map(({ id }) => id).filter((id) => id in exceptions.failing);
        // One that begins to pass is no exception any more.
        expect(different.map(([id]) => id)).toEqual(failing);
        console.info(summary(version, cases, { different: different.length, refused: refused.length }));
      },
      DEADLINE_MS,
    );

    it(
      'do not compile as policies where they call what policies are refused',
      async () => {
        const compiled: string[] = [];
        for (const one of refused)
          if ((await runner.compileAsPolicy(one)) !== 'POLICY_BUILTIN') compiled.push(one.id);
        expect(compiled).toEqual([]);
      },
      DEADLINE_MS,
    );
  });
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
