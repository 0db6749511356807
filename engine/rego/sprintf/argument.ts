// SPDX-License-Identifier: Apache-2.0
import type { Term } from '../term.ts';
import { quote } from './quote.ts';

/** What OPA hands to Go's `fmt` for one value: Go's type decides which verbs it takes. */
export type Argument =
  | { readonly type: 'int64' | '*big.Int'; readonly value: bigint }
  | { readonly type: 'float64'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

/** Numbers take time by the square of their digits. */
const MAX_DIGITS = 10_000;

/** @throws {RangeError} for an integer of too many digits */
export function argumentOf(term: Term): Argument {
  if (term.kind === 'string') return { type: 'string', value: term.value };
  if (term.kind !== 'number') return { type: 'string', value: print(term) };
  return /[.eE]/.test(term.text) ? floatOf(term.text) : integerOf(term.text);
}

/** Beyond the range of a double OPA hands over the number's text. */
function floatOf(text: string): Argument {
  const value = Number(text);
  return Number.isFinite(value) ? { type: 'float64', value } : { type: 'string', value: text };
}

function integerOf(text: string): Argument {
  if (text.length > MAX_DIGITS) throw new RangeError(`an integer has more than ${MAX_DIGITS} digits`);
  const value = BigInt(text);
  return { type: BigInt.asIntN(64, value) === value ? 'int64' : '*big.Int', value };
}

/** A value as OPA prints it. @see OPA `ast.Term.String` */
export function print(term: Term): string {
  switch (term.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return String(term.value);
    case 'number':
      return term.text;
    case 'string':
      return quote(term.value, '"');
    case 'array':
      return `[${term.items.map(print).join(', ')}]`;
    case 'set':
      return term.items.length === 0 ? 'set()' : `{${term.items.map(print).join(', ')}}`;
    case 'object':
      return `{${term.members.map(([key, value]) => `${print(key)}: ${print(value)}`).join(', ')}}`;
  }
}
