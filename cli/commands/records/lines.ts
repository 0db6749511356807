// SPDX-License-Identifier: Apache-2.0
import type { Row } from '../../../attest/index.ts';
import { type Summary, summaryOf } from '../../../engine/record/summary.ts';
import { UsageError } from '../../exit.ts';
import { oneLine } from '../../report/text.ts';

/** One record as it is listed. */
export interface Line extends Summary {
  readonly index: number;
}

export const lineOf = (row: Row): Line => ({ index: row.number, ...summaryOf(row.payload) });

const COLUMNS = [
  'index',
  'time',
  'verdict',
  'environment',
  'actor',
  'phase',
  'rules',
  'subject',
  'id',
  'predicateType',
] as const;

const FORMATS = ['text', 'jsonl', 'csv'] as const;
export type LineFormat = (typeof FORMATS)[number];

/** @throws {UsageError} */
export function formatOf(text: string | undefined): LineFormat {
  const found = FORMATS.find((format) => format === (text ?? 'text'));
  if (found !== undefined) return found;
  throw new UsageError(`unknown format ${JSON.stringify(text)}`, `formats are ${FORMATS.join(', ')}`);
}

/** The lines of a format, each with its end; the first of CSV names the columns. */
export function printed(lines: readonly Line[], format: LineFormat, isFirst = true): string {
  if (format === 'jsonl') return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  if (format === 'csv')
    return [...(isFirst ? [COLUMNS.join(',')] : []), ...lines.map(csvOf)]
      .map((line) => `${line}\r\n`)
      .join('');
  return table(lines);
}

const cellOf = (line: Line, column: (typeof COLUMNS)[number]): string => {
  const value = line[column];
  return Array.isArray(value) ? value.join(' ') : String(value ?? '');
};

/** RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe in front: names in it are foreign text. */
function csvOf(line: Line): string {
  return COLUMNS.map((column) => {
    const cell = cellOf(line, column).replace(/^(?=[=+\-@\t\r])/, "'");
    return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  }).join(',');
}

/** One line a record, in columns; the rules stand last, as they may be many. */
function table(lines: readonly Line[]): string {
  const rows = lines.map((line) =>
    [
      String(line.index),
      line.time ?? '-',
      line.verdict ?? kindOf(line),
      line.environment ?? '-',
      line.actor ?? '-',
      line.rules.join(' '),
    ].map(oneLine),
  );
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** A statement without a verdict is listed by the last words of its type: `approval`, `waiver`. */
const kindOf = ({ predicateType }: Line): string => /([^/]+)(?:\/v[^/]*)?$/.exec(predicateType)?.[1] ?? '-';
