// SPDX-License-Identifier: Apache-2.0
import type { Walk } from './walk.ts';

/** What became of a row since the log added it. `index` is its place in the log, or that of the row which was never added. */
export interface RowFault {
  readonly index: number;
  readonly what: 'changed' | 'deleted' | 'inserted' | 'reordered';
}

/** Says which rows are not those that the log added, given the leaves that it is proved to have added. */
export function alignRows({ numbers, rows, stored }: Walk, size: number): readonly RowFault[] {
  if (isSame({ numbers, rows, stored }, size)) return [];
  const waiting = placesOf(stored, size);
  // Where each row stood when it was added; a leaf that was added twice is taken in turn.
  const placed = numbers.map((number, at) => {
    const leaf = rows.at(at)?.toString('latin1') ?? '';
    const places = waiting.get(leaf) ?? [];
    const own = places.indexOf(number);
    return places.splice(Math.max(0, own), 1)[0];
  });
  const gone = new Set([...waiting.values()].flat());
  const inOrder = longestAscent(placed);
  const faults = placed.flatMap((place, at): RowFault[] => {
    const number = numbers[at] ?? 0;
    if (place !== undefined) return inOrder.has(at) ? [] : [{ index: place, what: 'reordered' }];
    // A row of its own number that is not what was added there was changed; one more than was added, inserted.
    if (gone.delete(number)) return [{ index: number, what: 'changed' }];
    return [{ index: number, what: 'inserted' }];
  });
  return [...faults, ...[...gone].map((index): RowFault => ({ index, what: 'deleted' }))].sort(
    (a, b) => a.index - b.index,
  );
}

function isSame({ numbers, rows, stored }: Pick<Walk, 'numbers' | 'rows' | 'stored'>, size: number): boolean {
  if (numbers.length !== size) return false;
  return numbers.every((number, at) => number === at && same(rows.at(at), stored.at(at)));
}

const same = (a: Buffer | undefined, b: Buffer | undefined): boolean =>
  a !== undefined && b !== undefined && a.equals(b);

function placesOf(stored: Walk['stored'], size: number): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (let index = 0; index < size; index++) {
    const leaf = stored.at(index)?.toString('latin1') ?? `none ${index}`;
    const there = places.get(leaf);
    if (there === undefined) places.set(leaf, [index]);
    else there.push(index);
  }
  return places;
}

/** The positions of one longest subsequence that ascends: what stands beside it was moved (patience sorting). */
function longestAscent(values: readonly (number | undefined)[]): ReadonlySet<number> {
  const ends: number[] = [];
  const before = new Map<number, number | undefined>();
  const valueAt = (at: number | undefined): number => (at === undefined ? -1 : (values[at] ?? -1));
  for (const [at, value] of values.entries()) {
    if (value === undefined) continue;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (valueAt(ends[middle]) < value) low = middle + 1;
      else high = middle;
    }
    before.set(at, ends[low - 1]);
    ends[low] = at;
  }
  const found = new Set<number>();
  for (let at = ends.at(-1); at !== undefined; at = before.get(at)) found.add(at);
  return found;
}
