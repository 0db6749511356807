// SPDX-License-Identifier: Apache-2.0
import type { PolicyTest, PolicyTestReport } from '../../engine/policy/index.ts';
import { xml } from './junit.ts';

/** JUnit XML: one suite a package, one case a test; a difference between the two evaluators is a failure. */
export function testsJunit({ tests }: PolicyTestReport): string {
  const packages = [...new Set(tests.map((test) => test.package))].sort();
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="countersign policy test" ${counts(tests)}>`,
    ...packages.map((name) =>
      suiteOf(
        name,
        tests.filter((test) => test.package === name),
      ),
    ),
    '</testsuites>',
    '',
  ].join('\n');
}

const isFailure = (test: PolicyTest): boolean =>
  test.outcome === 'fail' || (test.differs && test.outcome !== 'error');

function counts(tests: readonly PolicyTest[]): string {
  const errors = tests.filter(({ outcome }) => outcome === 'error').length;
  return `tests="${tests.length}" failures="${tests.filter(isFailure).length}" errors="${errors}"`;
}

function suiteOf(name: string, tests: readonly PolicyTest[]): string {
  const skipped = tests.filter(({ outcome }) => outcome === 'skip').length;
  const head = `  <testsuite name="${xml(name)}" ${counts(tests)} skipped="${skipped}">`;
  return [head, ...tests.map(caseOf), '  </testsuite>'].join('\n');
}

function caseOf(test: PolicyTest): string {
  const seconds = (test.durationNs / 1e9).toFixed(6);
  const open = `    <testcase classname="${xml(test.package)}" name="${xml(test.name)}" file="${xml(test.file)}" line="${test.line}" time="${seconds}"`;
  const inside = [...outcome(test), ...output(test)];
  return inside.length === 0 ? `${open}/>` : [`${open}>`, ...inside, '    </testcase>'].join('\n');
}

function outcome(test: PolicyTest): readonly string[] {
  if (test.outcome === 'skip') return ['      <skipped/>'];
  if (test.outcome === 'error') return [`      <error message="${xml(test.error ?? '')}"/>`];
  if (!isFailure(test)) return [];
  return [`      <failure message="${xml(reasonOf(test))}"/>`];
}

function reasonOf(test: PolicyTest): string {
  if (test.differs && 'outcome' in test.module)
    return `differs: ${test.outcome} on OPA, ${test.module.outcome} on the compiled module`;
  const { stopped } = test;
  return stopped === undefined
    ? 'not true'
    : `${test.file}:${stopped.line}:${stopped.column}: undefined or false: ${stopped.text}`;
}

const output = (test: PolicyTest): readonly string[] => [
  ...(test.output === '' ? [] : [`      <system-out>${xml(test.output)}</system-out>`]),
  ...('missing' in test.module
    ? [
        `      <system-err>ran on OPA only: the module has no ${xml(test.module.missing.join(', '))}</system-err>`,
      ]
    : []),
];
