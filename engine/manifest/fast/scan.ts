// SPDX-License-Identifier: Apache-2.0
import type { TreeBuilder } from './tree.ts';
import type { JsonWriter } from './writer.ts';

/** Bytes of the characters that mean something. */
export const CHAR = {
  tab: 0x09,
  newline: 0x0a,
  space: 0x20,
  quote: 0x22,
  hash: 0x23,
  percent: 0x25,
  apostrophe: 0x27,
  comma: 0x2c,
  dash: 0x2d,
  dot: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  greater: 0x3e,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  underscore: 0x5f,
  openBrace: 0x7b,
  pipe: 0x7c,
  closeBrace: 0x7d,
} as const;

/** The text is not ordinary: Kubernetes' own reader has to say what it is, or what is wrong with it. */
export class NotOrdinary extends Error {}

/** Leaves the fast path. */
export function leave(): never {
  throw new NotOrdinary();
}

/** Where the reading of one document stands. `at` is a byte of `bytes`; reading stops before `end`. */
export interface Scan {
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly out: JsonWriter;
  readonly tree: TreeBuilder | undefined;
  at: number;
  /** Where the line of `at` begins. */
  lineStart: number;
  /** Column (from 0) of the next content, once a line was ended; -1 behind the last. */
  indent: number;
  /** Open collections. */
  depth: number;
}

/** What is accepted is far below the reader's limit of 100. */
export const DEPTH_MAX = 64;

/** Whether a byte ends an indicator such as `-` or `:`; the end of the document does too. */
export const isBlankAt = ({ bytes, end }: Scan, at: number): boolean =>
  at >= end || bytes[at] === CHAR.space || bytes[at] === CHAR.newline;

/** The byte behind the line's newline. */
export function lineEnd({ bytes, end }: Scan, from: number): number {
  let at = from;
  while (at < end && bytes[at] !== CHAR.newline) at++;
  return at < end ? at + 1 : end;
}

/** From the beginning of a line to the next content: over blank lines and comments. */
export function toContent(scan: Scan): void {
  const { bytes, end } = scan;
  let at = scan.at;
  while (at < end) {
    const start = at;
    while (at < end && bytes[at] === CHAR.space) at++;
    const first = at < end ? bytes[at] : CHAR.newline;
    if (first === CHAR.newline) at++;
    else if (first === CHAR.hash) at = lineEnd(scan, at);
    else {
      if (first === CHAR.tab || (at === start && isDocumentMark(bytes, at))) leave();
      scan.at = at;
      scan.lineStart = start;
      scan.indent = at - start;
      return;
    }
  }
  scan.at = end;
  scan.indent = -1;
}

/** A directive (`%YAML`), or a line of `...`. */
const isDocumentMark = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === CHAR.percent ||
  (bytes[at] === CHAR.dot && bytes[at + 1] === CHAR.dot && bytes[at + 2] === CHAR.dot);

/** Ends the line behind a value: nothing but space and a comment may follow. Then goes to the next content. */
export function endLine(scan: Scan): void {
  const { bytes, end } = scan;
  let at = scan.at;
  while (at < end && bytes[at] === CHAR.space) at++;
  if (at < end && bytes[at] !== CHAR.newline && (bytes[at] !== CHAR.hash || at === scan.at)) leave();
  scan.at = lineEnd(scan, at);
  toContent(scan);
}

export function skipSpaces(scan: Scan): void {
  while (scan.at < scan.end && scan.bytes[scan.at] === CHAR.space) scan.at++;
}
