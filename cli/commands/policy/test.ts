// SPDX-License-Identifier: Apache-2.0
import { type PolicyTestReport, runTests } from '../../../engine/policy/index.ts';
import { openRegoBuiltins } from '../../../engine/toolchain/builtins.ts';
import type { Args, Verb } from '../../args.ts';
import { BUNDLE_FLAGS, REGISTRY_FLAGS } from '../../bundles/flags.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { VERSION_FLAGS } from '../../loading/version.ts';
import { testsJunit } from '../../report/tests_junit.ts';
import { testsText } from '../../report/tests_text.ts';
import { watched } from './watch.ts';
import {
  formatOf,
  numberOf,
  pathsOf,
  readPolicies,
  spanMsOf,
  type Workbench,
  withWorkbench,
} from './workbench.ts';

export const policyTest: Verb = {
  name: 'policy test',
  summary: "Runs the tests of policies (rules named test_…) on OPA's evaluator and on the compiled module.",
  positionals: 'PATH…',
  details:
    'Exit code: 0 all passed on both, 1 a test failed, the two differ, or the threshold is not reached, 4 no test ran or one\n' +
    'could not.',
  flags: {
    run: { short: 'r', value: 'REGEX', help: 'only tests whose data.<package>.<name> matches' },
    coverage: { short: 'c', help: 'print which lines no test reached' },
    threshold: { value: 'PERCENT', help: 'fail below this share of covered lines' },
    verbose: { short: 'v', help: 'print every test, how long it took and what it printed' },
    timeout: { value: 'SPAN', help: 'for each test, such as 5s (default none)' },
    data: {
      short: 'd',
      value: 'FILE',
      multiple: true,
      help: 'JSON or YAML whose keys become the document under data',
    },
    format: { short: 'f', value: 'text|json|junit', help: 'how to print the result' },
    watch: { short: 'w', help: 'run again whenever a file changes' },
    ...VERSION_FLAGS,
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run: (args, io) =>
    withWorkbench((bench) =>
      watched(args, io, { paths: [...pathsOf(args), ...args.list('data')], doing: 'testing' }, () =>
        test(args, io, bench),
      ),
    ),
};

async function test(args: Args, io: Io, bench: Workbench): Promise<ExitCode> {
  const format = formatOf(args, ['text', 'json', 'junit']);
  if (format === 'junit' && args.has('coverage'))
    throw new UsageError('--coverage has no place in junit', 'leave it out, or --format text or json');
  const threshold = numberOf(args, 'threshold', { min: 0, max: 100 });
  const timeoutMs = spanMsOf(args, 'timeout');
  const run = args.text('run');
  const { sources, data } = await readPolicies(pathsOf(args), { args, io, bench }, args.list('data'));
  const report = await runTests(sources, bench.toolchain, {
    data,
    builtins: openRegoBuiltins(bench.installation.toolchain),
    ...(run === undefined ? {} : { run }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const options = { verbose: args.has('verbose'), coverage: args.has('coverage') };
  if (format === 'json') io.out(`${JSON.stringify(report, null, 2)}\n`);
  else io.out(format === 'junit' ? testsJunit(report) : testsText(report, options));
  const exit = exitOf(report);
  if (exit !== 0 || threshold === undefined || report.percent >= threshold) return exit;
  io.err(
    `countersign: ${report.percent.toFixed(1)} % of lines are covered, fewer than ${threshold} % [coverage]\n` +
      'hint: --coverage prints which lines no test reached\n',
  );
  return 1;
}

function exitOf({ tests }: PolicyTestReport): ExitCode {
  if (tests.some(({ outcome }) => outcome === 'error')) return 4;
  return tests.some(({ outcome, differs }) => outcome === 'fail' || differs) ? 1 : 0;
}
