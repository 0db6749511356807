// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AttestError, type Item, openInputs, openKeeper } from '../../../attest/index.ts';
import { expectThrown } from '../../expect.ts';
import { temporaryFolders } from '../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());

const itemOf = (text: string, more: Partial<Item> = {}): Item => {
  const bytes = Buffer.from(text);
  return {
    kind: 'input',
    digest: hash('sha256', bytes, 'hex'),
    bytes,
    time: '2026-11-24T12:00:00Z',
    ...more,
  };
};

describe('kept inputs', () => {
  it('are read as they were, and only where they are there', () => {
    const directory = folders.make();
    const inputs = openInputs(directory, { create: true });
    const item = itemOf('a'.repeat(100_000));
    inputs.put([item, itemOf('b')]);
    expect(Buffer.from(inputs.get('input', item.digest) ?? [])).toEqual(item.bytes);
    expect(inputs.get('policy', item.digest)).toBeUndefined();
    inputs.close();
    expect(statSync(join(directory, 'inputs.sqlite3')).size).toBeLessThan(60_000);
    expect(statSync(join(directory, 'inputs.sqlite3')).mode & 0o077).toBe(0);
  });

  it('are kept once, however many evaluations they are of, and go with the last', () => {
    const inputs = openInputs(folders.make(), { create: true });
    const [first, second] = [
      itemOf('x', { environment: 'a' }),
      itemOf('x', { time: '2027-01-01T00:00:00Z' }),
    ];
    inputs.put([first, second]);
    const [one, two] = inputs.rows();
    expect([one, two]).toEqual([
      { digest: first.digest, environment: 'a', time: first.time },
      { digest: first.digest, time: second.time },
    ]);
    if (one === undefined || two === undefined) throw new Error('two rows');
    expect(inputs.remove([one])).toBe(0);
    expect(inputs.get('input', first.digest)).toBeDefined();
    expect(inputs.remove([two])).toBe(1);
    expect(inputs.get('input', first.digest)).toBeUndefined();
    inputs.close();
  });

  it('that somebody changed are not believed', () => {
    const directory = folders.make();
    const inputs = openInputs(directory, { create: true });
    const [item, other] = [itemOf('one'), itemOf('two')];
    inputs.put([item, other]);
    const database = new DatabaseSync(join(directory, 'inputs.sqlite3'));
    database
      .prepare('UPDATE item SET bytes = (SELECT bytes FROM item WHERE digest = ?) WHERE digest = ?')
      .run(other.digest, item.digest);
    database.prepare('UPDATE item SET bytes = ? WHERE digest = ?').run(Buffer.from('no zstd'), other.digest);
    database.close();
    for (const { digest } of [item, other])
      expectThrown(() => inputs.get('input', digest), AttestError, 'INPUTS_CORRUPT');
    inputs.close();
  });

  it('that are nowhere, or no store, are an error with what to do', () => {
    const directory = folders.make();
    expectThrown(() => openInputs(directory, { create: false }), AttestError, 'INPUTS_UNAVAILABLE');
    writeFileSync(join(directory, 'inputs.sqlite3'), 'no database at all, but long enough to be read as one');
    expectThrown(() => openInputs(directory, { create: true }), AttestError, 'INPUTS_UNAVAILABLE');
  });
});

describe('a keeper', () => {
  it('resolves when what it was given is on disk', async () => {
    const directory = folders.make();
    const keeper = openKeeper(directory);
    const items = Array.from({ length: 50 }, (_, index) => itemOf(`item ${index}`));
    await Promise.all(items.map((item) => keeper.keep(item)));
    const inputs = openInputs(directory, { create: false });
    expect(inputs.rows().length).toBe(50);
    inputs.close();
    await keeper.close();
  });

  it('rejects what it cannot keep, and goes on when it can', async () => {
    const directory = folders.make();
    writeFileSync(join(directory, 'file'), '');
    const keeper = openKeeper(join(directory, 'file', 'below'));
    await expect(keeper.keep(itemOf('a'))).rejects.toMatchObject({ code: 'INPUTS_UNAVAILABLE' });
    await keeper.close();
  });

  it('that was asked for nothing closes', async () => {
    await openKeeper(folders.make()).close();
  });
});
