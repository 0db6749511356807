// SPDX-License-Identifier: Apache-2.0
import { compareValues, parseValue, type RegoValue } from './value.ts';

/** One value of a text, with the text that OPA prints for it (`ast.Term.String`). */
export interface Printed {
  readonly kind: 'string' | 'number' | 'other';
  readonly value: RegoValue;
  readonly text: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};
/** What Go's `strconv.Quote` escapes: everything but printable characters and the space. */
const UNPRINTABLE = /["\\]|(?! )[\p{C}\p{Z}]/gu;

/** A string as Go quotes it. */
export function goQuote(text: string): string {
  return `"${text.replace(UNPRINTABLE, (character) => ESCAPES[character] ?? goEscape(character.codePointAt(0) ?? 0))}"`;
}

function goEscape(code: number): string {
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** Reads the text of an array (as `opa_value_dump` writes it) into its items, each with what OPA prints for it. */
export function printItems(text: string): readonly Printed[] {
  const reader = new Printer(text);
  return reader.list(']');
}

class Printer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The items of the collection that begins here. */
  list(close: string): Printed[] {
    this.#at++;
    const items: Printed[] = [];
    while (this.#peek() !== close) {
      items.push(this.#value());
      if (this.#peek() === ',') this.#at++;
    }
    this.#at++;
    return items;
  }

  #peek(): string {
    while (this.#text[this.#at] === ' ') this.#at++;
    const found = this.#text[this.#at];
    if (found === undefined) throw new RangeError('unreadable value');
    return found;
  }

  #value(): Printed {
    const first = this.#peek();
    if (first === '[')
      return compose(
        `[${this.list(']')
          .map(({ text }) => text)
          .join(', ')}]`,
      );
    if (first === '{') return this.#collection();
    return first === '"' ? this.#string() : this.#word();
  }

  #string(): Printed {
    const start = this.#at++;
    while (this.#peekRaw() !== '"') this.#at += this.#peekRaw() === '\\' ? 2 : 1;
    this.#at++;
    const value = parseValue(this.#text.slice(start, this.#at));
    return { kind: 'string', value, text: goQuote(String(value)) };
  }

  #peekRaw(): string {
    const found = this.#text[this.#at];
    if (found === undefined) throw new RangeError('unreadable value');
    return found;
  }

  #word(): Printed {
    const match = /[^,\]}: ]+/y;
    match.lastIndex = this.#at;
    const text = match.exec(this.#text)?.[0] ?? '';
    this.#at += text.length;
    return { kind: /^[-.\d]/.test(text) ? 'number' : 'other', value: parseValue(text), text };
  }

  /** A set or an object, in Rego's order. */
  #collection(): Printed {
    this.#at++;
    const members: { key: Printed; value?: Printed }[] = [];
    while (this.#peek() !== '}') {
      const key = this.#value();
      if (this.#peek() === ':') {
        this.#at++;
        members.push({ key, value: this.#value() });
      } else members.push({ key });
      if (this.#peek() === ',') this.#at++;
    }
    this.#at++;
    members.sort((a, b) => compareValues(a.key.value, b.key.value));
    return compose(
      `{${members.map(({ key, value }) => (value === undefined ? key.text : `${key.text}: ${value.text}`)).join(', ')}}`,
    );
  }
}

/** Composites compare by their text here: only their order inside sets of composites depends on it. */
const compose = (text: string): Printed => ({ kind: 'other', value: text, text });
