// SPDX-License-Identifier: Apache-2.0

/** A byte range. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const COMMA = 0x2c;
const COLON = 0x3a;

/**
 * The byte ranges of the items of the array that is the member `key` of a JSON object; empty when there is none.
 * `json` is what the reader wrote: valid, no space between tokens, no key twice, `key` without escapes.
 */
export function itemSpans(json: Uint8Array, key: string): readonly Span[] {
  const wanted = new TextEncoder().encode(JSON.stringify(key));
  for (let at = 1; json[at] === QUOTE; ) {
    const keyEnd = valueEnd(json, at);
    const end = valueEnd(json, keyEnd + 1);
    if (json[keyEnd] !== COLON) return [];
    if (isEqual(json.subarray(at, keyEnd), wanted)) return elements(json, keyEnd + 1, end);
    at = end + 1;
  }
  return [];
}

function elements(json: Uint8Array, start: number, end: number): readonly Span[] {
  const spans: Span[] = [];
  for (let at = start + 1; at < end - 1; ) {
    const itemEnd = valueEnd(json, at);
    spans.push({ start: at, end: itemEnd });
    at = json[itemEnd] === COMMA ? itemEnd + 1 : end;
  }
  return spans;
}

/** Where the value that begins at `at` ends. */
function valueEnd(json: Uint8Array, at: number): number {
  let depth = 0;
  for (let end = at; end < json.length; end++) {
    const byte = json[end] ?? 0;
    if (byte === QUOTE) {
      end = stringEnd(json, end);
      if (depth === 0) return end + 1;
    } else if (OPEN.has(byte)) {
      depth++;
    } else if (CLOSE.has(byte)) {
      if (depth === 0) return end;
      depth--;
      if (depth === 0) return end + 1;
    } else if (depth === 0 && (byte === COMMA || byte === COLON)) {
      return end;
    }
  }
  return json.length;
}

/** The closing quote of the string that begins at `at`. */
function stringEnd(json: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < json.length && json[end] !== QUOTE) end += json[end] === BACKSLASH ? 2 : 1;
  return end;
}

const isEqual = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index]);
