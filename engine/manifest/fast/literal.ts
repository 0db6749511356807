// SPDX-License-Identifier: Apache-2.0
import { CHAR, leave, lineEnd, type Scan, toContent } from './scan.ts';

/**
 * Writes the literal (`|`) or folded (`>`) scalar at `scan.at` and goes to the next content. Indentation is found from the first
 * line; an indicator for it, `+` and a comment in the header are left to the reader.
 * @param parent column of the collection that it is in
 * @see https://yaml.org/spec/1.1/#id926836  §9.3, as libyaml's `scan_block_scalar` has it
 */
export function writeLiteral(scan: Scan, parent: number): void {
  const { bytes, end, out } = scan;
  const isFolded = bytes[scan.at] === CHAR.greater;
  scan.tree?.scalar(scan.at);
  scan.at++;
  const isStripped = bytes[scan.at] === CHAR.dash;
  if (isStripped) scan.at++;
  while (scan.at < end && bytes[scan.at] === CHAR.space) scan.at++;
  if (bytes[scan.at] !== CHAR.newline || scan.at >= end) leave();
  scan.at++;
  const indent = indentOf(scan, parent);
  out.byte(CHAR.quote);
  const wasFinal = isFolded ? foldLines(scan, indent) : copyLines(scan, indent);
  if (wasFinal && !isStripped) out.ascii('\\n');
  out.byte(CHAR.quote);
  toContent(scan);
}

/** The indentation of the first line with content; blank lines before it must not be longer. */
function indentOf({ bytes, end, at: start }: Scan, parent: number): number {
  let longest = 0;
  for (let at = start; at < end; at++) {
    const lineStart = at;
    while (at < end && bytes[at] === CHAR.space) at++;
    const indent = at - lineStart;
    if (at < end && bytes[at] !== CHAR.newline) {
      const isClear = bytes[at] !== CHAR.tab && indent > Math.max(parent, 0) && indent >= longest;
      return isClear ? indent : leave();
    }
    longest = Math.max(longest, indent);
  }
  return leave();
}

/** Where the text of the line at `at` begins, or undefined when the line is not indented enough; blank lines give their end. */
function textStart({ bytes, end }: Scan, at: number, indent: number): number | undefined {
  let text = at;
  while (text < end && text - at < indent && bytes[text] === CHAR.space) text++;
  if (text - at === indent || text >= end || bytes[text] === CHAR.newline) return text;
  return bytes[text] === CHAR.tab ? leave() : undefined;
}

/** Lines as they are; breaks are written once it is known that text follows. True: the last line has its break to come. */
function copyLines(scan: Scan, indent: number): boolean {
  const { bytes, end, out } = scan;
  let breaks = 0;
  let isFirst = true;
  while (scan.at < end) {
    const from = textStart(scan, scan.at, indent);
    if (from === undefined) break;
    const next = lineEnd(scan, from);
    const to = bytes[next - 1] === CHAR.newline ? next - 1 : next;
    scan.at = next;
    if (to === from) {
      breaks++;
      continue;
    }
    for (; breaks > 0; breaks--) out.ascii('\\n');
    out.escape(bytes, from, to);
    breaks = 1;
    isFirst = false;
  }
  return !isFirst;
}

const isBlank = (byte: number | undefined): boolean => byte === CHAR.space || byte === CHAR.tab;

/** Lines joined by a space; a line that begins with a blank keeps the breaks around it. */
function foldLines(scan: Scan, indent: number): boolean {
  const { bytes, end, out } = scan;
  let blankLines = 0;
  let isFirst = true;
  let wasBlank = false;
  while (scan.at < end) {
    const from = textStart(scan, scan.at, indent);
    if (from === undefined) break;
    const next = lineEnd(scan, from);
    const to = bytes[next - 1] === CHAR.newline ? next - 1 : next;
    scan.at = next;
    if (to === from) {
      blankLines++;
      continue;
    }
    const startsBlank = isBlank(bytes[from]);
    if (!isFirst && (wasBlank || startsBlank)) out.ascii('\\n');
    else if (!isFirst && blankLines === 0) out.byte(CHAR.space);
    for (; blankLines > 0; blankLines--) out.ascii('\\n');
    out.escape(bytes, from, to);
    wasBlank = startsBlank;
    isFirst = false;
  }
  return !isFirst;
}
