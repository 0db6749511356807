// SPDX-License-Identifier: Apache-2.0
import { compareTerms, type Member, readTerm, type Term } from '../../term.ts';

/** More comparisons than this are left to OPA, which has a bound of its own. */
const MAX_COMPARISONS = 1_000_000;

/** @see OPA `builtinObjectSubset` */
export function objectSubset(parameters: readonly string[]): string | undefined {
  const [upper, lower] = parameters.map(readTerm);
  if (upper === undefined || lower === undefined || !isOrdinary(upper) || !isOrdinary(lower))
    return undefined;
  if ((parameters[0]?.length ?? 0) * (parameters[1]?.length ?? 0) > MAX_COMPARISONS) return undefined;
  const found =
    upper.kind === 'array' && lower.kind === 'set' ? holdsAll(upper.items, lower.items) : holds(upper, lower);
  return found === undefined ? undefined : String(found);
}

/** Numbers that are compared by their text. */
function isOrdinary(term: Term): boolean {
  if (term.kind === 'number') return /^(?:0|-?[1-9]\d{0,14})$/.test(term.text);
  if ('items' in term) return term.items.every(isOrdinary);
  return term.kind !== 'object' || term.members.every((member) => member.every(isOrdinary));
}

const isEqual = (a: Term, b: Term): boolean => compareTerms(a, b) === 0;

/** Undefined for two values that have no subsets of each other. */
function holds(upper: Term, lower: Term): boolean | undefined {
  if (upper.kind === 'object' && lower.kind === 'object') return holdsMembers(upper.members, lower.members);
  if (upper.kind === 'set' && lower.kind === 'set')
    return lower.items.every((item) => upper.items.some((other) => isEqual(other, item)));
  if (upper.kind === 'array' && lower.kind === 'array') return holdsRun(upper.items, lower.items);
  return undefined;
}

function holdsMembers(upper: readonly Member[], lower: readonly Member[]): boolean {
  return lower.every(([key, value]) => {
    const found = upper.find(([other]) => isEqual(other, key))?.[1];
    return found !== undefined && (isEqual(found, value) || holds(found, value) === true);
  });
}

/** The items of one in the other, one after the other. */
function holdsRun(upper: readonly Term[], lower: readonly Term[]): boolean {
  return Array.from({ length: upper.length - lower.length + 1 }).some((_, start) =>
    lower.every((item, index) => {
      const found = upper[start + index];
      return found !== undefined && isEqual(found, item);
    }),
  );
}

/** As OPA counts, where an item that is twice in the array stands for two of the set. */
function holdsAll(upper: readonly Term[], lower: readonly Term[]): boolean {
  let missing = lower.length;
  return upper.some((item) => {
    if (lower.some((other) => isEqual(other, item))) missing--;
    return missing === 0;
  });
}
