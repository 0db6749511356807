// SPDX-License-Identifier: Apache-2.0
import { goQuote, type Printed, printItems } from './print.ts';
import { parseValue } from './value.ts';

const MAX_WIDTH = 1_000;
const MAX_OUTPUT = 1024 * 1024;

type Argument =
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'float64'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

interface Spec {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly verb: string;
}

/**
 * OPA's `sprintf`, which is Go's `fmt.Sprintf`: Rego integers are ints, other numbers float64, strings strings, and everything else
 * its Rego text. Width, precision and output are bounded.
 * @param format text of a Rego string
 * @param values text of a Rego array
 * @throws {RangeError} over a bound, or for what is not supported (`*`, explicit indexes)
 * @see https://pkg.go.dev/fmt
 */
export function sprintf(format: string, values: string): string {
  const template = parseValue(format);
  if (typeof template !== 'string' || !values.startsWith('['))
    throw new RangeError('operands must be a string and an array');
  const items = printItems(values).map(argumentOf);
  let used = 0;
  let size = 0;
  const text = template.replace(
    /%([-+# 0]*)(\d*)(?:\.(\d*))?(.?)/gsu,
    (_whole, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '*' || verb === '[')
        throw new RangeError(`the format uses ${JSON.stringify(verb)}, which is not supported`);
      const spec = {
        flags,
        width: bounded(width),
        precision: precision === undefined ? undefined : bounded(precision),
        verb,
      };
      if (verb === '') return '%!(NOVERB)';
      if (verb === '%') return '%';
      const piece = used < items.length ? one(spec, items[used++]) : `%!${verb}(MISSING)`;
      size += piece.length;
      if (size > MAX_OUTPUT) throw new RangeError('the result is longer than 1 MiB');
      return piece;
    },
  );
  return used < items.length ? `${text}%!(EXTRA ${items.slice(used).map(extra).join(', ')})` : text;
}

function bounded(digits: string): number {
  const value = digits === '' ? 0 : Number(digits);
  if (value > MAX_WIDTH) throw new RangeError(`a width or precision of ${digits} is more than ${MAX_WIDTH}`);
  return value;
}

function argumentOf(item: Printed): Argument {
  if (item.kind === 'string') return { type: 'string', value: String(item.value) };
  if (item.kind === 'other') return { type: 'string', value: item.text };
  if (/^-?\d+$/.test(item.text)) return { type: 'int', value: BigInt(item.text) };
  return { type: 'float64', value: Number(item.text) };
}

const plain = (argument: Argument): string =>
  argument.type === 'float64' ? goFloat(argument.value, 'g', undefined) : String(argument.value);
const typeName = (argument: Argument): string =>
  argument.type === 'int' && BigInt.asIntN(64, argument.value) !== argument.value
    ? '*big.Int'
    : argument.type;
const extra = (argument: Argument): string => `${typeName(argument)}=${plain(argument)}`;

function one(spec: Spec, argument: Argument | undefined): string {
  if (argument === undefined) return `%!${spec.verb}(MISSING)`;
  if (spec.verb === 'T') return pad(typeName(argument), spec, false);
  const text =
    argument.type === 'string'
      ? ofString(spec, argument.value)
      : argument.type === 'int'
        ? ofInt(spec, argument.value)
        : ofFloat(spec, argument.value);
  if (text === undefined) return `%!${spec.verb}(${extra(argument)})`;
  return pad(text, spec, argument.type !== 'string');
}

function pad(text: string, { flags, width }: Spec, isNumber: boolean): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = isNumber && /^[-+ ]/.test(text) ? text.slice(0, 1) : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function ofString({ flags, precision, verb }: Spec, value: string): string | undefined {
  const cut = precision === undefined ? value : [...value].slice(0, precision).join('');
  if (verb === 'v' || verb === 's') return flags.includes('#') && verb === 'v' ? goQuote(cut) : cut;
  if (verb === 'q') return goQuote(cut);
  if (verb === 'x' || verb === 'X')
    return hex(
      precision === undefined ? Buffer.from(value) : Buffer.from(value).subarray(0, precision),
      flags,
      verb,
    );
  return undefined;
}

function hex(bytes: Buffer, flags: string, verb: 'x' | 'X'): string {
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  const prefix = flags.includes('#') && pairs.length > 0 ? '0x' : '';
  const text = flags.includes(' ') ? pairs.map((pair) => prefix + pair).join(' ') : prefix + pairs.join('');
  return verb === 'X' ? text.toUpperCase() : text;
}

const BASES: Readonly<Record<string, { radix: number; prefix: string }>> = {
  v: { radix: 10, prefix: '' },
  d: { radix: 10, prefix: '' },
  b: { radix: 2, prefix: '0b' },
  o: { radix: 8, prefix: '0' },
  O: { radix: 8, prefix: '' },
  x: { radix: 16, prefix: '0x' },
  X: { radix: 16, prefix: '0X' },
};

function ofInt(spec: Spec, value: bigint): string | undefined {
  const { flags, precision, verb } = spec;
  if (verb === 'c') return character(value);
  if (verb === 'q') return quotedCharacter(value);
  if (verb === 'U') return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
  const base = BASES[verb];
  if (base === undefined) return undefined;
  const magnitude = (value < 0n ? -value : value).toString(base.radix);
  const digits = precision === 0 && value === 0n ? '' : magnitude.padStart(precision ?? 0, '0');
  const prefix = verb === 'O' ? '0o' : flags.includes('#') ? base.prefix : '';
  return signOf(value < 0n, flags) + prefix + (verb === 'X' ? digits.toUpperCase() : digits);
}

const signOf = (isNegative: boolean, flags: string): string =>
  isNegative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
const isRune = (value: bigint): boolean =>
  value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
const character = (value: bigint): string => (isRune(value) ? String.fromCodePoint(Number(value)) : '\ufffd');

function quotedCharacter(value: bigint): string {
  const inner = goQuote(character(value)).slice(1, -1);
  return `'${inner === '\\"' ? '"' : inner === "'" ? "\\'" : inner}'`;
}

function ofFloat({ flags, precision, verb }: Spec, value: number): string | undefined {
  const kind = verb === 'v' ? 'g' : verb === 'F' ? 'f' : verb;
  if (!'eEfgG'.includes(kind)) return undefined;
  const text = goFloat(Math.abs(value), kind, precision);
  return signOf(value < 0 || Object.is(value, -0), flags) + text;
}

/** `strconv.FormatFloat`: exponents have two digits at least, and `g` takes them below 1e-4 and from the precision on, 6 where it has none. */
function goFloat(value: number, kind: string, precision: number | undefined): string {
  if (kind === 'f') return bigFixed(value, precision ?? 6);
  if (kind === 'e' || kind === 'E') return exponent(value.toExponential(precision ?? 6), kind);
  const digits = precision === undefined ? undefined : Math.max(precision, 1);
  const scientific = value.toExponential(digits === undefined ? undefined : Math.min(digits - 1, 100));
  const power = Number(scientific.slice(scientific.indexOf('e') + 1));
  const isLarge = power < -4 || power >= (digits ?? 6);
  if (isLarge) return exponent(trim(scientific), kind === 'G' ? 'E' : 'e');
  return digits === undefined
    ? shortest(value)
    : trim(value.toFixed(Math.min(Math.max(digits - 1 - power, 0), 100)));
}

function bigFixed(value: number, precision: number): string {
  if (value < 1e21) return value.toFixed(Math.min(precision, 100)).padEnd(0);
  const whole = BigInt(value).toString();
  return precision === 0 ? whole : `${whole}.${'0'.repeat(precision)}`;
}

/** JavaScript writes small numbers with an exponent from 1e-7 on; Go's bound is 1e-5. */
const shortest = (value: number): string =>
  value !== 0 && value < 1e-6 ? trim(value.toFixed(20)) : String(value);
const trim = (text: string): string => text.replace(/(\.\d*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '');
const exponent = (text: string, letter: string): string =>
  text.replace(/e([+-])(\d)$/, 'e$10$2').replace('e', letter);
