// SPDX-License-Identifier: Apache-2.0
import type { ModuleOutcome, PolicyTest, PolicyTestReport } from '../../engine/policy/index.ts';
import { visible } from './text.ts';

/** How much of a test run is printed. */
export interface TestsTextOptions {
  readonly verbose: boolean;
  readonly coverage: boolean;
}

/** One line for each test that did not pass (all with `verbose`), what is below it, coverage if asked for, and one line of summary. */
export function testsText(report: PolicyTestReport, { verbose, coverage }: TestsTextOptions): string {
  const shown = report.tests.filter(
    (test) => verbose || test.differs || test.outcome === 'fail' || test.outcome === 'error',
  );
  return [
    ...shown.flatMap((test) => linesOf(test, verbose)),
    ...notOnModule(report.tests),
    ...(coverage ? coverageLines(report) : []),
    summary(report),
    '',
  ].join('\n');
}

const WORDS = { pass: 'passed', fail: 'failed', error: 'could not run', skip: 'skipped' } as const;

function linesOf(test: PolicyTest, verbose: boolean): readonly string[] {
  const name = `${visible(test.file)}:${test.line}:1: ${test.package}.${test.name}`;
  const took = verbose && test.outcome !== 'skip' ? ` (${(test.durationNs / 1e6).toFixed(1)} ms)` : '';
  const error = test.error === undefined ? '' : `: ${visible(test.error)}`;
  const stopped =
    test.stopped === undefined
      ? []
      : [
          `    ${visible(test.file)}:${test.stopped.line}:${test.stopped.column}: undefined or false: ${visible(test.stopped.text)}`,
        ];
  const failed = (test.cases ?? []).filter(({ fail }) => fail);
  return [
    `${name} ${WORDS[test.outcome]}${error}${took}`,
    ...failed.map((one) => `    case ${visible(one.name.join(' / '))} failed`),
    ...stopped,
    ...(test.differs ? [`    differs: ${WORDS[test.outcome]} on OPA, ${moduleWords(test.module)}`] : []),
    ...printed(test.output),
  ];
}

function moduleWords(module: ModuleOutcome): string {
  if (!('outcome' in module)) return 'not run on the compiled module';
  const detail = module.detail === undefined ? '' : ` (${visible(module.detail)})`;
  return `${WORDS[module.outcome]} on the compiled module${detail}`;
}

const printed = (output: string): readonly string[] =>
  output === ''
    ? []
    : visible(output.trimEnd())
        .split('\n')
        .map((line) => `    ${line}`);

/** A test that only one of the two evaluators could run proves less: that is said, whatever it did. */
function notOnModule(tests: readonly PolicyTest[]): readonly string[] {
  return tests.flatMap((test) =>
    'missing' in test.module
      ? [
          `note: ${test.package}.${test.name} ran on OPA only: the module has no ${test.module.missing.join(', ')}`,
        ]
      : [],
  );
}

function coverageLines({ coverage }: PolicyTestReport): readonly string[] {
  return coverage.map(({ file, covered, notCovered }) => {
    const total = covered + notCovered.length;
    const percent = total === 0 ? 100 : (100 * covered) / total;
    const where = notCovered.length === 0 ? '' : `, not covered: ${ranges(notCovered)}`;
    return `${visible(file)}: ${percent.toFixed(1)} % of ${total} lines${where}`;
  });
}

/** Line numbers as `3-5, 9`. */
function ranges(lines: readonly number[]): string {
  const found: [first: number, last: number][] = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last !== undefined && last[1] + 1 === line) last[1] = line;
    else found.push([line, line]);
  }
  return found.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}

function summary({ tests, percent }: PolicyTestReport): string {
  const count = (outcome: PolicyTest['outcome']): number =>
    tests.filter((test) => test.outcome === outcome).length;
  const differing = tests.filter(({ differs }) => differs).length;
  const onModule = tests.filter(({ module, outcome }) => 'outcome' in module && outcome !== 'skip').length;
  const parts = [
    `${count('pass')} passed`,
    `${count('fail') + count('error')} failed`,
    ...(count('skip') === 0 ? [] : [`${count('skip')} skipped`]),
  ];
  const module = `${onModule} also on the compiled module, ${differing === 0 ? 'no difference' : `${differing} ${differing === 1 ? 'differs' : 'differ'}`}`;
  return `${parts.join(', ')}; ${module}; ${percent.toFixed(1)} % of lines covered`;
}
