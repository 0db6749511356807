// SPDX-License-Identifier: Apache-2.0

const STRING = /"(?:[^"\\]|\\.)*"/y;

/**
 * Parses JSON that nobody wrote by hand: a key that stands twice in one object makes it unreadable, since two readers could take
 * two different values from it. Undefined where it is no such JSON.
 */
export function parseStrict(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return hasDuplicateKey(text) ? undefined : { value };
  } catch {
    return undefined;
  }
}

/** Scans text that is known to be JSON. */
function hasDuplicateKey(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      STRING.lastIndex = at;
      const token = STRING.exec(text)?.[0] ?? '""';
      at += token.length - 1;
      if (isKey(text, at + 1) && !addKey(open.at(-1), token)) return true;
    }
  }
  return false;
}

const isKey = (text: string, after: number): boolean => /^\s*:/.test(text.slice(after, after + 64));

function addKey(keys: Set<string> | undefined, token: string): boolean {
  const key: unknown = JSON.parse(token);
  if (keys === undefined || typeof key !== 'string') return true;
  if (keys.has(key)) return false;
  keys.add(key);
  return true;
}
