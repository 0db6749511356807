// SPDX-License-Identifier: Apache-2.0
// What is found is what a walk over all records would find; the index is no more than a way to it.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openFileRows, openSearch, type Rows, type Search } from '../../../../attest/index.ts';
import { matches, type Query, type Terms } from '../../../../attest/ledger/search/index.ts';
import { appendTo, newSigner, open, statementBytes, temporaryFolders } from '../../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const signer = newSigner();

/** Statements of these tests say what they are found by. */
function termsOf(payload: Uint8Array): Terms {
  const { predicate } = JSON.parse(Buffer.from(payload).toString());
  const terms = Object.entries(predicate.is).map(([name, value]) => ({ name, value: String(value) }));
  return { time: predicate.time, terms };
}
const said = (number: number) => ({
  is: { verdict: number % 3 === 0 ? 'deny' : 'allow', app: `app-${number % 7}`, number },
  ...(number % 11 === 0 ? {} : { time: 1_000 * number + (number % 5) * 3_000 }),
});

async function ledgerOf(count: number): Promise<string> {
  const directory = folders.make();
  const ledger = open(directory);
  await Promise.all(
    Array.from({ length: count }, (_, number) =>
      appendTo(ledger, signer, statementBytes({ predicate: said(number) })),
    ),
  );
  await ledger.close();
  return directory;
}

/** Statements that only the test sees: many records without a ledger of many records. */
function rowsOf(count: number): Rows {
  const row = (number: number) => ({
    number,
    payloadType: 'x',
    payload: statementBytes({ predicate: said(number) }),
    signature: Buffer.alloc(1),
    publicKey: Buffer.alloc(1),
  });
  const none = async (): Promise<never> => {
    throw new Error('not asked for');
  };
  return {
    identity: async () => ({ origin: 'test', created: '', publicKey: Buffer.alloc(1) }),
    size: async () => count,
    entries: async (from, to) =>
      Array.from({ length: Math.max(0, Math.min(to, count) - from) }, (_, at) => row(from + at)),
    nodes: none,
    lastCheckpoint: none,
    checkpointOver: none,
    checkpointsAfter: none,
    close: async () => undefined,
  };
}

const openOver = (rows: Rows, file = ':memory:', version = '1'): Promise<Search> =>
  openSearch({ rows, termsOf, version, file });

async function numbersOf(search: Search, query: Omit<Query, 'limit'>, limit = 7): Promise<number[]> {
  const numbers: number[] = [];
  for (let before = query.before; ; ) {
    const page = await search.page({ ...query, limit, ...(before === undefined ? {} : { before }) });
    expect(page.rows.length).toBeLessThanOrEqual(limit);
    numbers.push(...page.rows.map(({ number }) => number));
    if (page.next === undefined) return numbers;
    expect(page.rows).toHaveLength(limit);
    before = page.next;
  }
}

describe('a search', () => {
  const COUNT = 2_500;
  const rows = rowsOf(COUNT);
  const walk = (query: Omit<Query, 'limit'>): number[] =>
    Array.from({ length: COUNT }, (_, number) => number)
      .filter((number) => number < (query.before ?? Infinity))
      .filter((number) =>
        matches(termsOf(statementBytes({ predicate: said(number) })), { ...query, limit: 1 }),
      )
      .reverse();

  it('finds, page by page, what a walk finds, the newest first (property)', async () => {
    const search = await openOver(rows);
    expect(await search.catchUp()).toBe(COUNT);
    const term = fc.oneof(
      fc.constantFrom('allow', 'deny', 'neither').map((value) => ({ name: 'verdict', value })),
      fc.nat(8).map((number) => ({ name: 'app', value: `app-${number}` })),
      fc.nat(COUNT).map((number) => ({ name: 'number', value: String(number) })),
    );
    const time = fc.option(fc.nat(1_000 * COUNT), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(term, { minLength: 1, maxLength: 2 }), { maxLength: 3 }),
        time,
        time,
        fc.option(fc.nat(COUNT + 9), { nil: undefined }),
        async (terms, from, to, before) => {
          const query = {
            terms,
            ...(from === undefined ? {} : { from }),
            ...(to === undefined ? {} : { to }),
            ...(before === undefined ? {} : { before }),
          };
          expect(await numbersOf(search, query, 300)).toEqual(walk(query));
        },
      ),
      { numRuns: 60 },
    );
    search.close();
  });

  it('asks nothing of a second process but what is new', async () => {
    const file = join(folders.make(), 'index.sqlite3');
    const first = await openOver(rowsOf(100), file);
    expect(await first.catchUp()).toBe(100);
    first.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = await openOver(rowsOf(130), file);
    expect(await second.catchUp()).toBe(30);
    expect(await numbersOf(second, { terms: [[{ name: 'app', value: 'app-3' }]] })).toEqual(
      Array.from({ length: 130 }, (_, number) => number)
        .filter((number) => number % 7 === 3)
        .reverse(),
    );
    second.close();
  });

  it('is made anew where its terms have another version, and where its file is none', async () => {
    const file = join(folders.make(), 'index.sqlite3');
    const first = await openOver(rowsOf(10), file);
    await first.catchUp();
    first.close();
    const second = await openOver(rowsOf(10), file, '2');
    expect(await second.catchUp()).toBe(10);
    second.close();
    writeFileSync(file, 'x'.repeat(10_000));
    const third = await openOver(rowsOf(10), file);
    expect(await third.catchUp()).toBe(10);
    third.close();
  });

  it('answers with rows that match themselves, whatever the index says', async () => {
    const file = join(folders.make(), 'index.sqlite3');
    const search = await openOver(rowsOf(20), file);
    await search.catchUp();
    const database = new DatabaseSync(file);
    const all = Buffer.alloc(40);
    for (let number = 0; number < 20; number++) all.writeUInt16LE(number, number * 2);
    database.prepare('UPDATE posting SET numbers = ?').run(all);
    database.close();
    expect(await numbersOf(search, { terms: [[{ name: 'number', value: '4' }]] })).toEqual([4]);
    search.close();
  });

  it('reads a ledger of its folder without a right to write there', async () => {
    const directory = await ledgerOf(40);
    const rows = openFileRows(directory);
    const search = await openOver(rows);
    expect(await search.catchUp()).toBe(40);
    expect(await numbersOf(search, { terms: [[{ name: 'verdict', value: 'deny' }]] })).toHaveLength(14);
    expect(existsSync(join(directory, 'index.sqlite3'))).toBe(false);
    search.close();
    await rows.close();
  });
});
