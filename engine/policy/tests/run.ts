// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import { type BuiltinServer, loadRego, type RegoProgram } from '../../rego/index.ts';
import type {
  RegoSource,
  RegoTest,
  RegoTestEntry,
  RegoTestOptions,
  RegoTestReport,
  RegoToolchain,
} from '../../toolchain/rego.ts';
import { type ModuleOutcome, type Outcome, outcomeOf, outcomeOn } from './outcome.ts';

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
  options: RegoTestOptions & { readonly builtins?: BuiltinServer },
): Promise<PolicyTestReport> {
  const report = await toolchain.test(sources, options);
  if (report.tests.every((test) => test.skip))
    throw new EngineError('POLICY_EMPTY', 'no test ran: there is none in these files that is not skipped', {
      hint:
        options.run === undefined
          ? 'a test is a rule named test_… in a file …_test.rego; todo_test_… is skipped'
          : '--run is matched against data.<package>.<name>',
    });
  const { entries, wasm } = await toolchain.testModule(sources, options);
  const program =
    wasm.length === 0
      ? undefined
      : loadRego(wasm, {
          data: Buffer.from(JSON.stringify(options.data ?? {})),
          ...(options.builtins === undefined ? {} : { builtins: options.builtins }),
        });
  const byName = new Map(entries.map((entry) => [`${entry.package}.${entry.name}`, entry]));
  const tests = report.tests.map((test) =>
    compared(test, onModule(test, byName.get(`${test.package}.${test.name}`), program)),
  );
  return { ...report, tests };
}

function compared(test: RegoTest, module: ModuleOutcome): PolicyTest {
  const outcome = outcomeOf(test);
  return { ...test, outcome, module, differs: 'outcome' in module && module.outcome !== outcome };
}

/** Where the clock of the toolchain stands, which no test moves. */
const TEST_TIME = new Date(1_000_000_000_000);

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
    return outcomeOn(test, program.evaluate(entry.entrypoint, undefined, { time: TEST_TIME }).value);
  } catch (error) {
    if (error instanceof EngineError) return { outcome: 'error', detail: error.message };
    throw error;
  }
}
