// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';

/**
 * A Rego value in JavaScript. Sets are arrays in Rego's order; integers beyond 2^53 are bigints; objects have no prototype, and one
 * with a key that is no string is a Map.
 */
export type RegoValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly RegoValue[]
  | RegoObject
  | ReadonlyMap<RegoValue, RegoValue>;

export interface RegoObject {
  readonly [key: string]: RegoValue;
}

/** An object whose keys are all strings. */
export function isRegoObject(value: RegoValue | undefined): value is RegoObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}

const WORDS: readonly (readonly [string, RegoValue])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['set()', []],
];

/**
 * Reads the text that `opa_value_dump` writes: JSON with sets `{1, 2}`, `set()` and keys of any type.
 * @throws {EngineError} POLICY_RESULT for anything else
 */
export function parseValue(text: string): RegoValue {
  const reader = new ValueReader(text);
  const value = reader.value();
  return reader.isDone() ? value : reader.fail();
}

class ValueReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isDone(): boolean {
    this.#space();
    return this.#at === this.#text.length;
  }

  fail(): never {
    throw new EngineError('POLICY_RESULT', `the policy's result is unreadable at character ${this.#at}`);
  }

  value(): RegoValue {
    this.#space();
    const first = this.#text[this.#at];
    if (first === '"') return this.#string();
    if (first === '[') return this.#array();
    if (first === '{') return this.#collection();
    const word = WORDS.find(([name]) => this.#text.startsWith(name, this.#at));
    if (word === undefined) return this.#number();
    this.#at += word[0].length;
    return word[1];
  }

  #space(): void {
    while (' \n\t\r'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #string(): string {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    const token = this.#text.slice(this.#at, end + 1);
    this.#at = end + 1;
    try {
      const value: unknown = JSON.parse(token);
      return typeof value === 'string' ? value : this.fail();
    } catch {
      return this.fail();
    }
  }

  #number(): number | bigint {
    const match = /-?\.?\d[\d.eE+-]*/y;
    match.lastIndex = this.#at;
    const token = match.exec(this.#text)?.[0];
    if (token === undefined) return this.fail();
    this.#at += token.length;
    const value = Number(token);
    return Number.isSafeInteger(value) || !/^-?\d+$/.test(token) ? value : BigInt(token);
  }

  #array(): readonly RegoValue[] {
    this.#at++;
    const items: RegoValue[] = [];
    if (this.#take(']')) return items;
    do items.push(this.value());
    while (this.#take(','));
    return this.#take(']') ? items : this.fail();
  }

  #collection(): RegoValue {
    this.#at++;
    if (this.#take('}')) return Object.create(null);
    const first = this.value();
    return this.#take(':') ? this.#object(first) : this.#set(first);
  }

  #set(first: RegoValue): readonly RegoValue[] {
    const items = [first];
    while (this.#take(',')) items.push(this.value());
    return this.#take('}') ? items.sort(compareValues) : this.fail();
  }

  #object(first: RegoValue): RegoValue {
    const members: (readonly [RegoValue, RegoValue])[] = [[first, this.value()]];
    while (this.#take(',')) {
      const key = this.value();
      if (!this.#take(':')) return this.fail();
      members.push([key, this.value()]);
    }
    if (!this.#take('}')) return this.fail();
    if (members.some(([key]) => typeof key !== 'string')) return new Map(members);
    const object: Record<string, RegoValue> = Object.create(null);
    for (const [key, value] of members) object[String(key)] = value;
    return object;
  }
}

function rank(value: RegoValue): number {
  if (value === null) return 0;
  const order = ['boolean', 'number', 'string'];
  const simple = order.indexOf(typeof value === 'bigint' ? 'number' : typeof value);
  return simple >= 0 ? simple + 1 : Array.isArray(value) ? 4 : 5;
}

/** Rego's order: null, booleans, numbers, strings (bytewise), arrays, objects. @see OPA `ast.Compare` */
export function compareValues(a: RegoValue, b: RegoValue): number {
  const difference = rank(a) - rank(b);
  if (difference !== 0) return difference;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b);
  if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null)
    return compareLists(membersOf(a), membersOf(b));
  if (a === b || a === null || b === null) return 0;
  return a < b ? -1 : 1;
}

function compareLists(a: readonly RegoValue[], b: readonly RegoValue[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = compareValues(a[index] ?? null, b[index] ?? null);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Members as one list, keys in order, for comparing. */
function membersOf(value: object): readonly RegoValue[] {
  const members: [RegoValue, RegoValue][] = value instanceof Map ? [...value] : Object.entries(value);
  return members.sort(([a], [b]) => compareValues(a, b)).flat();
}
