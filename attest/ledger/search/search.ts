// SPDX-License-Identifier: Apache-2.0
import type { Row, Rows } from '../reading/rows.ts';
import { type IndexFile, openIndexFile, TIMES } from './file.ts';
import { BLOCK, intersection, type Postings, union } from './postings.ts';
import { matches, type Query, type TermsOf, termKey } from './terms.ts';

/** One page of an answer, the newest record first. */
export interface Page {
  readonly rows: readonly Row[];
  /** Give it as `before` to go on; absent where there is no more. */
  readonly next?: number;
}

/** Finds records. The index only says where to look: what is answered are rows of the ledger that match themselves. */
export interface Search {
  /** Adds what the ledger has and the index does not; resolves with how many records that were. */
  catchUp(onProgress?: (done: number, total: number) => void): Promise<number>;
  /** A page of the records that were there at the last `catchUp`. Rejects with {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT */
  page(query: Query): Promise<Page>;
  close(): void;
}

/** What a search is over, and what its terms are. */
export interface SearchOptions {
  readonly rows: Rows;
  readonly termsOf: TermsOf;
  /** Changes whenever `termsOf` derives something else: an index of other terms is made anew. */
  readonly version: string;
  /** Where the index is kept; `:memory:` where it cannot be. */
  readonly file: string;
}

const ROWS_AT_ONCE = 512;
/** Records that are indexed in one transaction, in which other processes wait. */
const BATCH = 16_384;

/** Opens the index of a ledger. @throws whatever SQLite throws where its file cannot be made */
export async function openSearch({ rows, termsOf, version, file }: SearchOptions): Promise<Search> {
  const { origin, publicKey } = await rows.identity();
  const about = `${origin} ${Buffer.from(publicKey).toString('base64')} ${version}`;
  const index = openIndexFile(file, about);
  return {
    catchUp: (onProgress) => catchUp({ rows, index, termsOf }, onProgress),
    page: (query) => page({ rows, index, termsOf }, query),
    close: () => index.close(),
  };
}

interface Parts {
  readonly rows: Rows;
  readonly index: IndexFile;
  readonly termsOf: TermsOf;
}

async function catchUp(parts: Parts, onProgress?: (done: number, total: number) => void): Promise<number> {
  const { rows, index } = parts;
  const size = await rows.size();
  const began = index.indexed();
  for (let first = began; first < size; first = index.indexed()) {
    // Up to the end of a block, so that of the next one nothing has to be read again.
    const end = Math.min(size, first + BATCH, (Math.floor(first / BLOCK) + 1) * BLOCK);
    index.add(await batchOf(parts, first, end));
    onProgress?.(end - began, size - began);
  }
  return Math.max(0, size - began);
}

async function batchOf({ rows, termsOf }: Parts, first: number, end: number) {
  const times: (number | undefined)[] = Array.from({ length: end - first });
  const numbers = new Map<number, number[]>();
  for (let from = first; from < end; from += ROWS_AT_ONCE)
    for (const { number, payload } of await rows.entries(from, Math.min(end, from + ROWS_AT_ONCE))) {
      const { time, terms } = termsOf(payload);
      times[number - first] = time;
      for (const term of new Set(terms.map(termKey))) {
        const having = numbers.get(term);
        if (having === undefined) numbers.set(term, [number]);
        else having.push(number);
      }
    }
  return { first, times, numbers };
}

async function page({ rows, index, termsOf }: Parts, query: Query): Promise<Page> {
  const found: Row[] = [];
  const candidates = candidatesOf(index, query);
  for (;;) {
    const numbers = take(candidates, query.limit + 1 - found.length);
    if (numbers.length === 0) return { rows: found };
    const read = await readAll(rows, numbers);
    // One more than a page: whether there is a next one is told only where there is.
    for (const row of read)
      if (matches(termsOf(row.payload), query)) {
        if (found.length === query.limit) return { rows: found, next: found.at(-1)?.number ?? 0 };
        found.push(row);
      }
  }
}

function take(candidates: Iterator<number>, count: number): number[] {
  const numbers: number[] = [];
  while (numbers.length < count) {
    const { value, done } = candidates.next();
    if (done === true) break;
    numbers.push(value);
  }
  return numbers;
}

/** Neighbours are read together; a row that is gone is left out, and found by `records verify`. */
async function readAll(rows: Rows, numbers: readonly number[]): Promise<Row[]> {
  const read: Row[] = [];
  for (let at = 0; at < numbers.length; ) {
    let run = 1;
    while (numbers[at + run] === (numbers[at] ?? 0) - run) run++;
    const last = numbers[at] ?? 0;
    read.push(...[...(await rows.entries(last - run + 1, last + 1))].reverse());
    at += run;
  }
  return read;
}

/** The numbers of the records that the index knows for these terms and times, from the last down. */
function* candidatesOf(index: IndexFile, query: Query): Generator<number, void> {
  const time = timeFilter(index, query);
  const end = Math.min(query.before ?? Infinity, index.indexed(), time.end);
  for (let block = Math.floor((end - 1) / BLOCK); block >= Math.floor(time.start / BLOCK); block--)
    for (const within of inBlock(index, query, block)) {
      const number = block * BLOCK + within;
      if (number < time.start) break;
      if (number < end && time.has(number)) yield number;
    }
}

function inBlock(index: IndexFile, query: Query, block: number): Iterable<number> {
  if (query.terms.length === 0) return everyNumber();
  const lists: Postings[] = [];
  for (const any of query.terms) {
    const having = any.map((term) => index.postings(termKey(term), block)).filter((one) => one !== undefined);
    const list = union(having);
    if (list === undefined) return [];
    lists.push(list);
  }
  return intersection(lists);
}

function* everyNumber(): Iterable<number> {
  for (let number = BLOCK - 1; number >= 0; number--) yield number;
}

/** Which numbers may have the asked time: those from `start` to before `end` of which `has` is true. */
interface TimeFilter {
  readonly start: number;
  readonly end: number;
  readonly has: (number: number) => boolean;
}

/** Whole rows of times are left out by what they begin and end with. */
function timeFilter(index: IndexFile, query: Query): TimeFilter {
  const { from = -Infinity, to = Infinity } = query;
  if (query.from === undefined && query.to === undefined) return { start: 0, end: Infinity, has: () => true };
  const blocks = index.timesWithin(query);
  const possible = new Set(blocks);
  let open: { readonly block: number; readonly times: Float64Array } | undefined;
  const has = (number: number): boolean => {
    const block = Math.floor(number / TIMES);
    if (!possible.has(block)) return false;
    if (open?.block !== block) open = { block, times: index.times(block) };
    const time = open.times[number % TIMES] ?? Number.NaN;
    return time >= from && time <= to;
  };
  return { start: (blocks.at(-1) ?? 0) * TIMES, end: ((blocks[0] ?? -1) + 1) * TIMES, has };
}
