// SPDX-License-Identifier: Apache-2.0
import { type Directive, pad } from './directive.ts';
import { isPrintable } from './printable.ts';
import { quote } from './quote.ts';

const RADIX: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };
const PREFIX: Readonly<Record<string, string>> = { b: '0b', x: '0x', X: '0X' };

/** An int64, or undefined where the verb is not for integers. */
export function formatInteger(value: bigint, verb: string, directive: Directive): string | undefined {
  const radix = RADIX[verb];
  if (radix !== undefined) return inRadix(value, radix, verb, directive);
  if (verb === 'c') return pad(characterOf(value), directive);
  if (verb === 'q') return pad(quote(characterOf(value), "'", directive.plus), directive);
  return verb === 'U' ? unicode(BigInt.asUintN(64, value), directive) : undefined;
}

function inRadix(value: bigint, radix: number, verb: string, directive: Directive): string {
  const { width, precision } = directive;
  if (precision === 0 && value === 0n) return ' '.repeat(width ?? 0);
  const sign = signOf(value < 0n, directive);
  const digits = digitsOf(value, radix, verb).padStart(leastDigits(directive, sign), '0');
  const prefix = directive.sharp ? (verb === 'o' || verb === 'O' ? octal(digits) : (PREFIX[verb] ?? '')) : '';
  return pad(sign + (verb === 'O' ? '0o' : '') + prefix + digits, directive, false);
}

const octal = (digits: string): string => (digits.startsWith('0') ? '' : '0');

/** Leading zeros come from the precision or, where it has none, from the flag and the width, less the place of the sign. */
function leastDigits({ width, precision, zero, minus }: Directive, sign: string): number {
  if (precision !== undefined) return precision;
  return zero && !minus && width !== undefined ? width - sign.length : 0;
}

function digitsOf(value: bigint, radix: number, verb: string): string {
  const digits = (value < 0n ? -value : value).toString(radix);
  return verb === 'X' ? digits.toUpperCase() : digits;
}

export function signOf(isNegative: boolean, { plus, space }: Directive): string {
  if (isNegative) return '-';
  if (plus) return '+';
  return space ? ' ' : '';
}

const MAX_RUNE = 0x10ffffn;
const isRune = (value: bigint): boolean =>
  value >= 0n && value <= MAX_RUNE && !(value >= 0xd800n && value <= 0xdfffn);
const characterOf = (value: bigint): string =>
  isRune(value) ? String.fromCodePoint(Number(value)) : '\ufffd';

function unicode(value: bigint, directive: Directive): string {
  const digits = value
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(directive.precision ?? 0, 4), '0');
  const shown = directive.sharp && isRune(value) && isPrintable(Number(value));
  return pad(`U+${digits}${shown ? ` '${characterOf(value)}'` : ''}`, directive, false);
}

/** An integer beyond int64, which Go's `big.Int` writes by its own rules. @see https://pkg.go.dev/math/big#Int.Format */
export function formatBig(value: bigint, verb: string, directive: Directive): string {
  const radix = verb === 's' ? 10 : RADIX[verb];
  if (radix === undefined) return `%!${verb}(big.Int=${value})`;
  const sign = signOf(value < 0n, { ...directive, plus: directive.plus || directive.plusV });
  const sharp = directive.sharp || directive.sharpV;
  const prefix = verb === 'O' ? '0o' : sharp ? (verb === 'o' ? '0' : (PREFIX[verb] ?? '')) : '';
  const { width, precision, zero, minus } = directive;
  const least =
    precision ?? (zero && !minus && width !== undefined ? width - sign.length - prefix.length : 0);
  return pad(sign + prefix + digitsOf(value, radix, verb).padStart(least, '0'), directive, false);
}
