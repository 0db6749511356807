// SPDX-License-Identifier: Apache-2.0

/** Digits without leading zeros and where the point stands: 0.digits × 10^point. Zero has no digits. */
export interface Decimal {
  readonly digits: string;
  readonly point: number;
}

const MANTISSA_BITS = 52n;
const BIAS = 1_075;

/** A finite double, without its sign, as mantissa × 2^exponent. */
export function binaryOf(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const fraction = raw & ((1n << MANTISSA_BITS) - 1n);
  const power = Number((raw >> MANTISSA_BITS) & 0x7ffn);
  return power === 0
    ? { mantissa: fraction, exponent: 1 - BIAS }
    : { mantissa: fraction | (1n << MANTISSA_BITS), exponent: power - BIAS };
}

/** Every digit of a double: it is a fraction over a power of two, so that it ends. */
export function exactDecimal(value: number): Decimal {
  const { mantissa, exponent } = binaryOf(value);
  if (mantissa === 0n) return { digits: '', point: 0 };
  const whole = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const text = whole.toString();
  return { digits: text.replace(/0+$/, ''), point: text.length + Math.min(exponent, 0) };
}

/** The fewest digits that read back as the same double; ECMAScript and Go choose the same ones. */
export function shortestDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  const [mantissa = '', exponent = '0'] = Math.abs(value).toExponential().split('e');
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
}

/** Keeps the first `count` digits, rounding a half to even as Go does and ECMAScript does not. */
export function round({ digits, point }: Decimal, count: number): Decimal {
  if (count < 0) return { digits: '', point: 0 };
  if (count >= digits.length) return { digits, point };
  const kept = digits.slice(0, count);
  if (!roundsUp(digits, count)) return { digits: kept.replace(/0+$/, ''), point: kept === '' ? 0 : point };
  const raised = (BigInt(kept === '' ? '0' : kept) + 1n).toString();
  return { digits: raised.replace(/0+$/, ''), point: point + raised.length - kept.length };
}

function roundsUp(digits: string, count: number): boolean {
  const next = digits.charAt(count);
  if (next !== '5' || digits.length > count + 1) return next >= '5';
  return count > 0 && Number(digits.charAt(count - 1)) % 2 === 1;
}
