// SPDX-License-Identifier: Apache-2.0

/** One step of a pattern: any run of characters, or whether one character fits. */
type Term = '*' | ((character: string) => boolean);

/** Says of a name whether a pattern matches all of it. */
export type Glob = (name: string) => boolean;

/** Whether a text is a pattern rather than a name, as Conftest tells them apart. */
export const isGlob = (text: string): boolean => /[*?[]/.test(text);

/**
 * A pattern as Go's `path.Match` has it, which is how Conftest reads `--namespace`: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a
 * character. A `.` is a character as any other; a `/` is matched by itself and by classes alone. Undefined for a malformed pattern.
 * Steps back to the last `*` alone, so a pattern takes no more than its length times the name's.
 * @see https://pkg.go.dev/path#Match
 */
export function parseGlob(pattern: string): Glob | undefined {
  const terms: Term[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; ) {
    const read = termAt(characters, at);
    if (read === undefined) return undefined;
    terms.push(read.term);
    at = read.next;
  }
  return (name) => matches(terms, [...name]);
}

interface Read<T> {
  readonly term: T;
  readonly next: number;
}

function termAt(pattern: readonly string[], at: number): Read<Term> | undefined {
  const character = pattern[at] ?? '';
  if (character === '*') return { term: '*', next: at + 1 };
  if (character === '?') return { term: (one) => one !== '/', next: at + 1 };
  if (character === '[') return classAt(pattern, at + 1);
  const isEscape = character === '\\';
  const literal = isEscape ? pattern[at + 1] : character;
  if (literal === undefined) return undefined;
  return { term: (one) => one === literal, next: at + (isEscape ? 2 : 1) };
}

/** What stands between brackets: at least one character or range, and a `]` at the end. */
function classAt(pattern: readonly string[], start: number): Read<Term> | undefined {
  const isNegated = pattern[start] === '^';
  const ranges: (readonly [low: number, high: number])[] = [];
  let at = isNegated ? start + 1 : start;
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = boundAt(pattern, at);
    if (low === undefined) return undefined;
    const high = pattern[low.next] === '-' ? boundAt(pattern, low.next + 1) : low;
    if (high === undefined) return undefined;
    ranges.push([low.term, high.term]);
    at = high.next;
  }
  const isIn = (one: number): boolean => ranges.some(([low, high]) => low <= one && one <= high);
  return { term: (one) => isIn(one.codePointAt(0) ?? 0) !== isNegated, next: at + 1 };
}

/** One end of a range; the pattern must go on after it. */
function boundAt(pattern: readonly string[], at: number): Read<number> | undefined {
  const character = pattern[at];
  if (character === undefined || character === '-' || character === ']') return undefined;
  const isEscape = character === '\\';
  const bound = isEscape ? pattern[at + 1] : character;
  const next = at + (isEscape ? 2 : 1);
  return bound === undefined || next >= pattern.length
    ? undefined
    : { term: bound.codePointAt(0) ?? 0, next };
}

function matches(terms: readonly Term[], name: readonly string[]): boolean {
  let [term, at] = [0, 0];
  let back: { term: number; at: number } | undefined;
  while (at < name.length || term < terms.length) {
    const wanted = terms[term];
    const one = name[at];
    if (wanted === '*') {
      back = { term, at };
      term += 1;
    } else if (wanted !== undefined && one !== undefined && wanted(one)) {
      term += 1;
      at += 1;
    } else {
      // The last `*` takes one character more, which may be no `/`.
      const taken = back === undefined ? undefined : name[back.at];
      if (back === undefined || taken === undefined || taken === '/') return false;
      back.at += 1;
      ({ term, at } = { term: back.term + 1, at: back.at });
    }
  }
  return true;
}
