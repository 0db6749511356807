// SPDX-License-Identifier: Apache-2.0

const DISTANCE_MAX = 2;
/** Longer words are no slip of a key. */
const WORD_MAX_CHARACTERS = 64;

/** The known word that was most likely meant: at most two letters away, or the same but for case; undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > WORD_MAX_CHARACTERS) return undefined;
  let best: string | undefined;
  // Two letters are all there is of a short word.
  let least = Math.min(DISTANCE_MAX, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const away =
      candidate.toLowerCase() === word.toLowerCase() ? 0 : distance(word, candidate, Math.max(least, 1));
    if (away >= least) continue;
    best = candidate;
    least = away;
  }
  return best;
}

/** Letters to add, take away, change or swap with the next (optimal string alignment); `limit` where there are as many or more. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? limit) + 1 : limit;
      row.push(
        Math.min((last[j] ?? limit) + 1, (row[j - 1] ?? limit) + 1, (last[j - 1] ?? limit) + cost, swapped),
      );
    }
    before = last;
    last = row;
  }
  return Math.min(last[b.length] ?? limit, limit);
}
