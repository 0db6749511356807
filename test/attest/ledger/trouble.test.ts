// SPDX-License-Identifier: Apache-2.0
// What happens to a ledger when its disk, its folder, its files or another process are not as they should be.
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AttestError, type Ledger, openLedger, signStatement } from '../../../attest/index.ts';
import { expectThrown, thrownBy } from '../../expect.ts';
import { appendTo, NOW, newSigner, open, statementBytes, temporaryFolders } from '../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const signer = newSigner();

/** A closed ledger of some records. */
async function written(size = 5): Promise<string> {
  const directory = folders.make();
  const ledger = open(directory);
  for (let index = 0; index < size; index++) await appendTo(ledger, signer);
  await ledger.close();
  return directory;
}

/** Changes a closed ledger by hand, as somebody who owns the disk can. */
function tamper(directory: string, sql: string): void {
  const database = new DatabaseSync(join(directory, 'ledger.sqlite3'));
  for (const table of ['identity', 'entry', 'node', 'checkpoint'])
    database.exec(`DROP TRIGGER ${table}_no_UPDATE; DROP TRIGGER ${table}_no_DELETE`);
  database.exec(sql);
  database.close();
}

/** Runs as a user without rights where the tests run as root, who has them all. */
function unprivileged<T>(work: () => T): T {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe('a full disk', () => {
  it('rejects with LEDGER_FULL, loses nothing, and later appends succeed', async () => {
    const directory = folders.make();
    const ledger = open(directory, { maxBytes: 256 * 1024 });
    const large = statementBytes({ predicate: { text: 'x'.repeat(20_000) } });
    const acknowledged: string[] = [];
    let failure: unknown;
    for (let tries = 0; tries < 50 && failure === undefined; tries++) {
      try {
        acknowledged.push(JSON.stringify(await appendTo(ledger, signer, large)));
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toBeInstanceOf(AttestError);
    expect(failure).toMatchObject({ code: 'LEDGER_FULL', hint: expect.stringContaining('make room') });
    expect(acknowledged.length).toBeGreaterThan(3);
    expect(ledger.size()).toBe(acknowledged.length);
    acknowledged.push(JSON.stringify(await appendTo(ledger, signer)));
    await ledger.close();
    const again = open(directory);
    acknowledged.push(JSON.stringify(await appendTo(again, signer, large)));
    expect([...again.records()].map(({ bundle }) => JSON.stringify(bundle))).toEqual(acknowledged);
    await again.close();
  });

  it('rejects every append of the batch, and none of it is there', async () => {
    const ledger = open(folders.make(), { maxBytes: 256 * 1024 });
    const large = statementBytes({ predicate: { text: 'x'.repeat(20_000) } });
    const envelope = await signStatement(large, signer);
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, () => ledger.append(envelope, signer)),
    );
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(ledger.size()).toBe(0);
    await appendTo(ledger, signer);
    expect(ledger.size()).toBe(1);
    await ledger.close();
  });

  it('is told when there is no room for a new ledger', () => {
    expectThrown(() => open(folders.make(), { maxBytes: 8 * 1024 }), AttestError, 'LEDGER_FULL');
  });
});

describe('a folder', () => {
  it('that holds no ledger is not made into one', () => {
    const directory = join(folders.make(), 'missing');
    const error = thrownBy(() => openLedger({ directory, now: () => NOW, create: false }));
    expect(error).toBeInstanceOf(AttestError);
    expect(error).toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: `there is no ledger in ${JSON.stringify(directory)}`,
      hint: expect.any(String),
    });
  });

  it('that is a file cannot hold one', () => {
    const file = join(folders.make(), 'file');
    writeFileSync(file, '');
    expectThrown(() => open(file), AttestError, 'LEDGER_UNAVAILABLE');
    expectThrown(() => open(join(file, 'below')), AttestError, 'LEDGER_UNAVAILABLE');
  });

  it('that cannot be written is LEDGER_UNAVAILABLE with a hint', () => {
    const directory = folders.make();
    chmodSync(directory, 0o555);
    const error = unprivileged(() => thrownBy(() => open(directory)));
    chmodSync(directory, 0o755);
    expect(error).toBeInstanceOf(AttestError);
    expect(error).toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      hint: expect.stringContaining('can be written'),
    });
  });

  it('with a database that cannot be written is LEDGER_UNAVAILABLE', async () => {
    const directory = await written();
    for (const file of ['ledger.sqlite3', 'ledger.key']) chmodSync(join(directory, file), 0o444);
    chmodSync(directory, 0o777);
    const outcome = await unprivileged(async () => {
      const ledger = open(directory);
      const result = appendTo(ledger, signer).catch((error: unknown) => error);
      return { ledger, result };
    });
    expect(await outcome.result).toMatchObject({ name: 'AttestError', code: 'LEDGER_UNAVAILABLE' });
    await outcome.ledger.close();
  });
});

describe('a damaged ledger', () => {
  it.each([
    ['an entry at its end is gone', 'DELETE FROM entry WHERE number = 4'],
    ['its first entry is gone', 'DELETE FROM entry WHERE number = 0'],
    ['entry, checkpoint and nodes were cut off badly', 'DELETE FROM checkpoint WHERE size = 5'],
    ['its checkpoints are gone', 'DELETE FROM checkpoint'],
    ['the last checkpoint is another text', "UPDATE checkpoint SET note = 'x' WHERE size = 5"],
    [
      'the last checkpoint has another size',
      "UPDATE checkpoint SET note = replace(note, char(10) || '5' || char(10), char(10) || '6' || char(10)) WHERE size = 5",
    ],
    [
      'an entry was added without a checkpoint',
      'INSERT INTO entry SELECT 5, payload_type, payload, signature, public_key FROM entry WHERE number = 4',
    ],
    ['the last payload was edited', "UPDATE entry SET payload = x'7b7d' WHERE number = 4"],
    ['a node that the root needs was edited', 'UPDATE node SET hash = zeroblob(32) WHERE position = 3'],
    ['a node that the root needs is gone', 'DELETE FROM node WHERE position = 3'],
  ])('is refused when it is opened: %s', async (_, sql) => {
    const directory = await written();
    tamper(directory, sql);
    expectThrown(() => open(directory), AttestError, 'LEDGER_CORRUPT');
  });

  it.each([
    ['edited', "UPDATE entry SET payload = x'7b7d' WHERE number = 2"],
    ['given another type', "UPDATE entry SET payload_type = 'text/plain' WHERE number = 2"],
    ['given another key', 'UPDATE entry SET public_key = zeroblob(91) WHERE number = 2'],
    ['deleted', 'DELETE FROM entry WHERE number = 2'],
  ])('does not give out an entry that was %s, nor skip it', async (_, sql) => {
    const directory = await written();
    tamper(directory, sql);
    const ledger = open(directory);
    expect(ledger.bundle(1)).toBeDefined();
    expectThrown(() => ledger.bundle(2), AttestError, 'LEDGER_CORRUPT');
    expectThrown(() => [...ledger.records()], AttestError, 'LEDGER_CORRUPT');
    await ledger.close();
  });

  it('is refused where the file is no database', async () => {
    const directory = await written();
    writeFileSync(join(directory, 'ledger.sqlite3'), 'x'.repeat(8_192));
    expectThrown(() => open(directory), AttestError, 'LEDGER_CORRUPT');
  });

  it('is refused where its database is gone: a new log under the old key would be a fork', async () => {
    const directory = await written();
    rmSync(join(directory, 'ledger.sqlite3'));
    expectThrown(() => open(directory), AttestError, 'LEDGER_CORRUPT');
  });

  it('is refused where it was written by a later version', async () => {
    const directory = await written();
    const database = new DatabaseSync(join(directory, 'ledger.sqlite3'));
    database.exec('PRAGMA user_version = 2');
    database.close();
    expectThrown(() => open(directory), AttestError, 'LEDGER_UNAVAILABLE');
  });

  it('cannot be changed by SQL in passing', async () => {
    const directory = await written();
    const database = new DatabaseSync(join(directory, 'ledger.sqlite3'));
    for (const sql of [
      'DELETE FROM entry',
      "UPDATE checkpoint SET note = ''",
      'DELETE FROM node',
      'UPDATE identity SET origin = 1',
    ])
      expect(() => database.exec(sql)).toThrow('the ledger is append-only');
    database.close();
  });
});

describe('the key of a ledger', () => {
  it('that is missing or broken is KEY_UNREADABLE', async () => {
    const directory = await written();
    writeFileSync(join(directory, 'ledger.key'), 'garbage');
    expectThrown(() => open(directory), AttestError, 'KEY_UNREADABLE');
    rmSync(join(directory, 'ledger.key'));
    expectThrown(() => open(directory), AttestError, 'KEY_UNREADABLE');
  });

  it('of another ledger is KEY_MISMATCH', async () => {
    const [directory, other] = [await written(), await written()];
    copyFileSync(join(other, 'ledger.key'), join(directory, 'ledger.key'));
    expectThrown(() => open(directory), AttestError, 'KEY_MISMATCH');
  });

  it('is made again where a first creation crashed before it had committed', async () => {
    const directory = folders.make();
    writeFileSync(join(directory, 'ledger.sqlite3'), '');
    writeFileSync(join(directory, 'ledger.key'), 'half a k');
    const ledger = open(directory);
    await appendTo(ledger, signer);
    expect(ledger.size()).toBe(1);
    await ledger.close();
  });
});

describe('the name of a ledger', () => {
  it('stays what it was', async () => {
    const directory = folders.make();
    await open(directory, { origin: 'one.example' }).close();
    expectThrown(() => open(directory, { origin: 'two.example' }), AttestError, 'LEDGER_UNAVAILABLE');
    await open(directory, { origin: 'one.example' }).close();
  });
});

describe('a lock held elsewhere', () => {
  it('is waited for without blocking, and nothing is lost', async () => {
    const directory = await written();
    const ledger: Ledger = open(directory);
    const other = new DatabaseSync(join(directory, 'ledger.sqlite3'));
    other.exec('BEGIN IMMEDIATE');
    let turns = 0;
    const ticking = setInterval(() => {
      if (++turns === 3) other.exec('ROLLBACK');
    }, 1);
    const bundle = await appendTo(ledger, signer);
    clearInterval(ticking);
    other.close();
    expect(bundle.verificationMaterial.tlogEntries[0]?.logIndex).toBe('5');
    await ledger.close();
  });
});

describe('a ledger file that is replaced while it is open', () => {
  it('takes no more records', async () => {
    const [directory, other] = [await written(), await written(1)];
    const ledger = open(directory);
    mkdirSync(join(directory, 'old'));
    renameSync(join(directory, 'ledger.sqlite3'), join(directory, 'old', 'ledger.sqlite3'));
    copyFileSync(join(other, 'ledger.sqlite3'), join(directory, 'ledger.sqlite3'));
    await expect(appendTo(ledger, signer)).rejects.toMatchObject({
      name: 'AttestError',
      code: 'LEDGER_UNAVAILABLE',
    });
    await ledger.close();
  });
});
