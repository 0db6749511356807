// SPDX-License-Identifier: Apache-2.0
import { stringOf } from './text.ts';

const KILO = 1_000n;
const KIBI = 1_024n;
/** What Go's double 0.001 is, exactly: a quarter of a unit in `m` is no quarter of a thousandth. @see OPA `siMilli` */
const MILLI: Fraction = { over: 1_152_921_504_606_847n, under: 2n ** 60n };

/** Longer numbers, and exponents, are left to OPA. */
const MAX_DIGITS = 18;

interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

const PREFIXES = 'kmgtpe';

/** `K`, `Mi`; the case of the first letter counts only for `m`. @see OPA `builtinUnits` */
function unitOf(given: string): Fraction | undefined {
  const name = given.slice(0, 1) + given.slice(1).toLowerCase();
  if (name === '') return { over: 1n, under: 1n };
  if (name === 'm') return MILLI;
  const [, letter = '', binary] = /^([kmgtpe])(i?)$/i.exec(name) ?? [];
  if (letter === '') return undefined;
  const power = BigInt(PREFIXES.indexOf(letter.toLowerCase()) + 1);
  return { over: (binary === 'i' ? KIBI : KILO) ** power, under: 1n };
}

/** A number and what follows it, where both are ordinary. */
function split(
  parameter: string | undefined,
): { number: Fraction; isNegative: boolean; unit: string } | undefined {
  const text = (stringOf(parameter) ?? ' ').replaceAll('"', '');
  const [, sign, whole = '', fraction = '', unit = ''] =
    /^([-+]?)(\d*)(?:\.(\d*))?([A-Za-z]*)$/.exec(text) ?? [];
  const digits = whole + fraction;
  // OPA reads an "e" before a digit as an exponent; here none follows.
  if (sign === undefined || digits === '' || digits.length > MAX_DIGITS) return undefined;
  const number = { over: BigInt(digits), under: 10n ** BigInt(fraction.length) };
  return { number, isNegative: sign === '-', unit };
}

/** An integer where it is one, else ten decimals. @see OPA `builtinUnits`, Go `big.Rat.FloatString` */
export function parseUnits([parameter]: readonly string[]): string | undefined {
  const found = split(parameter);
  const unit = found === undefined ? undefined : unitOf(found.unit);
  if (found === undefined || unit === undefined) return undefined;
  const [over, under] = [found.number.over * unit.over, found.number.under * unit.under];
  const sign = found.isNegative && over !== 0n ? '-' : '';
  if (over % under === 0n) return `${sign}${over / under}`;
  return `${sign}${decimals(over, under)}`;
}

const TEN_DECIMALS = 10n ** 10n;

function decimals(over: bigint, under: bigint): string {
  const scaled = (over * TEN_DECIMALS * 2n + under) / (under * 2n);
  return `${scaled / TEN_DECIMALS}.${String(scaled % TEN_DECIMALS).padStart(10, '0')}`;
}

/** Whole bytes: fractions are cut off. @see OPA `builtinNumBytes` */
export function parseBytes([parameter]: readonly string[]): string | undefined {
  const found = split(parameter);
  const size = found === undefined ? undefined : sizeOf(found.unit.toLowerCase());
  if (found === undefined || size === undefined) return undefined;
  const number = rounded(found.number);
  const product = rounded({ over: number.over * size, under: number.under });
  const bytes = product.over / product.under;
  return String(found.isNegative ? -bytes : bytes);
}

/** `k`, `kb` are a thousand, `ki`, `kib` are 1,024. */
function sizeOf(name: string): bigint | undefined {
  const [, first = '', binary, isKnown] = /^(?:([kmgtpe])(i?)b?|())$/.exec(name) ?? [];
  if (isKnown !== undefined) return 1n;
  if (first === '') return undefined;
  return (binary === 'i' ? KIBI : KILO) ** BigInt(PREFIXES.indexOf(first) + 1);
}

const MANTISSA_BITS = 64;

/** To 64 bits, ties to even. @see Go `big.Float` of precision 64 */
function rounded({ over, under }: Fraction): Fraction {
  if (over === 0n) return { over, under: 1n };
  let shift = MANTISSA_BITS - (over.toString(2).length - under.toString(2).length);
  for (;;) {
    const [scaledOver, scaledUnder] =
      shift >= 0 ? [over << BigInt(shift), under] : [over, under << BigInt(-shift)];
    const floor = scaledOver / scaledUnder;
    if (floor >> BigInt(MANTISSA_BITS) !== 0n) {
      shift--;
      continue;
    }
    const rest = 2n * (scaledOver - floor * scaledUnder);
    const isUp = rest > scaledUnder || (rest === scaledUnder && (floor & 1n) === 1n);
    const mantissa = isUp ? floor + 1n : floor;
    return shift >= 0
      ? { over: mantissa, under: 1n << BigInt(shift) }
      : { over: mantissa << BigInt(-shift), under: 1n };
  }
}
