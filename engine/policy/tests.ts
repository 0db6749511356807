// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import { isRegoObject, loadRego, type RegoProgram, type RegoValue } from '../rego/index.ts';
import type {
  RegoSource,
  RegoTest,
  RegoTestEntry,
  RegoTestOptions,
  RegoTestReport,
  RegoToolchain,
} from '../toolchain/rego.ts';

export type Outcome = 'pass' | 'fail' | 'error' | 'skip';

/** How a test ended on the compiled module: an outcome, or the builtins for want of which it could not run there. */
export type ModuleOutcome =
  | { readonly outcome: Outcome; readonly detail?: string }
  | { readonly missing: readonly string[] };

/** One test on both evaluators. `outcome` is OPA's; a difference is a failure, whichever of the two is right. */
export interface PolicyTest extends RegoTest {
  readonly outcome: Outcome;
  readonly module: ModuleOutcome;
  readonly differs: boolean;
}

/** What all tests did, and what OPA's evaluator covered of the sources, in lines and percent. */
export interface PolicyTestReport extends Omit<RegoTestReport, 'tests'> {
  readonly tests: readonly PolicyTest[];
}

/**
 * Runs the tests of policies on OPA's own evaluator and on the compiled module, which is what decides later.
 * @throws {EngineError} POLICY_EMPTY where there is no test; POLICY_COMPILE | POLICY_BUILTIN | POLICY_DATA | POLICY_DEADLINE
 */
export async function runTests(
  sources: readonly RegoSource[],
  toolchain: RegoToolchain,
  options: RegoTestOptions,
): Promise<PolicyTestReport> {
  const report = await toolchain.test(sources, options);
  if (report.tests.length === 0)
    throw new EngineError('POLICY_EMPTY', 'there is no test in these files', {
      hint:
        options.run === undefined
          ? 'a test is a rule named test_… in a file …_test.rego'
          : '--run is matched against data.<package>.<name>',
    });
  const { entries, wasm } = await toolchain.testModule(sources, options);
  const program =
    wasm.length === 0 ? undefined : loadRego(wasm, { data: Buffer.from(JSON.stringify(options.data ?? {})) });
  const byName = new Map(entries.map((entry) => [`${entry.package}.${entry.name}`, entry]));
  const tests = report.tests.map((test) =>
    compared(test, onModule(test, byName.get(`${test.package}.${test.name}`), program)),
  );
  return { ...report, tests };
}

export function outcomeOf(test: RegoTest): Outcome {
  if (test.skip) return 'skip';
  if (test.error !== undefined) return 'error';
  return test.fail ? 'fail' : 'pass';
}

function compared(test: RegoTest, module: ModuleOutcome): PolicyTest {
  const outcome = outcomeOf(test);
  return { ...test, outcome, module, differs: 'outcome' in module && module.outcome !== outcome };
}

function onModule(
  test: RegoTest,
  entry: RegoTestEntry | undefined,
  program: RegoProgram | undefined,
): ModuleOutcome {
  if (test.skip) return { outcome: 'skip' };
  if (entry !== undefined && entry.missing.length > 0) return { missing: entry.missing };
  if (entry === undefined || program === undefined)
    return { outcome: 'error', detail: 'it is not in the module' };
  try {
    return outcomeOn(test, program.evaluate(entry.entrypoint, undefined).value);
  } catch (error) {
    if (error instanceof EngineError) return { outcome: 'error', detail: error.message };
    throw error;
  }
}

/** A test with cases passes where the same cases hold as on OPA's evaluator: the module cannot name those that do not. */
function outcomeOn(test: RegoTest, value: RegoValue | undefined): ModuleOutcome {
  const hasCases = test.cases !== undefined || (test.error === undefined && !test.fail && isEmpty(value));
  if (!hasCases) return value === true ? { outcome: 'pass' } : { outcome: 'fail', ...detailOf(value) };
  const wanted = (test.cases ?? []).filter(({ fail }) => !fail).map(({ name }) => JSON.stringify(name));
  const held = casesOf(value, []).map((name) => JSON.stringify(name));
  const isSame = JSON.stringify(wanted.sort()) === JSON.stringify(held.sort());
  if (isSame) return { outcome: outcomeOf(test) };
  return { outcome: test.fail ? 'pass' : 'fail', detail: `cases that hold: ${held.join(', ') || 'none'}` };
}

const isEmpty = (value: RegoValue | undefined): boolean =>
  isRegoObject(value) && Object.keys(value).length === 0;

const detailOf = (value: RegoValue | undefined): { readonly detail?: string } =>
  value === undefined || value === false ? {} : { detail: 'its value is not true' };

/** The names of all members that are true, down to the leaves. */
function casesOf(value: RegoValue | undefined, name: readonly string[]): readonly (readonly string[])[] {
  if (value === true) return [name];
  const members: readonly (readonly [RegoValue, RegoValue])[] = isRegoObject(value)
    ? Object.entries(value)
    : value instanceof Map
      ? [...value]
      : [];
  return members.flatMap(([key, item]) => casesOf(item, [...name, nameOf(key)]));
}

const nameOf = (key: RegoValue): string =>
  typeof key === 'string' ? key : typeof key === 'bigint' ? key.toString() : JSON.stringify(key);
