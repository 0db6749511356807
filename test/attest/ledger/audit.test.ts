// SPDX-License-Identifier: Apache-2.0
// Somebody who owns the disk edits the ledger: an audit says which row it was.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Audit,
  auditLedger,
  openFileRows,
  openReader,
  type SignedCheckpoint,
} from '../../../attest/index.ts';
import { appendTo, newSigner, open, statementBytes, temporaryFolders } from '../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const signer = newSigner();
const COUNT = 9;
const original = join(folders.make(), 'original');
const cut = join(folders.make(), 'cut');
const checkpoints: SignedCheckpoint[] = [];

async function newest(directory: string): Promise<SignedCheckpoint | undefined> {
  const rows = openFileRows(directory);
  const found = await (await openReader(rows)).newest();
  await rows.close();
  return found;
}

beforeAll(async () => {
  const ledger = open(original);
  for (let index = 0; index < COUNT; index++) {
    await appendTo(ledger, signer, statementBytes({ predicate: { verdict: 'allow', number: index } }));
    const signed = await newest(original);
    if (signed !== undefined) checkpoints.push(signed);
    if (index === 4) await ledger.close().then(() => copy(original, cut));
    if (index === 4) return continueWith(original);
  }
});

async function continueWith(directory: string): Promise<void> {
  const ledger = open(directory);
  for (let index = 5; index < COUNT; index++) {
    await appendTo(ledger, signer, statementBytes({ predicate: { verdict: 'allow', number: index } }));
    const signed = await newest(directory);
    if (signed !== undefined) checkpoints.push(signed);
  }
  await ledger.close();
}

function copy(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of ['ledger.sqlite3', 'ledger.key']) copyFileSync(join(from, name), join(to, name));
}

/** A copy of the ledger, changed by hand. */
function tampered(...sql: readonly string[]): string {
  const directory = folders.make();
  copy(original, directory);
  const database = new DatabaseSync(join(directory, 'ledger.sqlite3'));
  for (const table of ['identity', 'entry', 'node', 'checkpoint'])
    database.exec(`DROP TRIGGER ${table}_no_UPDATE; DROP TRIGGER ${table}_no_DELETE`);
  for (const one of sql) database.exec(one);
  database.close();
  return directory;
}

async function audit(directory: string, since?: SignedCheckpoint): Promise<Audit> {
  const rows = openFileRows(directory);
  try {
    return await auditLedger({ reader: await openReader(rows), ...(since === undefined ? {} : { since }) });
  } finally {
    await rows.close();
  }
}

const shifted = (from: number, by: number): string =>
  `UPDATE entry SET number = -number - 1000 WHERE number >= ${from}; UPDATE entry SET number = -number - 1000 + ${by} WHERE number < 0`;

describe('an audit', () => {
  it('finds nothing in a ledger that nobody touched, whichever checkpoint was kept', async () => {
    expect(checkpoints.map(({ size }) => size)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const since of [undefined, ...checkpoints])
      expect(await audit(original, since)).toMatchObject({
        entries: COUNT,
        size: COUNT,
        checkpoints: COUNT,
        faults: [],
      });
  });

  it.each([
    ['a row was deleted', ['DELETE FROM entry WHERE number = 4'], [{ index: 4, what: 'deleted' }]],
    ['the first row was deleted', ['DELETE FROM entry WHERE number = 0'], [{ index: 0, what: 'deleted' }]],
    ['the last row was deleted', ['DELETE FROM entry WHERE number = 8'], [{ index: 8, what: 'deleted' }]],
    [
      'two rows were deleted and the rest moved up',
      ['DELETE FROM entry WHERE number IN (2, 3)', shifted(4, -2)],
      [
        { index: 2, what: 'deleted' },
        { index: 3, what: 'deleted' },
      ],
    ],
    [
      'a payload was changed',
      [
        `UPDATE entry SET payload = CAST(replace(CAST(payload AS TEXT), 'allow', 'alloW') AS BLOB) WHERE number = 5`,
      ],
      [
        { index: 5, what: 'changed' },
        { index: 5, what: 'signature' },
      ],
    ],
    [
      'a row was replaced by another that is signed as well',
      [
        'UPDATE entry SET (payload, signature) = (SELECT payload, signature FROM entry WHERE number = 1) WHERE number = 6',
      ],
      [{ index: 6, what: 'changed' }],
    ],
    [
      'two rows were exchanged',
      [
        'UPDATE entry SET number = -1 WHERE number = 3; UPDATE entry SET number = 3 WHERE number = 4; UPDATE entry SET number = 4 WHERE number = -1',
      ],
      [{ index: 4, what: 'reordered' }],
    ],
    [
      'a row was inserted and the rest moved down',
      [
        shifted(5, 1),
        "INSERT INTO entry SELECT 5, payload_type, payload, x'3006020101020101', public_key FROM entry WHERE number = 2",
      ],
      [
        { index: 5, what: 'inserted' },
        { index: 5, what: 'signature' },
      ],
    ],
    [
      'a row was added behind the end',
      [
        "INSERT INTO entry SELECT 9, payload_type, payload, x'3006020101020101', public_key FROM entry WHERE number = 2",
      ],
      [
        { index: 9, what: 'inserted' },
        { index: 9, what: 'signature' },
      ],
    ],
    [
      'a row and its leaf were changed alike',
      [
        `UPDATE entry SET (payload, signature) = (SELECT payload, signature FROM entry WHERE number = 1) WHERE number = 6`,
        'UPDATE node SET hash = (SELECT hash FROM node WHERE position = 2) WHERE position = 12',
      ],
      [{ what: 'entries', index: 6, to: 7 }],
    ],
    [
      'an inner node was changed',
      ['UPDATE node SET hash = zeroblob(32) WHERE position = 5'],
      [{ what: 'node', level: 1, index: 1 }],
    ],
    [
      'a checkpoint was changed',
      [`UPDATE checkpoint SET note = replace(note, '4', '5') WHERE size = 4`],
      [{ what: 'checkpoint', size: 4 }],
    ],
  ])('says that %s', async (_, sql, faults) => {
    expect((await audit(tampered(...sql))).faults).toEqual(faults);
  });

  it('finds a ledger that was cut back whole only by a checkpoint that was kept', async () => {
    expect((await audit(cut)).faults).toEqual([]);
    expect((await audit(cut, checkpoints[8])).faults).toEqual([{ what: 'shrunk', size: 5, to: 9 }]);
    expect((await audit(cut, checkpoints[3])).faults).toEqual([]);
  });

  it('finds a ledger that was written anew with its own key', async () => {
    const ledger = open(cut);
    for (let index = 5; index < 10; index++)
      await appendTo(ledger, signer, statementBytes({ predicate: { verdict: 'deny', number: index } }));
    await ledger.close();
    expect((await audit(cut)).faults).toEqual([]);
    expect((await audit(cut, checkpoints[4])).faults).toEqual([]);
    expect((await audit(cut, checkpoints[5])).faults).toEqual([{ what: 'rewritten', size: 6 }]);
  });
});
