// SPDX-License-Identifier: Apache-2.0

const DECIMAL = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const BINARY = new Map([
  ['Ki', 10],
  ['Mi', 20],
  ['Gi', 30],
  ['Ti', 40],
  ['Pi', 50],
  ['Ei', 60],
]);
const DECIMAL_SUFFIXES = new Map([...DECIMAL].map(([suffix, exponent]) => [exponent, suffix]));
const BINARY_SUFFIXES = new Map([...BINARY].map(([suffix, exponent]) => [exponent, suffix]));

type Format = 'decimal' | 'binary' | 'exponent';

interface Parts {
  readonly isNegative: boolean;
  readonly whole: string;
  readonly fraction: string;
  readonly exponent: number;
  readonly format: Format;
}

/** A number `unscaled · 10^exponent`. */
interface Amount {
  readonly unscaled: bigint;
  readonly exponent: number;
}

const NANO = -9;
const INT64_MAX = 2n ** 63n - 1n;
/** Decimal digits that always fit into 64 bits. */
const SAFE_DIGITS = 18;
/** What nobody means: Kubernetes would work on its digits for minutes. */
const EXPONENT_MAX = 10_000;
const INT32_MAX = 2 ** 31 - 1;

/**
 * How Kubernetes writes a quantity that is spelled `text`; undefined where it is none. `0.5` is `500m`, `1024Mi` is `1Gi`; like
 * Kubernetes it keeps the family of the suffix (`1e3` stays, `1000` is `1k`) and a spelling that it takes for canonical (`+1`).
 *
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/api/resource/quantity.go  ParseQuantity, CanonicalizeBytes
 */
export function canonicalQuantity(text: string): string | undefined {
  const kept = known.get(text);
  if (kept !== undefined) return kept;
  const canonical = canonicalOf(text);
  if (canonical !== undefined && text.length <= KNOWN_MAX_CHARACTERS) {
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(text, canonical);
  }
  return canonical;
}

/** Manifests say the same few over and over. */
const known = new Map<string, string>();
const KNOWN_MAX = 1000;
const KNOWN_MAX_CHARACTERS = 32;

function canonicalOf(text: string): string | undefined {
  // Kubernetes looks at the JSON text, where an escape is no character of a number.
  if (/[\p{Cc}"\\]/u.test(text)) return undefined;
  const trimmed = text.trim();
  const parts = partsOf(trimmed);
  if (trimmed === '' || parts === undefined || Math.abs(parts.exponent) > INT32_MAX) return undefined;
  const hasDigits = /^[+-]?\.?\d/.test(trimmed);
  const isSensible = Math.abs(parts.exponent) <= EXPONENT_MAX;
  return quick(trimmed, parts) ?? (hasDigits && isSensible ? slow(parts) : undefined);
}

function partsOf(text: string): Parts | undefined {
  const match = /^([+-]?)0*(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[+-]?\d*)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = '', fraction = '', suffix = ''] = match;
  const family = familyOf(suffix);
  return family && { isNegative: sign === '-', whole: digits === '' ? '0' : digits, fraction, ...family };
}

function familyOf(suffix: string): Pick<Parts, 'exponent' | 'format'> | undefined {
  const decimal = DECIMAL.get(suffix);
  if (decimal !== undefined) return { exponent: decimal, format: 'decimal' };
  const binary = BINARY.get(suffix);
  if (binary !== undefined) return { exponent: binary, format: 'binary' };
  return /^[eE][+-]?\d+$/.test(suffix)
    ? { exponent: Number(suffix.slice(1)), format: 'exponent' }
    : undefined;
}

/** Numbers of 64 bits without a fraction that is lost; undefined for all others. */
function quick(text: string, parts: Parts): string | undefined {
  const { whole, fraction, exponent, format } = parts;
  const isBinary = format === 'binary';
  if (isBinary && fraction !== '') return undefined;
  const room = isBinary
    ? 15 - whole.length - Math.trunc(Math.fround((exponent * 3) / 10)) - 1
    : SAFE_DIGITS - whole.length - fraction.length;
  const scale = (isBinary ? 0 : exponent) - fraction.length;
  if (room < 0 || scale < NANO) return undefined;
  const digits = whole + fraction;
  const value = BigInt(digits);
  const isKept = isBinary
    ? (value & 7n) !== 0n
    : scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
  if (isKept) return text;
  const shifted = isBinary ? value << BigInt(exponent) : value;
  return written({ unscaled: parts.isNegative ? -shifted : shifted, exponent: scale }, format);
}

/** Any number: rounded up to nano, and a binary one capped at what 64 bits hold. */
function slow({ isNegative, whole, fraction, exponent, format }: Parts): string {
  const factor = format === 'binary' ? 1n << BigInt(exponent) : 1n;
  const scale = (format === 'binary' ? 0 : exponent) - fraction.length;
  const rounded = roundUp({ unscaled: BigInt(whole + fraction) * factor, exponent: scale });
  const isCapped = format === 'binary' && isMore(rounded, INT64_MAX);
  const amount = isCapped ? { unscaled: INT64_MAX, exponent: 0 } : rounded;
  const isSmall = format === 'binary' && !isMore(amount, 1n) && !isSame(amount, 1n);
  const signed = { ...amount, unscaled: isNegative ? -amount.unscaled : amount.unscaled };
  return written(signed, isSmall ? 'decimal' : format);
}

function roundUp(amount: Amount): Amount {
  if (amount.exponent >= NANO) return amount;
  const divisor = 10n ** BigInt(NANO - amount.exponent);
  return { unscaled: (amount.unscaled + divisor - 1n) / divisor, exponent: NANO };
}

const difference = ({ unscaled, exponent }: Amount, limit: bigint): bigint =>
  exponent >= 0 ? unscaled * 10n ** BigInt(exponent) - limit : unscaled - limit * 10n ** BigInt(-exponent);
const isMore = (amount: Amount, limit: bigint): boolean => difference(amount, limit) > 0n;
const isSame = (amount: Amount, limit: bigint): boolean => difference(amount, limit) === 0n;

function written(amount: Amount, format: Format): string {
  if (amount.unscaled === 0n) return '0';
  const whole = format === 'binary' ? wholeOf(amount) : undefined;
  if (whole !== undefined && (whole >= 1024n || whole <= -1024n)) {
    const { unscaled, exponent } = reduced({ unscaled: whole, exponent: 0 }, 1024n);
    return `${unscaled}${BINARY_SUFFIXES.get(exponent * 10) ?? ''}`;
  }
  let { unscaled, exponent } = reduced(amount, 10n);
  for (; exponent % 3 !== 0; exponent--) unscaled *= 10n;
  if (format === 'exponent') return exponent === 0 ? `${unscaled}` : `${unscaled}e${exponent}`;
  return `${unscaled}${DECIMAL_SUFFIXES.get(exponent) ?? ''}`;
}

function wholeOf({ unscaled, exponent }: Amount): bigint | undefined {
  if (exponent >= 0) return unscaled * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return unscaled % divisor === 0n ? unscaled / divisor : undefined;
}

function reduced({ unscaled, exponent }: Amount, base: bigint): Amount {
  let left = unscaled;
  let times = exponent;
  for (; left % base === 0n; times++) left /= base;
  return { unscaled: left, exponent: times };
}
