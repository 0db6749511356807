// SPDX-License-Identifier: Apache-2.0
import { readTerm } from '../../term.ts';

/** The string that a parameter is; undefined for any other value. */
export function stringOf(text: string | undefined): string | undefined {
  const term = readTerm(text ?? '');
  return term.kind === 'string' ? term.value : undefined;
}

const MAX_DIGITS = 10_000;
const BASES: ReadonlyMap<string, number> = new Map([2, 8, 10, 16].map((base) => [String(base), base]));

/**
 * Integers of any size; a fraction is cut off where no double's rounding can reach it.
 * @see OPA `builtinFormatInt`
 */
export function formatInt([number = '', base = '']: readonly string[]): string | undefined {
  const radix = BASES.get(base.trim());
  const text = number.trim();
  if (radix === undefined || text.length > MAX_DIGITS) return undefined;
  const [, whole, fraction = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined || (fraction !== '' && whole.length + fraction.length > 15)) return undefined;
  return JSON.stringify(BigInt(whole).toString(radix));
}

/** Occurrences that do not overlap; of nothing there are one more than characters. @see Go `strings.Count` */
export function stringsCount(parameters: readonly string[]): string | undefined {
  const [text, part] = parameters.map(stringOf);
  if (text === undefined || part === undefined) return undefined;
  if (part === '') return String([...text].length + 1);
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return String(count);
}

/** The first n parts, or the last -n. @see OPA `builtinSplitN` */
export function splitN([first, second, third = '']: readonly string[]): string | undefined {
  const [text, separator] = [stringOf(first), stringOf(second)];
  if (text === undefined || separator === undefined || !/^-?\d{1,9}$/.test(third.trim())) return undefined;
  const parts = separator === '' ? [...text] : text.split(separator);
  const count = Number(third);
  return JSON.stringify(count >= 0 ? parts.slice(0, count) : parts.slice(count));
}
