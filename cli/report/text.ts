// SPDX-License-Identifier: Apache-2.0
import { type Decision, type Finding, type Location, objectId } from '../../engine/index.ts';
import type { ReportFrame } from './report.ts';

const RED = 31;
const YELLOW = 33;
const GREEN = 32;
const DIM = 2;
const COLOURS = { fail: RED, error: RED, warn: YELLOW, skip: DIM } as const;
const VERDICTS = { allow: ['allowed', GREEN], deny: ['denied', RED], error: ['no decision', RED] } as const;

type Paint = (code: number, text: string) => string;

/** One line a finding (`path:line:col: result: message [rule]`), its object and remedy below, and one line of summary. */
export function textReport(decision: Decision, frame: ReportFrame): string {
  const paint: Paint = (code, text) => (frame.colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const ordered = [...decision.findings].sort(byPlace);
  return [...ordered.flatMap((finding) => findingLines(finding, paint)), summary(decision, paint), ''].join(
    '\n',
  );
}

/** Readers go through their files: by file and line here, by object and rule in the Decision. */
function byPlace(a: Finding, b: Finding): number {
  const [left, right] = [a.location, b.location];
  if (left === undefined || right === undefined)
    return Number(left === undefined) - Number(right === undefined);
  return left.file < right.file
    ? -1
    : left.file > right.file
      ? 1
      : left.line - right.line || left.column - right.column;
}

/** What a terminal must not obey: control characters but line feed and tab, invisible and direction-changing characters. */
const HIDDEN = /[^\P{Cc}\n\t]|\p{Cf}|[\u2028\u2029]/gu;

/** What the log of a pipeline obeys: `##[…]` and `##vso[…]` wherever they stand, `::command::` where a line begins. */
const COMMAND = /##(?=\w*\[)|^(\s*)::/gm;

const codeOf = (character: string): string =>
  `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

/**
 * Foreign text on a terminal: escape sequences and their kin are shown, not obeyed.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
export function visible(text: string): string {
  return text
    .replace(HIDDEN, codeOf)
    .replace(COMMAND, (command, space: string | undefined) =>
      command.startsWith('##') ? `${codeOf('#')}#` : `${space ?? ''}${codeOf(':')}:`,
    );
}

/** Foreign text within one line: it cannot end the line and write the next one itself. */
export function oneLine(text: string): string {
  return visible(text.replaceAll('\r\n', '\n').replaceAll('\n', '\\n').replaceAll('\t', ' '));
}

/**
 * Where something is, before what is said of it: `path:line:col: `. In a rendered stream that is the template or resource file, and the
 * place in what `countersign render` prints.
 */
export function placeOf(location: Location | undefined): string {
  if (location === undefined) return '';
  const { file, line, column, source } = location;
  return source === undefined
    ? `${oneLine(file)}:${line}:${column}: `
    : `${oneLine(source)} (rendered ${line}:${column}): `;
}

function findingLines(finding: Finding, paint: Paint): readonly string[] {
  const place = placeOf(finding.location);
  const message = oneLine(finding.message);
  const head = `${place}${paint(COLOURS[finding.result], finding.result)}: ${message} [${oneLine(finding.rule)}]`;
  const object = paint(DIM, `    ${oneLine(objectId(finding.object))}`);
  const { waiver } = finding;
  const signed =
    waiver === undefined
      ? []
      : [`    ${finding.result === 'skip' ? 'waived' : 'let through'} by sha256:${waiver}`];
  return [
    head,
    object,
    ...signed,
    ...(finding.remedy === undefined ? [] : [`    hint: ${oneLine(finding.remedy)}`]),
  ];
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function summary(decision: Decision, paint: Paint): string {
  const [word, colour] = VERDICTS[decision.verdict];
  const count = (result: Finding['result']): number =>
    decision.findings.filter((finding) => finding.result === result).length;
  const waived = decision.findings.filter(
    ({ waiver, result }) => waiver !== undefined && result === 'skip',
  ).length;
  const parts = [
    plural(count('fail'), 'failure'),
    plural(count('warn'), 'warning'),
    ...(count('error') > 0 ? [plural(count('error'), 'error')] : []),
    ...(count('skip') > waived ? [`${count('skip') - waived} skipped`] : []),
    ...(waived > 0 ? [`${waived} waived`] : []),
    ...(decision.basis === 'break-glass' ? ['let through by break-glass'] : []),
  ];
  const { objects, rules } = decision.evaluated;
  return `${paint(colour, word)}: ${parts.join(', ')} in ${plural(objects, 'object')}, ${plural(rules, 'rule')}`;
}
