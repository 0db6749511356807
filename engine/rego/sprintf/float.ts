// SPDX-License-Identifier: Apache-2.0
import { binaryOf, type Decimal, exactDecimal, round, shortestDecimal } from './decimal.ts';
import { type Directive, pad } from './directive.ts';
import { signOf } from './integer.ts';

type Kind = 'b' | 'e' | 'E' | 'f' | 'g' | 'G' | 'x' | 'X';

/** What a verb means for a float, and its precision where none is given; undefined is as many digits as are needed. */
const KINDS: Readonly<Record<string, { readonly kind: Kind; readonly precision?: number }>> = {
  v: { kind: 'g' },
  b: { kind: 'b' },
  g: { kind: 'g' },
  G: { kind: 'G' },
  x: { kind: 'x' },
  X: { kind: 'X' },
  f: { kind: 'f', precision: 6 },
  F: { kind: 'f', precision: 6 },
  e: { kind: 'e', precision: 6 },
  E: { kind: 'E', precision: 6 },
};

/** A finite float64, or undefined where the verb is not for floats. */
export function formatFloat(value: number, verb: string, directive: Directive): string | undefined {
  const found = KINDS[verb];
  if (found === undefined) return undefined;
  const precision = directive.precision ?? found.precision;
  const plain = convert(Math.abs(value), found.kind, precision);
  const text = directive.sharp && found.kind !== 'b' ? withPoint(plain, found.kind, precision) : plain;
  const sign = signOf(value < 0 || Object.is(value, -0), directive);
  const { width, zero, minus } = directive;
  if (sign !== '' && zero && !minus && width !== undefined) return sign + text.padStart(width - 1, '0');
  return pad(sign + text, directive);
}

/** @see https://pkg.go.dev/strconv#FormatFloat */
function convert(value: number, kind: Kind, precision: number | undefined): string {
  if (kind === 'b') return inBits(value);
  if (kind === 'x') return inHex(value, precision);
  if (kind === 'X') return inHex(value, precision).toUpperCase();
  if (kind === 'e' || kind === 'E') return scientific(decimalOf(value, precision, 1), kind, precision);
  if (kind === 'f') {
    const decimal = precision === undefined ? shortestDecimal(value) : exactDecimal(value);
    return fixed(precision === undefined ? decimal : round(decimal, decimal.point + precision), precision);
  }
  return general(value, kind, precision);
}

function decimalOf(value: number, precision: number | undefined, more: number): Decimal {
  return precision === undefined ? shortestDecimal(value) : round(exactDecimal(value), precision + more);
}

/** Exponents below -4 and from the precision on, 6 where it has none, are written as such. */
function general(value: number, kind: 'g' | 'G', precision: number | undefined): string {
  const digits = precision === 0 ? 1 : precision;
  const decimal = decimalOf(value, digits, 0);
  const count = decimal.digits.length;
  const wanted = digits ?? 6;
  const limit = digits !== undefined && wanted > count && count >= decimal.point ? count : wanted;
  const power = decimal.point - 1;
  const isZero = count === 0;
  if (!isZero && (power < -4 || power >= limit))
    return scientific(decimal, kind === 'G' ? 'E' : 'e', Math.max(count - 1, 0));
  return fixed(decimal, Math.max(count - decimal.point, 0));
}

function scientific({ digits, point }: Decimal, letter: string, precision: number | undefined): string {
  const first = digits === '' ? '0' : digits.charAt(0);
  const rest = digits.slice(1).padEnd(precision ?? 0, '0');
  return `${first}${rest === '' ? '' : `.${rest}`}${letter}${exponent(digits === '' ? 0 : point - 1)}`;
}

function exponent(power: number): string {
  return `${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

function fixed({ digits, point }: Decimal, precision: number | undefined): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(digits === '' ? 0 : -point) + digits;
  const shown = fraction.padEnd(precision ?? 0, '0');
  return shown === '' ? whole : `${whole}.${shown}`;
}

/** Mantissa and power of two, both decimal. */
function inBits(value: number): string {
  const { mantissa, exponent: power } = binaryOf(value);
  return `${mantissa}p${power < 0 ? '-' : '+'}${Math.abs(power)}`;
}

const LEAD = 60n;

/** `0x1.8p+01`: a mantissa of one leading bit and hexadecimal digits, rounded half to even. */
function inHex(value: number, precision: number | undefined): string {
  const binary = binaryOf(value);
  let power = binary.mantissa === 0n ? 0 : binary.exponent + 52;
  let mantissa = binary.mantissa << (LEAD - 52n);
  while (mantissa !== 0n && mantissa >> LEAD === 0n) {
    mantissa <<= 1n;
    power--;
  }
  if (precision !== undefined && precision < 15) mantissa = roundHex(mantissa, BigInt(precision * 4));
  if (mantissa >> (LEAD + 1n) !== 0n) {
    mantissa >>= 1n;
    power++;
  }
  const all = (mantissa & ((1n << LEAD) - 1n)).toString(16).padStart(15, '0');
  const digits =
    precision === undefined ? all.replace(/0+$/, '') : all.slice(0, precision).padEnd(precision, '0');
  return `0x${mantissa >> LEAD}${digits === '' ? '' : `.${digits}`}p${exponent(power)}`;
}

function roundHex(mantissa: bigint, bits: bigint): bigint {
  const dropped = LEAD - bits;
  const kept = mantissa >> dropped;
  const extra = (mantissa << bits) & ((1n << LEAD) - 1n);
  const isUp = (extra | (kept & 1n)) > 1n << (LEAD - 1n);
  return (isUp ? kept + 1n : kept) << dropped;
}

/** The flag `#` keeps the point and, for `g` and `x`, the zeros behind it. */
function withPoint(text: string, kind: Kind, precision: number | undefined): string {
  const isHex = kind === 'x' || kind === 'X';
  const at = text.search(isHex ? /[pP]/ : /[eE]/);
  const body = at < 0 ? text : text.slice(0, at);
  const tail = at < 0 ? '' : text.slice(at);
  const wanted = kind === 'g' || kind === 'G' || kind === 'x' ? (precision ?? 6) : 0;
  const hasPoint = body.includes('.');
  const shown = body.replace('.', '').replace(/^0+/, '').length + (!hasPoint && body === '0' ? 1 : 0);
  return body + (hasPoint ? '' : '.') + '0'.repeat(Math.max(wanted - shown, 0)) + tail;
}
