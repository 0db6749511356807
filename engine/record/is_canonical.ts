// SPDX-License-Identifier: Apache-2.0

const QUOTE = 0x22;
const COMMA = 0x2c;
const DASH = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** From here on the order of UTF-8 bytes is not that of UTF-16 code units (U+E000 and above against surrogates). */
const UNORDERED = 0xee;
/** RFC 8785 §3.2.2.2 writes these escapes so; others (`\b`, `\u00XX`) are looked at the slow way. */
const PLAIN_ESCAPES: ReadonlySet<number> = new Set([...'"\\nrt'].map((character) => character.charCodeAt(0)));

/** A byte that stands in no JSON text, for behind its end. */
const END = 0xff;

const byteAt = (json: Uint8Array, at: number): number => json[at] ?? END;

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= 0x39;

/** The key before in each open object, as a range; an array has none. */
interface Open {
  readonly isObject: boolean;
  from: number;
  to: number;
}

/**
 * Whether JSON text is canonical as it stands: no space, keys ascending, integers, no escape with two spellings. False where that
 * cannot be told in one pass. `json` must be valid JSON.
 * @see https://www.rfc-editor.org/rfc/rfc8785  §3.2
 */
export function isCanonical(json: Uint8Array): boolean {
  const open: Open[] = [];
  let isKey = false;
  for (let at = 0; at < json.length; ) {
    const byte = byteAt(json, at);
    if (byte === QUOTE) {
      const end = stringEnd(json, at, isKey);
      const object = open.at(-1);
      if (end === 0 || (isKey && object !== undefined && !follows(json, object, at, end))) return false;
      isKey = false;
      at = end;
    } else if (byte === DASH || isDigit(byte)) {
      at = integerEnd(json, at);
      if (at === 0) return false;
    } else {
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET)
        open.push({ isObject: byte === OPEN_BRACE, from: 0, to: 0 });
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) open.pop();
      else if (byte !== COMMA && byte !== COLON && !isLetter(byte)) return false;
      isKey = byte === OPEN_BRACE || (byte === COMMA && open.at(-1)?.isObject === true);
      at++;
    }
  }
  return true;
}

/** `true`, `false` and `null`. */
const isLetter = (byte: number): boolean => byte >= 0x61 && byte <= 0x7a;

/** Behind the string that begins at `at`; 0 when it may have another spelling, or is a key whose order bytes do not tell. */
function stringEnd(json: Uint8Array, at: number, isKey: boolean): number {
  for (let end = at + 1; end < json.length; end++) {
    const byte = byteAt(json, end);
    if (byte === QUOTE) return end + 1;
    if (byte === BACKSLASH) {
      end++;
      if (isKey || !PLAIN_ESCAPES.has(byteAt(json, end))) return 0;
    } else if (isKey && byte >= UNORDERED) return 0;
  }
  return 0;
}

/** Behind an integer; 0 for `-0` and for numbers with a fraction or an exponent. */
function integerEnd(json: Uint8Array, start: number): number {
  let at = start;
  if (json[at] === DASH) {
    at++;
    if (json[at] === ZERO) return 0;
  }
  while (isDigit(byteAt(json, at))) at++;
  return json[at] === 0x2e || json[at] === 0x65 || json[at] === 0x45 ? 0 : at;
}

/** Whether a key, quotes included, comes after the one before it. */
function follows(json: Uint8Array, before: Open, from: number, to: number): boolean {
  const previous = before.to === 0 || compareKeys(json, before, from, to) < 0;
  before.from = from;
  before.to = to;
  return previous;
}

function compareKeys(json: Uint8Array, before: Open, from: number, to: number): number {
  const [left, right] = [before.to - 1 - before.from, to - 1 - from];
  const length = Math.min(left, right);
  for (let offset = 1; offset < length; offset++) {
    const difference = byteAt(json, before.from + offset) - byteAt(json, from + offset);
    if (difference !== 0) return difference;
  }
  return left - right;
}
