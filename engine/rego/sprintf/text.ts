// SPDX-License-Identifier: Apache-2.0
import { type Directive, pad } from './directive.ts';
import { canBackquote, quote } from './quote.ts';

/** A string, or undefined where the verb is not for strings. */
export function formatString(value: string, verb: string, directive: Directive): string | undefined {
  if (verb === 's' || (verb === 'v' && !directive.sharpV)) return pad(truncate(value, directive), directive);
  if (verb === 'q' || verb === 'v') return pad(quoted(truncate(value, directive), directive), directive);
  if (verb === 'x') return inHex(value, directive);
  if (verb === 'X') return inHex(value, directive, 'X');
  return undefined;
}

/** The precision of a string is in code points. */
function truncate(value: string, { precision }: Directive): string {
  if (precision === undefined || value.length <= precision) return value;
  let end = 0;
  for (let count = 0; count < precision && end < value.length; count++)
    end += (value.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return value.slice(0, end);
}

function quoted(value: string, { sharp, plus }: Directive): string {
  return sharp && canBackquote(value) ? `\`${value}\`` : quote(value, '"', plus);
}

/** The bytes in hexadecimal; here the precision is in bytes. */
function inHex(value: string, directive: Directive, letter: 'x' | 'X' = 'x'): string {
  const all = Buffer.from(value);
  const hex = (directive.precision === undefined ? all : all.subarray(0, directive.precision)).toString(
    'hex',
  );
  if (hex === '') return pad('', directive);
  const prefix = directive.sharp ? `0${letter}` : '';
  const digits = letter === 'X' ? hex.toUpperCase() : hex;
  const pairs = directive.space ? (digits.match(/../g) ?? []) : [digits];
  return pad(pairs.map((pair) => prefix + pair).join(' '), directive);
}
