// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';

/** A Rego value as the module writes it: a number keeps its text, a set is no array, a key may be anything. */
export type Term =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array' | 'set'; readonly items: readonly Term[] }
  | { readonly kind: 'object'; readonly members: readonly Member[] };

export type Member = readonly [key: Term, value: Term];

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const WORDS: readonly (readonly [string, Term])[] = [
  ['null', { kind: 'null' }],
  ['true', { kind: 'boolean', value: true }],
  ['false', { kind: 'boolean', value: false }],
  ['set()', { kind: 'set', items: [] }],
];

/**
 * Reads the text that `opa_value_dump` writes: JSON with sets `{1, 2}`, `set()` and keys of any type. Sets and objects come out
 * in Rego's order; the module writes them in the order of their hashes.
 * @throws {EngineError} POLICY_RESULT for anything else
 */
export function readTerm(text: string): Term {
  const reader = new TermReader(text);
  const term = reader.term();
  return reader.isDone() ? term : reader.fail();
}

class TermReader {
  readonly #text: string;
  #at = 0;
  /** The next backslash, found once: looking for it from every string would be quadratic. */
  #escape = -1;

  constructor(text: string) {
    this.#text = text;
  }

  isDone(): boolean {
    return Number.isNaN(this.#peek());
  }

  fail(): never {
    throw new EngineError('POLICY_RESULT', `a value of the policy is unreadable at character ${this.#at}`);
  }

  term(): Term {
    const first = this.#peek();
    if (first === QUOTE) return { kind: 'string', value: this.#string() };
    if (first === OPEN_LIST) return this.#array();
    if (first === OPEN_BRACE) return this.#braces();
    const word = WORDS.find(([name]) => this.#text.startsWith(name, this.#at));
    if (word === undefined) return this.#number();
    this.#at += word[0].length;
    return word[1];
  }

  /** The next character that is no space; NaN at the end. */
  #peek(): number {
    while (this.#text.charCodeAt(this.#at) === 0x20) this.#at++;
    return this.#text.charCodeAt(this.#at);
  }

  #take(character: number): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #string(): string {
    const start = this.#at + 1;
    let end = this.#text.indexOf('"', start);
    if (end < 0) return this.fail();
    if (this.#escapeFrom(start) > end) {
      this.#at = end + 1;
      return this.#text.slice(start, end);
    }
    for (end = this.#escape; this.#text.charCodeAt(end) !== QUOTE; end++) {
      if (end >= this.#text.length) return this.fail();
      if (this.#text.charCodeAt(end) === 0x5c) end++;
    }
    this.#at = end + 1;
    return this.#unescaped(this.#text.slice(start - 1, end + 1));
  }

  #escapeFrom(start: number): number {
    if (this.#escape < start) {
      const found = this.#text.indexOf('\\', start);
      this.#escape = found < 0 ? this.#text.length : found;
    }
    return this.#escape;
  }

  #unescaped(token: string): string {
    try {
      const value: unknown = JSON.parse(token);
      return typeof value === 'string' ? value : this.fail();
    } catch {
      return this.fail();
    }
  }

  /** A number may begin with its point: a literal `.5` keeps its text. */
  #number(): Term {
    const match = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;
    match.lastIndex = this.#at;
    const text = match.exec(this.#text)?.[0];
    if (text === undefined) return this.fail();
    this.#at += text.length;
    return { kind: 'number', text };
  }

  #array(): Term {
    this.#at++;
    const items: Term[] = [];
    if (this.#take(CLOSE_LIST)) return { kind: 'array', items };
    do items.push(this.term());
    while (this.#take(COMMA));
    return this.#take(CLOSE_LIST) ? { kind: 'array', items } : this.fail();
  }

  #braces(): Term {
    this.#at++;
    if (this.#take(CLOSE_BRACE)) return { kind: 'object', members: [] };
    const first = this.term();
    if (this.#take(COLON)) return this.#object(first);
    const items = [first];
    while (this.#take(COMMA)) items.push(this.term());
    return this.#take(CLOSE_BRACE) ? { kind: 'set', items: items.sort(compareTerms) } : this.fail();
  }

  #object(first: Term): Term {
    const members: Member[] = [[first, this.term()]];
    while (this.#take(COMMA)) {
      const key = this.term();
      if (!this.#take(COLON)) return this.fail();
      members.push([key, this.term()]);
    }
    if (!this.#take(CLOSE_BRACE)) return this.fail();
    return { kind: 'object', members: members.sort(([a], [b]) => compareTerms(a, b)) };
  }
}

const RANK = { null: 0, boolean: 1, number: 2, string: 3, array: 4, object: 5, set: 6 } as const;

/** Rego's order: null, booleans, numbers, strings (by bytes), arrays, objects, sets. @see OPA `ast.Compare` */
export function compareTerms(a: Term, b: Term): number {
  if (a.kind === 'string' && b.kind === 'string') return compareStrings(a.value, b.value);
  if (a.kind === 'number' && b.kind === 'number') return compareNumbers(a.text, b.text);
  if (a.kind === 'boolean' && b.kind === 'boolean') return Number(a.value) - Number(b.value);
  if ('items' in a && 'items' in b && a.kind === b.kind) return compareLists(a.items, b.items);
  if (a.kind === 'object' && b.kind === 'object') return compareLists(a.members.flat(), b.members.flat());
  return RANK[a.kind] - RANK[b.kind];
}

const SURROGATE = /[\ud800-\udfff]/;

/** By UTF-8 bytes; UTF-16 has the same order but for surrogates. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

const INTEGER = /^-?\d+$/;

function compareNumbers(a: string, b: string): number {
  const [left, right] = INTEGER.test(a) && INTEGER.test(b) ? [BigInt(a), BigInt(b)] : [Number(a), Number(b)];
  return left === right ? 0 : left < right ? -1 : 1;
}

function compareLists(a: readonly Term[], b: readonly Term[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    const difference = compareTerms(left, right);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
