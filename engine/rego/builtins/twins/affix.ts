// SPDX-License-Identifier: Apache-2.0
import { readTerm } from '../../term.ts';

/** More comparisons than this are left to OPA, which has a bound of its own. */
const MAX_COMPARISONS = 1_000_000;

type Match = (text: string, affix: string) => boolean;

/** @see OPA `builtinAnyPrefixMatch` */
export const anyPrefixMatch = (parameters: readonly string[]): string | undefined =>
  anyMatch(parameters, (text, prefix) => text.startsWith(prefix));

/** @see OPA `builtinAnySuffixMatch` */
export const anySuffixMatch = (parameters: readonly string[]): string | undefined =>
  anyMatch(parameters, (text, suffix) => text.endsWith(suffix));

function anyMatch(parameters: readonly string[], match: Match): string | undefined {
  const [texts, affixes] = parameters.map(stringsOf);
  if (texts === undefined || affixes === undefined) return undefined;
  if (texts.length * affixes.length > MAX_COMPARISONS) return undefined;
  return String(texts.some((text) => affixes.some((affix) => match(text, affix))));
}

/** A string, or an array or set of strings. */
function stringsOf(parameter: string): readonly string[] | undefined {
  const term = readTerm(parameter);
  if (term.kind === 'string') return [term.value];
  if (term.kind !== 'array' && term.kind !== 'set') return undefined;
  const strings = term.items.flatMap((item) => (item.kind === 'string' ? [item.value] : []));
  return strings.length === term.items.length ? strings : undefined;
}
