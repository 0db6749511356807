// SPDX-License-Identifier: Apache-2.0
import { writeFlow } from './flow.ts';
import { writeLiteral } from './literal.ts';
import { kindOf } from './plain.ts';
import { closingQuote, writeQuoted } from './quoted.ts';
import {
  CHAR,
  DEPTH_MAX,
  endLine,
  isBlankAt,
  leave,
  lineEnd,
  type Scan,
  skipSpaces,
  toContent,
} from './scan.ts';
import { writeKey, writePlain } from './text.ts';

const OTHER = 0;
const PLAIN = 1;
const QUOTED = 2;
const FLOW = 3;
const LITERAL = 4;

/** What begins with a byte. Anchors, aliases, tags, `?`, `=`, `<`, `%`, `@` and backquotes are left to the reader. */
const BEGINS = new Uint8Array(256).fill(PLAIN, 0x80);
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./$()+-~^;\\')
  BEGINS[character.charCodeAt(0)] = PLAIN;
for (const character of '"\'') BEGINS[character.charCodeAt(0)] = QUOTED;
for (const character of '[{') BEGINS[character.charCodeAt(0)] = FLOW;
for (const character of '|>') BEGINS[character.charCodeAt(0)] = LITERAL;

/**
 * Writes the node at `scan.at` and goes to the next content. What follows deeper than `parent`, the column of the collection that
 * the node is in, would go on with it (a scalar of several lines) or be wrong: that is left to the reader.
 */
export function writeNode(scan: Scan, column: number, parent: number): void {
  const begins = BEGINS[scan.bytes[scan.at] ?? 0] ?? OTHER;
  if (isDash(scan)) writeSequence(scan, column);
  else if ((begins === PLAIN || begins === QUOTED) && keyEnd(scan, begins) > 0) writeMapping(scan, column);
  else writeValue(scan, parent);
}

/** Writes a value that is no block collection. */
function writeValue(scan: Scan, parent: number): void {
  const { bytes } = scan;
  switch (BEGINS[bytes[scan.at] ?? 0]) {
    case PLAIN:
      writeScalar(scan);
      endLine(scan);
      break;
    case QUOTED:
      writeQuoted(scan);
      endLine(scan);
      break;
    case FLOW:
      writeFlow(scan);
      endLine(scan);
      break;
    case LITERAL:
      writeLiteral(scan, parent);
      break;
    default:
      leave();
  }
  if (scan.indent > parent) leave();
}

/** A plain scalar that ends with its line or before a comment; one with `: ` in it would be a mapping in the wrong place. */
function writeScalar(scan: Scan): void {
  const { bytes, end, at: from } = scan;
  let to = from;
  let hasEscapes = false;
  if (bytes[from] === CHAR.dash && isBlankAt(scan, from + 1)) leave();
  for (let at = from; at < end; at++) {
    const byte = bytes[at];
    if (byte === CHAR.newline || (byte === CHAR.hash && bytes[at - 1] === CHAR.space)) break;
    if (byte === CHAR.space) continue;
    if (byte === CHAR.tab || (byte === CHAR.colon && isBlankAt(scan, at + 1))) leave();
    if (byte === CHAR.quote || byte === CHAR.backslash) hasEscapes = true;
    to = at + 1;
  }
  scan.tree?.scalar(from);
  writePlain(scan, { from, to }, kindOf(bytes, from, to), hasEscapes);
  scan.at = to;
}

/** Where the key that begins at `scan.at` ends, or 0 when it is none. */
function keyEnd(scan: Scan, begins: number): number {
  const { bytes, end } = scan;
  if (begins === QUOTED) {
    const to = closingQuote(scan) + 1;
    return bytes[to] === CHAR.colon && to < end && isBlankAt(scan, to + 1) ? to : 0;
  }
  for (let at = scan.at; at < end; at++) {
    const byte = bytes[at];
    if (byte === CHAR.newline || (byte === CHAR.hash && bytes[at - 1] === CHAR.space)) return 0;
    if (byte === CHAR.tab) leave();
    if (byte === CHAR.colon && isBlankAt(scan, at + 1)) return bytes[at - 1] === CHAR.space ? leave() : at;
  }
  return 0;
}

function writeMapping(scan: Scan, column: number): void {
  const { bytes, out } = scan;
  enter(scan, 'map');
  const base = out.openMapping();
  do {
    const begins = BEGINS[bytes[scan.at] ?? 0] ?? OTHER;
    const to = begins === QUOTED || (begins === PLAIN && !isDash(scan)) ? keyEnd(scan, begins) : leave();
    if (to === 0) leave();
    writeKey(scan, base, to);
    scan.at = to + 1;
    writeMember(scan, column);
    out.endMember();
  } while (scan.indent === column);
  if (scan.indent > column) leave();
  out.closeMapping(base);
  exit(scan);
}

const isDash = (scan: Scan): boolean => scan.bytes[scan.at] === CHAR.dash && isBlankAt(scan, scan.at + 1);

/** The value of a member: on its line, or below; a sequence below may stand in the column of the key. */
function writeMember(scan: Scan, column: number): void {
  const behind = scan.at;
  if (!isAtEnd(scan)) writeValue(scan, column);
  else if (scan.indent > column) writeNode(scan, scan.indent, column);
  else if (scan.indent === column && isDash(scan)) writeSequence(scan, column);
  else writeNull(scan, behind);
}

/** Whether nothing more stands on the line; then goes to the next content. */
function isAtEnd(scan: Scan): boolean {
  const { bytes, end } = scan;
  const start = scan.at;
  skipSpaces(scan);
  const byte = bytes[scan.at];
  if (scan.at < end && byte !== CHAR.newline && (byte !== CHAR.hash || scan.at === start)) return false;
  scan.at = lineEnd(scan, scan.at);
  toContent(scan);
  return true;
}

/** The place of a value that is not written is behind the indicator before it and the spaces there. */
function writeNull({ bytes, out, tree }: Scan, behind: number): void {
  let at = behind;
  while (bytes[at] === CHAR.space) at++;
  tree?.scalar(at);
  out.ascii('null');
}

function writeSequence(scan: Scan, column: number): void {
  const { out } = scan;
  enter(scan, 'seq');
  out.byte(CHAR.openBracket);
  let isFirst = true;
  do {
    if (!isFirst) out.byte(CHAR.comma);
    isFirst = false;
    scan.at++;
    writeItem(scan, column);
  } while (scan.indent === column && isDash(scan));
  if (scan.indent > column) leave();
  out.byte(CHAR.closeBracket);
  exit(scan);
}

function writeItem(scan: Scan, column: number): void {
  const behind = scan.at;
  if (!isAtEnd(scan)) writeNode(scan, scan.at - scan.lineStart, column);
  else if (scan.indent > column) writeNode(scan, scan.indent, column);
  else writeNull(scan, behind);
}

function enter(scan: Scan, kind: 'map' | 'seq'): void {
  if (++scan.depth > DEPTH_MAX) leave();
  scan.tree?.open(kind, scan.at);
}

function exit(scan: Scan): void {
  scan.depth--;
  scan.tree?.close();
}

/**
 * Writes the one block collection that a document is; false for a document without content.
 * @param content is told where the content begins
 */
export function writeDocument(scan: Scan, content: { at: number }): boolean {
  toContent(scan);
  if (scan.indent < 0) return false;
  content.at = scan.at;
  const first = scan.bytes[scan.at] ?? 0;
  // Some readers skip Unicode's spaces before what they take for JSON.
  if (first >= 0x80 || !isCollection(scan, BEGINS[first] ?? OTHER)) leave();
  writeNode(scan, scan.indent, -1);
  return scan.indent < 0 ? true : leave();
}

const isCollection = (scan: Scan, begins: number): boolean =>
  isDash(scan) || ((begins === PLAIN || begins === QUOTED) && keyEnd(scan, begins) > 0);
