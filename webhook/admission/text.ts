// SPDX-License-Identifier: Apache-2.0

// Control characters (the API server drops a warning that has one), line and paragraph separators, and the marks that
// turn the direction of text, and lone surrogates: with them a value of an object could write lines of its own or disguise ours.
const UNSAFE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** Foreign text as one harmless line of well-formed Unicode. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE, ' ').trim();
}

/** Cuts to at most `maxCharacters` code points, never through one; what was cut ends in an ellipsis. */
export function cut(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const characters = Array.from(text);
  if (characters.length <= maxCharacters) return text;
  return `${characters.slice(0, maxCharacters - 1).join('')}…`;
}
