// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { memoryUses } from '../../../attest/tokens/index.ts';
import { keptUses } from '../../../attest/tokens/kept.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-uses-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

it('uses a token once, also after a restart and beside another process', async () => {
  const [one, two] = [keptUses(at('a')), keptUses(at('a'))];
  const uses = await Promise.all([one, two, one, two].map((store) => store.use('k', 2_000, 1_000)));
  expect(uses.sort()).toEqual(['again', 'again', 'again', 'first']);
  one.close();
  two.close();
  const three = keptUses(at('a'));
  expect(await three.use('k', 2_000, 1_500)).toBe('again');
  expect(statSync(join(at('a'), 'tokens.sqlite3')).mode & 0o777).toBe(0o600);
  three.close();
});

it('is full rather than forget, and forgets what has expired', async () => {
  const store = keptUses(at('b'), 2);
  expect(await store.use('a', 2_000, 1_000)).toBe('first');
  expect(await store.use('b', 3_000, 1_000)).toBe('first');
  expect(await store.use('c', 3_000, 1_000)).toBe('full');
  expect(await store.use('a', 2_000, 1_000)).toBe('again');
  expect(await store.use('c', 3_000, 2_001)).toBe('first');
  store.close();
});

it('says the same as the one in memory, whatever is used and when', async () => {
  const [kept, memory] = [keptUses(at('c'), 8), memoryUses(8)];
  // A fixed sequence of a small generator: the same each run.
  let seed = 7;
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  let nowMs = 0;
  for (let turn = 0; turn < 300; turn++) {
    nowMs += next(5);
    // Each key has one end, as a token has, and nobody uses one that has expired.
    const end = nowMs + next(40);
    const key = `${end}-${next(3)}`;
    expect(await kept.use(key, end, nowMs)).toBe(await memory.use(key, end, nowMs));
  }
  kept.close();
});

it('is an error where it cannot be written or is no database', async () => {
  writeFileSync(at('file'), '');
  await expect(keptUses(at('file')).use('k', 2, 1)).rejects.toMatchObject({ code: 'TOKENS_UNAVAILABLE' });
  const store = keptUses(at('d'));
  await store.use('k', 2, 1);
  store.close();
  writeFileSync(join(at('d'), 'tokens.sqlite3'), 'x'.repeat(8_192));
  rmSync(join(at('d'), 'tokens.sqlite3-wal'), { force: true });
  await expect(keptUses(at('d')).use('k', 2, 1)).rejects.toMatchObject({ code: 'TOKENS_UNAVAILABLE' });
});
