// SPDX-License-Identifier: Apache-2.0
import { floatText, type Kind, kindOf } from './plain.ts';
import { CHAR, leave, type Scan } from './scan.ts';
import type { Range } from './writer.ts';

/** Simple keys may have 1,024 characters; YAML 1.1 §9.1. */
const KEY_MAX_BYTES = 512;

const decoder = new TextDecoder();

/** Writes the key from `scan.at` to `to`, quotes included; leaves for keys that are not plainly text. */
export function writeKey(scan: Scan, base: number, to: number): void {
  const { bytes, out, at } = scan;
  const isQuoted = bytes[at] === CHAR.quote || bytes[at] === CHAR.apostrophe;
  const range = isQuoted ? { from: at + 1, to: to - 1 } : { from: at, to };
  if (to - at > KEY_MAX_BYTES || range.from >= range.to) leave();
  for (let index = range.from; index < range.to; index++) {
    const byte = bytes[index];
    if (byte === CHAR.quote || byte === CHAR.backslash || byte === CHAR.apostrophe) leave();
  }
  if (!isQuoted && kindOf(bytes, at, to) !== 'string') leave();
  out.key(base, bytes, range);
  scan.tree?.key(decoder.decode(bytes.subarray(range.from, range.to)), at);
}

/** Writes a plain scalar of one line. */
export function writePlain({ bytes, out }: Scan, { from, to }: Range, kind: Kind, hasEscapes: boolean): void {
  if (kind === 'string') {
    out.byte(CHAR.quote);
    if (hasEscapes) out.escape(bytes, from, to);
    else out.copy(bytes, from, to);
    out.byte(CHAR.quote);
  } else if (kind === 'number') out.copy(bytes, from, to);
  else out.ascii(kind === 'float' ? floatText(bytes, from, to) : kind);
}
