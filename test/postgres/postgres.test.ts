// SPDX-License-Identifier: Apache-2.0
// The ledger in PostgreSQL, against a real server: npm run test:postgres. Without the program it is skipped; in CI that is a failure.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditLedger, openReader, type Row, readTrust, verifyRecord } from '../../attest/index.ts';
import { openDatabase } from '../../attest/ledger/postgres/connection.ts';
import {
  openPostgresLedger,
  openPostgresRows,
  type PostgresLedger,
} from '../../attest/ledger/postgres/index.ts';
import { VERSION } from '../../attest/ledger/postgres/schema.ts';
import { signStatement } from '../../attest/sign/index.ts';
import {
  appendTo,
  NOW,
  newSigner,
  open,
  PREDICATE_TYPE,
  statementBytes,
  temporaryFolders,
  trustedKey,
} from '../attest/fixture.ts';
import { HAS_POSTGRES, type Server, startServer } from './server.ts';

const folders = temporaryFolders();
const signer = newSigner();
let server: Server;
if (!HAS_POSTGRES && process.env['CI'] === 'true') throw new Error('postgres is not on the PATH');
const suite = HAS_POSTGRES ? describe : describe.skip;

beforeAll(async () => {
  if (HAS_POSTGRES) server = await startServer();
}, 120_000);
afterAll(async () => {
  if (HAS_POSTGRES) await server.stop();
  folders.removeAll();
});

const ledgerAt = (url: string, directory: string, more: object = {}): Promise<PostgresLedger> =>
  openPostgresLedger({ url, directory, create: true, now: () => NOW, ...more });

async function sql(url: string, ...texts: string[]): Promise<void> {
  const database = await openDatabase(url, 1);
  for (const text of texts) await database.ask({ text });
  await database.close();
}

/** All rows, and that the ledger holds together. */
async function audited(url: string): Promise<readonly Row[]> {
  const rows = await openPostgresRows(url);
  expect((await auditLedger({ reader: await openReader(rows) })).faults).toEqual([]);
  const size = await rows.size();
  const entries = await rows.entries(0, size);
  expect(entries.map(({ number }) => number)).toEqual(Array.from({ length: size }, (_, index) => index));
  await rows.close();
  return entries;
}

const nameOf = ({ payload }: Row): string => JSON.parse(Buffer.from(payload).toString()).predicate.name;

interface Writer {
  readonly child: ChildProcess;
  readonly said: () => readonly string[];
  readonly ended: Promise<unknown>;
}

function writer(url: string, directory: string, round: string, count: number): Writer {
  const file = join(import.meta.dirname, 'writer.ts');
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', file, url, directory, round, String(count), '8'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { child, said: () => text.split('\n').slice(0, -1), ended: once(child, 'close') };
}

const acknowledgedBy = (writers: readonly Writer[]): (readonly [number, string])[] =>
  writers.flatMap(({ said }) =>
    said()
      .map((line) => line.split(' '))
      .filter(([word]) => word === 'ok')
      .map(([, index, name = '']) => [Number(index), name] as const),
  );

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((wake) => setTimeout(wake, 10));
};

suite('a ledger in PostgreSQL', () => {
  it('gives out the very bundles that one in SQLite does, and they verify', async () => {
    const url = await server.database();
    const directory = folders.make();
    const local = open(directory, { origin: 'ledger.example' });
    const envelopes = await Promise.all(
      Array.from({ length: 70 }, (_, number) =>
        signStatement(statementBytes({ predicate: { verdict: 'allow', number } }), signer),
      ),
    );
    const wanted = [];
    for (const size of [1, 2, 3, 5, 8, 13, 21, 17])
      wanted.push(
        ...(await Promise.all(
          envelopes.slice(wanted.length, wanted.length + size).map((one) => local.append(one, signer)),
        )),
      );
    // The key of the one is given to the other before it is made: `found` refuses a key that is there, so by hand.
    const other = folders.make();
    const remote = await ledgerAt(url, other, { origin: 'ledger.example' });
    await remote.close();
    copyFileSync(join(directory, 'ledger.key'), join(other, 'ledger.key'));
    const publicKey = Buffer.from(local.trustedRoot().tlogs[0]?.publicKey.rawBytes ?? '', 'base64').toString(
      'hex',
    );
    await sql(
      url,
      'ALTER TABLE countersign.identity DISABLE TRIGGER append_only',
      `UPDATE countersign.identity SET public_key = '\\x${publicKey}'`,
    );
    const again = await ledgerAt(url, other);
    const given = [];
    for (const size of [1, 2, 3, 5, 8, 13, 21, 17])
      given.push(
        ...(await Promise.all(
          envelopes.slice(given.length, given.length + size).map((one) => again.append(one, signer)),
        )),
      );
    expect(given).toEqual(wanted);
    expect(again.trustedRoot()).toEqual(local.trustedRoot());
    const trust = readTrust({
      apiVersion: 'countersign.dev/v1alpha1',
      kind: 'Trust',
      keys: [trustedKey(signer)],
      logs: [again.trustedRoot()],
    });
    for (const bundle of given)
      expect(verifyRecord(bundle, trust, { use: 'record', predicateType: PREDICATE_TYPE }).ok).toBe(true);
    const rows = await openPostgresRows(url);
    const reader = await openReader(rows);
    for (const row of await rows.entries(0, 70)) expect(await reader.bundle(row)).toEqual(given[row.number]);
    await Promise.all([again.close(), local.close(), rows.close()]);
  }, 60_000);

  it('is made by several at once, and named once', async () => {
    const url = await server.database();
    const directory = folders.make();
    const ledgers = await Promise.all(Array.from({ length: 4 }, () => ledgerAt(url, directory)));
    expect(new Set(ledgers.map((ledger) => JSON.stringify(ledger.trustedRoot()))).size).toBe(1);
    const indexes = await Promise.all(
      ledgers.map(
        async (ledger) => (await appendTo(ledger, signer)).verificationMaterial.tlogEntries[0]?.logIndex,
      ),
    );
    expect(indexes.sort()).toEqual(['0', '1', '2', '3']);
    await Promise.all(ledgers.map((ledger) => ledger.close()));
    expect(await audited(url)).toHaveLength(4);
  });

  it('stays in order and without gaps under eight writers, of which one is killed', async () => {
    const url = await server.database();
    const first = folders.make();
    await (await ledgerAt(url, first)).close();
    const writers = Array.from({ length: 8 }, (_, index) => {
      const directory = join(folders.make(), 'copy');
      mkdirSync(directory);
      copyFileSync(join(first, 'ledger.key'), join(directory, 'ledger.key'));
      return writer(url, directory, `w${index}`, index === 0 ? 100_000 : 120);
    });
    const [killed, ...others] = writers;
    await until(() => (killed?.said().length ?? 0) > 30);
    killed?.child.kill('SIGKILL');
    await Promise.all(writers.map(({ ended }) => ended));
    expect(killed?.child.signalCode).toBe('SIGKILL');
    expect(others.map(({ child }) => child.exitCode)).toEqual(others.map(() => 0));
    const acknowledged = acknowledgedBy(writers);
    expect(acknowledgedBy(others)).toHaveLength(7 * 120);
    expect(new Set(acknowledged.map(([index]) => index)).size).toBe(acknowledged.length);
    const entries = await audited(url);
    const lost = acknowledged.filter(([index, name]) => nameOf(entries[index] ?? raise(index)) !== name);
    expect(lost).toEqual([]);
    expect(new Set(entries.map(nameOf)).size).toBe(entries.length);
  }, 120_000);

  it('has lost nothing acknowledged when the server crashes, and goes on when it is there again', async () => {
    const url = await server.database();
    const directory = folders.make();
    await (await ledgerAt(url, directory)).close();
    const writers = [writer(url, directory, 'a', 1_500), writer(url, directory, 'b', 1_500)];
    await until(() => writers.every(({ said }) => said().length > 50));
    await server.crash();
    await until(() => writers.every(({ said }) => said().includes('no LEDGER_UNAVAILABLE')));
    await server.start();
    await Promise.all(writers.map(({ ended }) => ended));
    const refusals = new Set(writers.flatMap(({ said }) => said().filter((line) => line.startsWith('no'))));
    expect([...refusals]).toEqual(['no LEDGER_UNAVAILABLE']);
    const acknowledged = acknowledgedBy(writers);
    expect(acknowledged.length).toBeGreaterThan(2_000);
    const entries = await audited(url);
    expect(acknowledged.filter(([index, name]) => nameOf(entries[index] ?? raise(index)) !== name)).toEqual(
      [],
    );
  }, 120_000);

  it('refuses tables of a newer program, and leaves them alone', async () => {
    const url = await server.database();
    const directory = folders.make();
    await (await ledgerAt(url, directory)).close();
    await sql(url, `INSERT INTO countersign.version (number) VALUES (${VERSION + 1})`);
    const message = `the ledger has format ${VERSION + 1}, this program knows ${VERSION}`;
    await expect(ledgerAt(url, directory)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE', message });
    await expect(openPostgresRows(url)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE', message });
  });

  it('refuses the key of another ledger, and to go on without one', async () => {
    const url = await server.database();
    const directory = folders.make();
    await (await ledgerAt(url, directory)).close();
    await expect(ledgerAt(url, folders.make())).rejects.toMatchObject({ code: 'KEY_UNREADABLE' });
    const other = folders.make();
    await open(other).close();
    await expect(ledgerAt(url, other)).rejects.toMatchObject({ code: 'KEY_MISMATCH' });
    // A key without its ledger: the database was lost, or is another one.
    await expect(ledgerAt(await server.database(), directory)).rejects.toMatchObject({
      code: 'LEDGER_CORRUPT',
    });
  });

  it('is not made where only reading is asked for', async () => {
    const url = await server.database();
    await expect(openPostgresRows(url)).rejects.toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: 'there is no ledger in this database',
    });
  });

  it('lets no row be changed, and is refused where one was', async () => {
    const url = await server.database();
    const directory = folders.make();
    const ledger = await ledgerAt(url, directory);
    for (let index = 0; index < 5; index++) await appendTo(ledger, signer);
    await ledger.close();
    for (const text of [
      'DELETE FROM countersign.entry',
      'UPDATE countersign.checkpoint SET size = 9',
      'TRUNCATE countersign.node',
      'DELETE FROM countersign.head',
    ])
      await expect(sql(url, text)).rejects.toMatchObject({
        code: 'LEDGER_UNAVAILABLE',
        message: expect.stringContaining('the ledger is append-only'),
      });
    await sql(
      url,
      'ALTER TABLE countersign.entry DISABLE TRIGGER append_only',
      'DELETE FROM countersign.entry WHERE number IN (2, 4)',
    );
    await expect(ledgerAt(url, directory)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
    const rows = await openPostgresRows(url);
    const { faults } = await auditLedger({ reader: await openReader(rows) });
    await rows.close();
    expect(faults).toEqual([
      { index: 2, what: 'deleted' },
      { index: 4, what: 'deleted' },
    ]);
  });

  it('says that there is no server, and never the password', async () => {
    for (const url of ['postgres://me:secret@127.0.0.1:1/x', 'postgres://me:secret@/%zz', 'nonsense']) {
      const error = await ledgerAt(url, folders.make()).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ name: 'AttestError', code: 'LEDGER_UNAVAILABLE' });
      expect(Reflect.get(Object(error), 'message')).not.toContain('secret');
    }
  });

  it('waits for nobody who holds the head and sits', async () => {
    const url = await server.database();
    const ledger = await ledgerAt(url, folders.make());
    const sitting = await openDatabase(`${url}?options=-c%20idle_in_transaction_session_timeout%3D500`, 1);
    const sat = sitting.transact(async (ask) => {
      await ask({ text: 'SET LOCAL idle_in_transaction_session_timeout = 700' });
      await ask({ text: 'SELECT size FROM countersign.head FOR UPDATE' });
      await new Promise((wake) => setTimeout(wake, 2_000));
      await ask({ text: 'SELECT 1' });
    });
    await new Promise((wake) => setTimeout(wake, 200));
    const began = performance.now();
    await appendTo(ledger, signer);
    expect(performance.now() - began).toBeLessThan(5_000);
    await expect(sat).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await Promise.all([ledger.close(), sitting.close()]);
  }, 30_000);

  // The last one: the server is another afterwards.
  it('refuses a server that does not write to its disk', async () => {
    const url = await server.database();
    await server.crash();
    await server.start('fsync=off');
    await expect(ledgerAt(url, folders.make())).rejects.toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: 'the database runs with fsync = off',
    });
  }, 60_000);
});

function raise(index: number): never {
  throw new Error(`entry ${index} is not there`);
}
