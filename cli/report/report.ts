// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Decision } from '../../engine/index.ts';
import { EngineError } from '../../engine/index.ts';
import { codeOf } from '../cause.ts';
import { UsageError } from '../exit.ts';
import { writeWhole } from '../files.ts';
import { type Io, mayColour } from '../io.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';
import { sarifReport } from './sarif.ts';
import { textReport } from './text.ts';

/** What a report may need besides the Decision. */
export interface ReportFrame {
  readonly colour: boolean;
  readonly version: string;
  readonly titles: ReadonlyMap<string, { readonly title: string; readonly remedy?: string }>;
}

const FORMATS = { text: textReport, json: jsonReport, sarif: sarifReport, junit: junitReport };
type FormatName = keyof typeof FORMATS;

/** One `--format NAME[=FILE]`. */
export interface Target {
  readonly format: FormatName;
  readonly file?: string;
}

const isFormat = (name: string): name is FormatName => Object.hasOwn(FORMATS, name);

/** Reads the `--format` flags; text to stdout where none is given. @throws {UsageError} */
export function parseTargets(values: readonly string[]): readonly Target[] {
  const targets = values.map((value): Target => {
    const at = value.indexOf('=');
    const name = at < 0 ? value : value.slice(0, at);
    if (!isFormat(name))
      throw new UsageError(
        `unknown format ${JSON.stringify(name)}`,
        `formats are ${Object.keys(FORMATS).join(', ')}`,
      );
    if (at === value.length - 1)
      throw new UsageError(
        `--format ${name}= names no file`,
        `write --format ${name}=FILE, or --format ${name}`,
      );
    return at < 0 ? { format: name } : { format: name, file: value.slice(at + 1) };
  });
  if (targets.filter((target) => target.file === undefined).length > 1) {
    throw new UsageError(
      'more than one format for standard output',
      'give all but one a file: --format sarif=report.sarif',
    );
  }
  const files = targets.flatMap(({ file }) => (file === undefined ? [] : [resolve(file)]));
  const twice = files.find((file, index) => files.indexOf(file) < index);
  if (twice !== undefined)
    throw new UsageError(
      `more than one format for the file ${JSON.stringify(twice)}`,
      'give each its own file',
    );
  return targets.length === 0 ? [{ format: 'text' }] : targets;
}

/** Writes every wanted report. */
export function writeReports(
  decision: Decision,
  targets: readonly Target[],
  io: Io,
  frame: Omit<ReportFrame, 'colour'>,
): void {
  for (const { format, file } of targets) {
    const text = FORMATS[format](decision, { ...frame, colour: file === undefined && mayColour(io) });
    if (file === undefined) io.out(text);
    else writeReport(file, text);
  }
}

function writeReport(file: string, text: string): void {
  try {
    writeWhole(file, text);
  } catch (cause) {
    const code = codeOf(cause);
    throw new EngineError('INPUT_UNREADABLE', `cannot write the report ${JSON.stringify(file)}: ${code}`, {
      cause,
      hint: 'check that its folder exists and can be written',
    });
  }
}
