// SPDX-License-Identifier: Apache-2.0

/** One character, any number of them, or one of several patterns. */
type Part = ((character: string) => boolean) | 'star' | { readonly any: readonly Glob[] };
export type Glob = readonly Part[];

const STOPS: readonly string[] = ['?', '*', '[', '{'];
const STOPS_INSIDE: readonly string[] = [...STOPS, '}', ','];

/**
 * Reads a pattern as OPA's library for globs (gobwas/glob 1.0) does where no separators are named: `*` and `**` are any characters, `?`
 * is one, `[abc]`, `[a-c]` and `[!…]` are one of a class, `{a,b}` either, and a backslash takes the next character as it is.
 * @throws {SyntaxError} for what that library refuses
 */
export function parseGlob(pattern: string): Glob {
  const reader = new GlobReader(pattern);
  return reader.sequence(false);
}

/** Characters that make a pattern more than a name. */
export const isPattern = (text: string): boolean => /[*?\\[\]{}]/.test(text);

/** A name as a pattern that only it matches. */
export const literal = (name: string): string => name.replace(/[*?\\[\]{}]/g, '\\$&');

/** Whether the whole text matches; its cost is that of the pattern's length times the text's, whatever the pattern. */
export function matches(glob: Glob, text: string): boolean {
  const characters = [...text];
  return ends(glob, characters, new Set([0])).has(characters.length);
}

/** Where a match that begins at one of these places can end. */
function ends(glob: Glob, text: readonly string[], starts: ReadonlySet<number>): ReadonlySet<number> {
  let places = starts;
  for (const part of glob) {
    if (places.size === 0) return places;
    places = after(part, text, places);
  }
  return places;
}

function after(part: Part, text: readonly string[], places: ReadonlySet<number>): ReadonlySet<number> {
  if (part === 'star') {
    const first = Math.min(...places);
    return new Set(Array.from({ length: text.length - first + 1 }, (_, index) => first + index));
  }
  if (typeof part === 'object') return new Set(part.any.flatMap((each) => [...ends(each, text, places)]));
  return new Set([...places].flatMap((at) => (isOne(part, text[at]) ? [at + 1] : [])));
}

const isOne = (part: (character: string) => boolean, character: string | undefined): boolean =>
  character !== undefined && part(character);

class GlobReader {
  readonly #text: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#text = [...pattern];
  }

  /** Up to the end, or inside of braces up to what ends an alternative, which stays. */
  sequence(isInside: boolean): Glob {
    const parts: Part[] = [];
    const stops = isInside ? STOPS_INSIDE : STOPS;
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined) {
        if (isInside) throw new SyntaxError('unclosed "{"');
        return parts;
      }
      if (isInside && (next === ',' || next === '}')) return parts;
      if (stops.includes(next)) parts.push(this.#special(next));
      else parts.push(this.#literal());
    }
  }

  #special(sign: string): Part {
    this.#at++;
    if (sign === '*') return 'star';
    if (sign === '?') return () => true;
    return sign === '[' ? this.#class() : this.#alternatives();
  }

  #alternatives(): Part {
    const any: Glob[] = [];
    do any.push(this.sequence(true));
    while (this.#text[this.#at++] === ',');
    return { any };
  }

  #literal(): Part {
    const wanted = this.#escaped();
    return (character) => character === wanted;
  }

  #escaped(): string {
    if (this.#text[this.#at] === '\\') this.#at++;
    return this.#take('a backslash at the end');
  }

  #take(fault: string): string {
    const character = this.#text[this.#at++];
    if (character === undefined) throw new SyntaxError(fault);
    return character;
  }

  #class(): Part {
    const isNot = this.#text[this.#at] === '!';
    if (isNot) this.#at++;
    const isRange = this.#text[this.#at + 1] === '-';
    const holds = isRange ? this.#range() : this.#list();
    if (this.#take('unclosed "["') !== ']') throw new SyntaxError('a range is one character to another');
    return (character) => holds(character) !== isNot;
  }

  /** Both ends as they are: a backslash is a character here. */
  #range(): (character: string) => boolean {
    const low = codeOf(this.#take('unclosed "["'));
    this.#at++;
    const high = codeOf(this.#take('unclosed "["'));
    if (high < low) throw new SyntaxError('a range ends before it begins');
    return (character) => low <= codeOf(character) && codeOf(character) <= high;
  }

  #list(): (character: string) => boolean {
    const listed = new Set<string>();
    while (this.#at < this.#text.length && this.#text[this.#at] !== ']') listed.add(this.#escaped());
    if (listed.size === 0) throw new SyntaxError('an empty class');
    return (character) => listed.has(character);
  }
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;
