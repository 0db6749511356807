// SPDX-License-Identifier: Apache-2.0
import { type Decision, type Finding, objectId } from '../../engine/index.ts';
import { placeOf } from './text.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\t': '&#9;',
  '\r': '&#13;',
};

/** What XML 1.0 forbids (§2.2): control characters but tab and line ends, and two non-characters. */
const FORBIDDEN = /[^\P{Cc}\t\n\r\u007f-\u009f]|[\ufffe\uffff]/gu;

/** Text as XML can carry it: markup escaped, forbidden characters replaced. */
export function xml(text: string): string {
  return text
    .toWellFormed()
    .replace(FORBIDDEN, '\ufffd')
    .replace(/[&<>"'\n\t\r]/g, (c) => ENTITIES[c] ?? c);
}

/** JUnit XML: one suite a rule, one case a finding, and one passing case for a rule without any. */
export function junitReport(decision: Decision): string {
  const codes = [
    ...new Set([...Object.keys(decision.passed), ...decision.findings.map((finding) => finding.rule)]),
  ].sort();
  const suites = codes.map((code) => suiteOf(code, decision));
  const failures = decision.findings.filter(({ result }) => result === 'fail').length;
  const errors = decision.findings.filter(({ result }) => result === 'error').length;
  const tests = suites.reduce((sum, suite) => sum + suite.tests, 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="countersign" tests="${tests}" failures="${failures}" errors="${errors}">`,
    ...suites.map((suite) => suite.text),
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteOf(code: string, decision: Decision): { tests: number; text: string } {
  const findings = decision.findings.filter((finding) => finding.rule === code);
  const cases = findings.length === 0 ? [passCase(code, decision.passed[code] ?? 0)] : findings.map(caseOf);
  const count = (result: Finding['result']): number =>
    findings.filter((finding) => finding.result === result).length;
  const head = `  <testsuite name="${xml(code)}" tests="${cases.length}" failures="${count('fail')}" errors="${count('error')}" skipped="${count('skip')}" timestamp="${decision.time.slice(0, 19)}">`;
  return { tests: cases.length, text: [head, ...cases, '  </testsuite>'].join('\n') };
}

const passCase = (code: string, objects: number): string =>
  `    <testcase classname="${xml(code)}" name="${objects} objects"/>`;

function caseOf(finding: Finding): string {
  const place = placeOf(finding.location).replace(/: $/, '');
  const name = `${objectId(finding.object)}${finding.path ?? ''}`;
  const open = `    <testcase classname="${xml(finding.rule)}" name="${xml(name)}"${finding.location === undefined ? '' : ` file="${xml(finding.location.source ?? finding.location.file)}" line="${finding.location.line}"`}>`;
  const detail = xml([place, finding.message, finding.remedy ?? ''].filter((part) => part !== '').join('\n'));
  return `${open}\n      ${outcome(finding, detail)}\n    </testcase>`;
}

function outcome(finding: Finding, detail: string): string {
  const { waiver } = finding;
  const message = xml(waiver === undefined ? finding.message : `${finding.message} (sha256:${waiver})`);
  if (finding.result === 'skip') return `<skipped message="${message}"/>`;
  if (finding.result === 'warn') return `<system-out>${detail}</system-out>`;
  const tag = finding.result === 'error' ? 'error' : 'failure';
  return `<${tag} type="${xml(finding.severity)}" message="${message}">${detail}</${tag}>`;
}
