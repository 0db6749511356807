// SPDX-License-Identifier: Apache-2.0
import { isPrintable } from './printable.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** Nothing in it needs an escape; most strings are like this. */
const PLAIN = /^[ !#-&(-[\]-~]*$/;

/**
 * A string in Go's quotes.
 * @param mark the quote, which is escaped as well
 * @param asciiOnly escapes everything else
 * @see https://pkg.go.dev/strconv#Quote
 */
export function quote(text: string, mark: '"' | "'", asciiOnly = false): string {
  if (PLAIN.test(text)) return mark + text + mark;
  let out: string = mark;
  for (const character of text) out += escaped(character, mark, asciiOnly);
  return out + mark;
}

function escaped(character: string, mark: string, asciiOnly: boolean): string {
  if (character === mark) return `\\${mark}`;
  const short = ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x7f) return character;
  if (!asciiOnly && isPrintable(code)) return character;
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** Whether Go may write it between backquotes. @see https://pkg.go.dev/strconv#CanBackquote */
export function canBackquote(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return !/[\0-\x08\n-\x1f`\x7f\ufeff]/.test(text);
}
