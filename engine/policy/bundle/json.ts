// SPDX-License-Identifier: Apache-2.0

/** JSON as written: numbers keep their text, members their order; no key stands twice. */
export type ExactJson = null | boolean | string | ExactNumber | readonly ExactJson[] | ExactObject;
export type ExactObject = ReadonlyMap<string, ExactJson>;

/** A number by its text: OPA signs `1.0` and `1` as different. */
export interface ExactNumber {
  readonly number: string;
}

const MAX_DEPTH = 128;
const SPACES = /[ \t\n\r]*/y;
const TOKEN = /([{}[\],:])|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)|(true|false|null)/y;
const BACKSLASH = 0x5c;
const QUOTE = 0x22;

/**
 * Reads JSON text exactly.
 * @throws {SyntaxError} with what is wrong and at which character, also for a key that stands twice and for more than 128 levels
 */
export function parseExact(text: string): ExactJson {
  const reader = new ExactReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

interface Token {
  readonly text: string;
  readonly kind: 'mark' | 'string' | 'number' | 'word';
}

class ExactReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    if (/^[ \t\n\r]*$/.test(this.#text.slice(this.#at))) return;
    this.#fail('text follows the value');
  }

  value(depth: number): ExactJson {
    if (depth > MAX_DEPTH) this.#fail(`it has more than ${MAX_DEPTH} levels`);
    const token = this.#next();
    if (token.kind === 'string') return this.#string(token.text);
    if (token.kind === 'number') return { number: token.text };
    if (token.kind === 'word') return token.text === 'null' ? null : token.text === 'true';
    if (token.text === '[') return this.#array(depth);
    return token.text === '{' ? this.#object(depth) : this.#fail(`${JSON.stringify(token.text)} is no value`);
  }

  #array(depth: number): ExactJson {
    const items: ExactJson[] = [];
    if (this.#isNext(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.#mark(',', ']'));
    return items;
  }

  #object(depth: number): ExactJson {
    const members = new Map<string, ExactJson>();
    if (this.#isNext('}')) return members;
    do {
      const token = this.#next();
      if (token.kind !== 'string') this.#fail('a key is no string');
      const key = this.#string(token.text);
      if (members.has(key)) this.#fail(`the key ${JSON.stringify(key)} stands twice`);
      if (this.#next().text !== ':') this.#fail('a colon is missing');
      members.set(key, this.value(depth + 1));
    } while (this.#mark(',', '}'));
    return members;
  }

  /** Takes one of two marks; whether it was the first. */
  #mark(more: string, end: string): boolean {
    const { text, kind } = this.#next();
    if (kind !== 'mark' || (text !== more && text !== end)) this.#fail(`${JSON.stringify(end)} is missing`);
    return text === more;
  }

  #isNext(mark: string): boolean {
    const before = this.#at;
    if (this.#next().text === mark) return true;
    this.#at = before;
    return false;
  }

  #next(): Token {
    SPACES.lastIndex = this.#at;
    SPACES.exec(this.#text);
    const start = SPACES.lastIndex;
    if (this.#text.charCodeAt(start) === QUOTE) {
      this.#at = this.#endOfString(start + 1);
      return { text: this.#text.slice(start, this.#at), kind: 'string' };
    }
    TOKEN.lastIndex = start;
    const [, mark, number, word] = TOKEN.exec(this.#text) ?? this.#fail('it is no JSON');
    this.#at = TOKEN.lastIndex;
    if (mark !== undefined) return { text: mark, kind: 'mark' };
    return number === undefined ? { text: word ?? '', kind: 'word' } : { text: number, kind: 'number' };
  }

  #endOfString(from: number): number {
    let at = from;
    for (; this.#text.charCodeAt(at) !== QUOTE; at++) {
      if (at >= this.#text.length) this.#fail('a string has no end');
      if (this.#text.charCodeAt(at) === BACKSLASH) at++;
    }
    return at + 1;
  }

  #string(token: string): string {
    let value: unknown;
    try {
      value = JSON.parse(token);
    } catch {
      // A character or an escape that no string may hold.
    }
    return typeof value === 'string' && value.isWellFormed() ? value : this.#fail('a string is malformed');
  }

  #fail(why: string): never {
    throw new SyntaxError(`${why} (at character ${this.#at})`);
  }
}

export const isExactObject = (value: ExactJson | undefined): value is ExactObject => value instanceof Map;

const isNumber = (value: ExactJson): value is ExactNumber =>
  typeof value === 'object' && value !== null && 'number' in value;

/**
 * The text that OPA hashes of a structured file: no white space, keys by bytes, strings as Go's encoder writes them, numbers as
 * they stand. @see https://www.openpolicyagent.org/docs/management-bundles#signature-format
 */
export function hashedText(value: ExactJson): string {
  if (isExactObject(value)) {
    const members = [...value].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `{${members.map(([key, item]) => `${goString(key)}:${hashedText(item)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(hashedText).join(',')}]`;
  if (typeof value === 'string') return goString(value);
  return value !== null && typeof value === 'object' && isNumber(value) ? value.number : String(value);
}

/** Go's encoder escapes the two line separators that JavaScript does not. */
const goString = (text: string): string =>
  JSON.stringify(text).replace(/[\u2028\u2029]/g, (mark) => (mark === '\u2028' ? '\\u2028' : '\\u2029'));

/** As a JavaScript value that `JSON.stringify` writes back exactly: a number that a double would change is raw text. */
export function plainValue(value: ExactJson): unknown {
  if (isExactObject(value))
    return Object.fromEntries([...value].map(([key, item]) => [key, plainValue(item)] as const));
  if (Array.isArray(value)) return value.map(plainValue);
  if (value === null || typeof value !== 'object' || !isNumber(value)) return value;
  const number = Number(value.number);
  return String(number) === value.number ? number : JSON.rawJSON(value.number);
}
