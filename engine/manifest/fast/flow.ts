// SPDX-License-Identifier: Apache-2.0
import { kindOf } from './plain.ts';
import { closingQuote, writeQuoted } from './quoted.ts';
import { CHAR, DEPTH_MAX, leave, type Scan, skipSpaces } from './scan.ts';
import { writeKey, writePlain } from './text.ts';

/** What a plain scalar in a flow collection may consist of here; YAML 1.1's readers differ about the rest. */
const SAFE = new Uint8Array(256);
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./$@+=-')
  SAFE[character.charCodeAt(0)] = 1;
const NOT_FIRST = new Set([...'@=-'].map((character) => character.charCodeAt(0)));

/** Writes the collection in brackets or braces at `scan.at`, which must be on one line, and steps over it. */
export function writeFlow(scan: Scan): void {
  if (++scan.depth > DEPTH_MAX) leave();
  if (scan.bytes[scan.at] === CHAR.openBracket) sequence(scan);
  else mapping(scan);
  scan.depth--;
}

function sequence(scan: Scan): void {
  const { bytes, out } = scan;
  scan.tree?.open('seq', scan.at);
  out.byte(CHAR.openBracket);
  scan.at++;
  skipSpaces(scan);
  while (bytes[scan.at] !== CHAR.closeBracket) {
    value(scan);
    if (!isMore(scan, CHAR.closeBracket)) break;
    out.byte(CHAR.comma);
  }
  scan.at++;
  out.byte(CHAR.closeBracket);
  scan.tree?.close();
}

function mapping(scan: Scan): void {
  const { bytes, out } = scan;
  scan.tree?.open('map', scan.at);
  const base = out.openMapping();
  scan.at++;
  skipSpaces(scan);
  while (bytes[scan.at] !== CHAR.closeBrace) {
    key(scan, base);
    value(scan);
    out.endMember();
    if (!isMore(scan, CHAR.closeBrace)) break;
  }
  scan.at++;
  out.closeMapping(base);
  scan.tree?.close();
}

/** Behind a value: a comma and something more, or the end. */
function isMore(scan: Scan, close: number): boolean {
  const { bytes, end } = scan;
  skipSpaces(scan);
  if (scan.at >= end) leave();
  if (bytes[scan.at] === close) return false;
  if (bytes[scan.at] !== CHAR.comma) leave();
  scan.at++;
  skipSpaces(scan);
  return bytes[scan.at] === close ? leave() : true;
}

function key(scan: Scan, base: number): void {
  const { bytes, at } = scan;
  const isQuoted = bytes[at] === CHAR.quote || bytes[at] === CHAR.apostrophe;
  const to = isQuoted ? closingQuote(scan) + 1 : plainEnd(scan);
  if (bytes[to] !== CHAR.colon || bytes[to + 1] !== CHAR.space) leave();
  writeKey(scan, base, to);
  scan.at = to + 1;
  skipSpaces(scan);
}

function value(scan: Scan): void {
  const { bytes, at, end } = scan;
  if (at >= end) leave();
  const first = bytes[at];
  if (first === CHAR.openBracket || first === CHAR.openBrace) writeFlow(scan);
  else if (first === CHAR.quote || first === CHAR.apostrophe) writeQuoted(scan);
  else {
    const to = plainEnd(scan);
    scan.tree?.scalar(at);
    writePlain(scan, { from: at, to }, kindOf(bytes, at, to), false);
    scan.at = to;
  }
}

function plainEnd({ bytes, at }: Scan): number {
  let to = at;
  while (SAFE[bytes[to] ?? 0] === 1) to++;
  return to === at || NOT_FIRST.has(bytes[at] ?? 0) ? leave() : to;
}
