// SPDX-License-Identifier: Apache-2.0

const MAX_DEPTH = 64;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses JSON that nobody wrote by hand: a key that stands twice in one object makes it unreadable, since two readers could take
 * two different values from it; so do bytes that are not UTF-8 and nesting deeper than 64. Undefined where it is no such JSON.
 * @see https://www.rfc-editor.org/rfc/rfc7493#section-2.3  I-JSON: names within an object are unique
 */
export function parseStrict(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    const text = UTF8.decode(bytes);
    const value: unknown = JSON.parse(text);
    return isPlain(text) ? { value } : undefined;
  } catch {
    return undefined; // not UTF-8, not JSON, or nested so deep that the parser gave up
  }
}

/** Whether no object of this text, which is known to be JSON, has a key twice, and nothing nests too deep. */
function isPlain(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      if (open.push(character === '{' ? new Set() : undefined) > MAX_DEPTH) return false;
    } else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      // Only a key is followed by a colon. Spellings differ ("a" is "\u0061"), so the decoded text is compared.
      if (isColonNext(text, end) && !isNew(open.at(-1), JSON.parse(text.slice(at, end)))) return false;
      at = end - 1;
    }
  }
  return true;
}

/** The index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function isColonNext(text: string, from: number): boolean {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at++;
  return text[at] === ':';
}

function isNew(keys: Set<string> | undefined, key: unknown): boolean {
  if (keys === undefined || typeof key !== 'string') return true;
  const isKnown = keys.has(key);
  keys.add(key);
  return !isKnown;
}
