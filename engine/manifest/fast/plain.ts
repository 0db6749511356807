// SPDX-License-Identifier: Apache-2.0
import { CHAR, leave } from './scan.ts';

/** What Kubernetes' reader makes of a plain scalar. */
export type Kind = 'string' | 'number' | 'float' | 'true' | 'false' | 'null';

/** What stands for something else than its text in YAML 1.1; those that are not in `EXACT` are left to the reader. */
const WORDS: ReadonlySet<string> = new Set([
  '~',
  'null',
  'true',
  'false',
  'yes',
  'no',
  'on',
  'off',
  'y',
  'n',
]);
const EXACT: ReadonlyMap<string, Kind> = new Map([
  ['~', 'null'],
  ['null', 'null'],
  ['true', 'true'],
  ['false', 'false'],
]);
const WORD_MAX = 5;

const WORD = 1;
const NUMERIC = 2;

/** By the first byte, whether a scalar can be anything but a string. */
const HINT = new Uint8Array(128);
for (const character of 'yYnNtTfFoO~') HINT[character.charCodeAt(0)] = WORD;
for (const character of '0123456789+-.') HINT[character.charCodeAt(0)] = NUMERIC;

/** All that numbers and times of YAML 1.1 are made of, as Go reads them; one other byte makes a string. */
const IN_NUMBERS = new Uint8Array(256);
for (const character of '0123456789abcdefABCDEFxXoO_+-.:TtZz ') IN_NUMBERS[character.charCodeAt(0)] = 1;

/** Leaves for what is seldom and looks like a number: octals, dates, exponents, underscores. */
export function kindOf(bytes: Uint8Array, from: number, to: number): Kind {
  const hint = HINT[bytes[from] ?? 0];
  if (hint === WORD) return to - from > WORD_MAX ? 'string' : wordKind(bytes, from, to);
  return hint === NUMERIC ? numericKind(bytes, from, to) : 'string';
}

function wordKind(bytes: Uint8Array, from: number, to: number): Kind {
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] ?? 0);
  const exact = EXACT.get(text);
  if (exact !== undefined) return exact;
  return WORDS.has(text.toLowerCase()) ? leave() : 'string';
}

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= CHAR.zero && byte <= CHAR.nine;

/** As many digits as fit into int64 whatever they are. */
const INTEGER_MAX_DIGITS = 18;
/** As many digits as a double holds whatever they are. */
const FLOAT_MAX_DIGITS = 15;

function numericKind(bytes: Uint8Array, from: number, to: number): Kind {
  const first = bytes[from] ?? 0;
  const isSigned = first === CHAR.dash || first === 0x2b;
  const start = isSigned ? from + 1 : from;
  const leading = bytes[start];
  if (leading === CHAR.dot) return dotKind(bytes, start, to);
  // Go drops underscores before it looks: `-_5` is -5.
  if (isSigned && leading === CHAR.underscore) return leave();
  if (!isDigit(leading)) return 'string';
  if (hasOther(bytes, start, to)) return 'string';
  if (first === 0x2b) return leave();
  return digitsKind(bytes, start, to, isSigned);
}

/** `.5`, `.inf` and `.nan` are numbers. */
function dotKind(bytes: Uint8Array, dot: number, to: number): Kind {
  const next = bytes[dot + 1];
  const isSuspect = dot + 1 < to && (isDigit(next) || 'iInN'.includes(String.fromCharCode(next ?? 0)));
  return isSuspect ? leave() : 'string';
}

function hasOther(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (IN_NUMBERS[bytes[at] ?? 0] === 0) return true;
  return false;
}

/** Digits and points alone are told apart here: `80`, `0.5`, `10.0.0.1`. */
function digitsKind(bytes: Uint8Array, from: number, to: number, isSigned: boolean): Kind {
  let points = 0;
  for (let at = from; at < to; at++) {
    if (bytes[at] === CHAR.dot) points++;
    else if (!isDigit(bytes[at])) leave();
  }
  if (points > 1) return 'string';
  const isZero = bytes[from] === CHAR.zero;
  if (points === 0) {
    const isPlain = isZero ? to - from === 1 && !isSigned : to - from <= INTEGER_MAX_DIGITS;
    return isPlain ? 'number' : leave();
  }
  const isShort = to - from <= FLOAT_MAX_DIGITS + 1 && bytes[to - 1] !== CHAR.dot;
  return isShort && (!isZero || bytes[from + 1] === CHAR.dot) ? 'float' : leave();
}

/** The text of a float as both Go and ECMAScript print it in JSON; leaves where they may differ. */
export function floatText(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] ?? 0);
  const value = Number(text);
  const printed = String(value);
  return Object.is(value, -0) || printed.includes('e') ? leave() : printed;
}
