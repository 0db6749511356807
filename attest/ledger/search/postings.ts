// SPDX-License-Identifier: Apache-2.0
// Which of 65,536 numbers have a term: a sorted list of 16-bit numbers where they are few, else one bit each (as Roaring does it).

/** How many records one block covers. */
export const BLOCK = 65_536;
const BITMAP_BYTES = BLOCK / 8;
/** From here on a list would be as long as a bitmap; so their lengths tell them apart. */
const MOST_LISTED = BITMAP_BYTES / 2 - 1;

/** Numbers below 65,536, packed. */
export type Postings = Uint8Array;

/** Packs numbers below 65,536, in ascending order and each once. */
export function pack(numbers: readonly number[]): Postings {
  if (numbers.length > MOST_LISTED) {
    const bits = new Uint8Array(BITMAP_BYTES);
    for (const number of numbers) set(bits, number);
    return bits;
  }
  const list = Buffer.alloc(numbers.length * 2);
  for (const [at, number] of numbers.entries()) list.writeUInt16LE(number, at * 2);
  return list;
}

/** Adds numbers that are all greater than those that are there. */
export function extend(postings: Postings, numbers: readonly number[]): Postings {
  if (postings.length < BITMAP_BYTES && postings.length / 2 + numbers.length <= MOST_LISTED)
    return Buffer.concat([postings, pack(numbers)]);
  const bits = bitsOf(postings);
  for (const number of numbers) set(bits, number);
  return bits;
}

/** The numbers that any of these has. */
export function union(all: readonly Postings[]): Postings | undefined {
  const [first, ...more] = all;
  if (first === undefined || more.length === 0) return first;
  const bits = bitsOf(first);
  for (const postings of more) for (const number of numbersOf(postings)) set(bits, number);
  return bits;
}

/** The numbers that all of these have, from the greatest down. */
export function* intersection(all: readonly Postings[]): Iterable<number> {
  const [shortest, ...more] = [...all].sort((a, b) => a.length - b.length);
  if (shortest === undefined) return;
  for (const number of numbersOf(shortest)) if (more.every((postings) => has(postings, number))) yield number;
}

const isBitmap = (postings: Postings): boolean => postings.length === BITMAP_BYTES;
const listed = (list: Postings, at: number): number => (list[2 * at] ?? 0) | ((list[2 * at + 1] ?? 0) << 8);
const bitAt = (bits: Postings, number: number): boolean =>
  ((bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;

function set(bits: Uint8Array, number: number): void {
  bits[number >> 3] = (bits[number >> 3] ?? 0) | (1 << (number & 7));
}

function bitsOf(postings: Postings): Uint8Array {
  if (isBitmap(postings)) return Uint8Array.from(postings);
  const bits = new Uint8Array(BITMAP_BYTES);
  for (const number of numbersOf(postings)) set(bits, number);
  return bits;
}

function* numbersOf(postings: Postings): Iterable<number> {
  if (!isBitmap(postings)) {
    for (let at = postings.length / 2 - 1; at >= 0; at--) yield listed(postings, at);
    return;
  }
  for (let byte = BITMAP_BYTES - 1; byte >= 0; byte--)
    if (postings[byte] !== 0)
      for (let number = byte * 8 + 7; number >= byte * 8; number--) if (bitAt(postings, number)) yield number;
}

function has(postings: Postings, number: number): boolean {
  if (isBitmap(postings)) return bitAt(postings, number);
  let [low, high] = [0, postings.length / 2 - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = listed(postings, middle);
    if (found === number) return true;
    if (found < number) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}
