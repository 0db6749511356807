// SPDX-License-Identifier: Apache-2.0
import { CHAR, leave, type Scan } from './scan.ts';

/** The escapes that mean the same in a double-quoted scalar and in JSON. `\/` is one of JSON's that Kubernetes' reader refuses. */
const SAME_ESCAPES: ReadonlySet<number> = new Set([...'"\\nrt'].map((character) => character.charCodeAt(0)));

/** The closing quote of the quoted scalar at `scan.at`, which must be on the same line. */
export function closingQuote({ bytes, end, at: opening }: Scan): number {
  const quote = bytes[opening];
  for (let at = opening + 1; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      if (quote !== CHAR.apostrophe || bytes[at + 1] !== CHAR.apostrophe) return at;
      at++;
    } else if (byte === CHAR.backslash && quote === CHAR.quote) {
      at++;
      if (!SAME_ESCAPES.has(bytes[at] ?? 0)) leave();
    } else if (byte === CHAR.newline || byte === CHAR.tab) leave();
  }
  return leave();
}

/** Writes the quoted scalar at `scan.at` and steps over it. */
export function writeQuoted(scan: Scan): void {
  const { bytes, out, at } = scan;
  const close = closingQuote(scan);
  scan.tree?.scalar(at);
  scan.at = close + 1;
  if (bytes[at] === CHAR.quote) {
    out.copy(bytes, at, close + 1);
    return;
  }
  out.byte(CHAR.quote);
  let from = at + 1;
  for (let index = from; index < close; index++) {
    if (bytes[index] !== CHAR.apostrophe) continue;
    out.escape(bytes, from, index);
    from = index + 1; // of two apostrophes the second is text
    index++;
  }
  out.escape(bytes, from, close);
  out.byte(CHAR.quote);
}
