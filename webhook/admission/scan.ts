// SPDX-License-Identifier: Apache-2.0
import { WebhookError } from '../error.ts';

/** One member of a JSON object by where it stands in the bytes: `from` is its key's quote, `start` to `end` its value. */
export interface Member {
  readonly key: string;
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/** The members of one JSON object in the order they stand; `inside` are those of the member that was entered. */
export interface Members {
  readonly own: readonly Member[];
  readonly inside: readonly Member[];
}

/** As deep as objects and arrays may nest in a request: what the reader of manifests allows, so that both judge the same. */
export const MAX_DEPTH = 100;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const SPACE = 0x20;

/**
 * Finds where the members of a JSON object stand, and those of its member `enter`, in one pass. An object's bytes are
 * then cut out as they came: parsed and printed again, an int64 would change.
 * @param bytes JSON text that JSON.parse has accepted and that is an object; nothing is checked twice
 * @throws {WebhookError} REQUEST_DUPLICATE_KEY (of two values, two readers may believe two) | REQUEST_SHAPE (too deep)
 */
export function scanMembers(bytes: Uint8Array, enter: string): Members {
  const inside: Member[] = [];
  const own: Member[] = [];
  scanObject(bytes, skipSpace(bytes, 0), own, (key, start) =>
    key === enter && bytes[start] === OPEN_BRACE
      ? scanObject(bytes, start, inside, skipValue)
      : skipValue(key, start),
  );
  return { own, inside };

  function skipValue(_: string, start: number): number {
    return endOfValue(bytes, start);
  }
}

/** Scans the object that opens at `at`; `end` says where the value of a key ends. Returns the place after the brace. */
function scanObject(
  bytes: Uint8Array,
  at: number,
  members: Member[],
  end: (key: string, start: number) => number,
): number {
  const seen = new Set<string>();
  let next = skipSpace(bytes, at + 1);
  while (bytes[next] === QUOTE) {
    const from = next;
    const keyEnd = endOfString(bytes, from);
    const key = keyOf(bytes, from, keyEnd);
    if (seen.has(key))
      throw new WebhookError('REQUEST_DUPLICATE_KEY', `the key ${JSON.stringify(key)} stands twice`);
    seen.add(key);
    const start = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1);
    const stop = end(key, start);
    members.push({ key, from, start, end: stop });
    next = skipSpace(bytes, stop);
    if (bytes[next] === COMMA) next = skipSpace(bytes, next + 1);
  }
  return next + 1;
}

// A key may be written with escapes: "\u006fbject" is "object" to JSON.parse, so it is decoded before it is compared.
function keyOf(bytes: Uint8Array, from: number, end: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('utf8');
  if (!text.includes('\\')) return text.slice(1, -1);
  const key: unknown = JSON.parse(text);
  return String(key);
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  for (let byte = bytes[at]; byte !== undefined && byte <= SPACE; byte = bytes[at]) at += 1;
  return at;
}

function endOfString(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  for (let byte = bytes[at]; byte !== undefined && byte !== QUOTE; byte = bytes[at])
    at += byte === BACKSLASH ? 2 : 1;
  return at + 1;
}

function endOfValue(bytes: Uint8Array, from: number): number {
  let at = from;
  let depth = 0;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
      if (depth === 0) return at;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > MAX_DEPTH)
        throw new WebhookError('REQUEST_SHAPE', `nested deeper than ${MAX_DEPTH} levels`);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      // A bare number, true, false or null ends where its container does.
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || (byte !== undefined && byte <= SPACE))) return at;
    at += 1;
  }
  return at;
}
