// SPDX-License-Identifier: Apache-2.0
// Rows that somebody deleted from a ledger: no report passes over them.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openInputs, openLedger } from '../../../attest/index.ts';
import { appendTo, newSigner, temporaryFolders, trustedKey, trustOf } from '../../attest/fixture.ts';
import { statementWith } from '../../engine/record/fixture.ts';
import { countersign, type Outcome } from '../world.ts';

const folders = temporaryFolders();
const whole = folders.make();
const signer = newSigner();
afterAll(() => folders.removeAll());

beforeAll(async () => {
  const ledger = openLedger({ directory: whole, now: () => new Date('2026-10-01T00:00:00Z'), create: true });
  for (let index = 0; index < 4; index++) {
    const scope = { environment: 'production', operations: ['CREATE'] };
    await appendTo(
      ledger,
      signer,
      statementWith({ id: `019ab500-0000-7000-8000-00000000000${index}`, scope }),
    );
  }
  openInputs(whole, { create: true }).close();
  writeFileSync(join(whole, 'trust.json'), JSON.stringify(trustOf([trustedKey(signer)], [ledger])));
  await ledger.close();
});

/** The ledger after this was done to it. */
function after(sql: string): string {
  const folder = folders.make();
  for (const name of ['ledger.sqlite3', 'inputs.sqlite3', 'trust.json'])
    copyFileSync(join(whole, name), join(folder, name));
  const database = new DatabaseSync(join(folder, 'ledger.sqlite3'));
  database.exec('DROP TRIGGER entry_no_DELETE');
  database.exec(sql);
  database.close();
  return folder;
}

describe.each([
  ['the first', 'DELETE FROM entry WHERE number = 0', 'entry 0 was deleted'],
  ['one between', 'DELETE FROM entry WHERE number = 2', 'entry 2 was deleted'],
  ['the last', 'DELETE FROM entry WHERE number = 3', 'it has 3 entries, and its newest checkpoint covers 4'],
  ['all', 'DELETE FROM entry', 'it has 0 entries, and its newest checkpoint covers 4'],
])('a ledger of which %s was deleted', (_, sql, what) => {
  it('is damaged to whoever reads a span of it', async () => {
    const state = after(sql);
    const run = (...argv: string[]): Promise<Outcome> =>
      countersign([...argv, '--from', '2026-11-01', '--state', state]);
    const outs = [
      await run('replay'),
      await run('report', 'sample', '--env', '*', '--seed', 's', '--out', folders.make()),
      await run('report', 'evidence', '--framework', 'soc2', '--out', join(folders.make(), 'pack.tar.gz')),
    ];
    const error = {
      exit: 5,
      out: '',
      err: `countersign: the ledger is damaged: ${what} [LEDGER_CORRUPT]\nhint: countersign records verify names all that is gone; restore the ledger from a backup\n`,
    };
    expect(outs).toEqual([error, error, error]);
  });
});
