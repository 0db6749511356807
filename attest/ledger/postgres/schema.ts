// SPDX-License-Identifier: Apache-2.0
// The tables of a ledger in PostgreSQL, as a list of migrations that only grows. Rows are only ever added; triggers keep it so.

import { AttestError } from '../../error.ts';
import type { Database } from './connection.ts';

/** Each brings a database from the version before to its own number, counted from 1. What was released is never changed. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE countersign.identity (one boolean PRIMARY KEY CHECK (one), origin text NOT NULL, created text NOT NULL, public_key bytea NOT NULL);
  CREATE TABLE countersign.head (one boolean PRIMARY KEY CHECK (one), size bigint NOT NULL CHECK (size >= 0));
  CREATE TABLE countersign.entry (number bigint PRIMARY KEY CHECK (number >= 0), payload_type text NOT NULL, payload bytea NOT NULL, signature bytea NOT NULL, public_key bytea NOT NULL);
  CREATE TABLE countersign.node (position bigint PRIMARY KEY, hash bytea NOT NULL CHECK (length(hash) = 32));
  CREATE TABLE countersign.checkpoint (size bigint PRIMARY KEY, note text NOT NULL);
  INSERT INTO countersign.head VALUES (true, 0);
  CREATE FUNCTION countersign.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
  ${['identity', 'entry', 'node', 'checkpoint']
    .map(
      (table) =>
        `CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON countersign.${table} FOR EACH STATEMENT EXECUTE FUNCTION countersign.refuse();`,
    )
    .join('\n  ')}
  CREATE TRIGGER only_grows BEFORE DELETE OR TRUNCATE ON countersign.head FOR EACH STATEMENT EXECUTE FUNCTION countersign.refuse();
  `,
];

/** The version of the tables that this program knows. */
export const VERSION = MIGRATIONS.length;

/** One number for all that migrate the tables of a ledger: of several that start at once one does, and the others find it done. */
const LOCK = 7_305_447_019;

/**
 * Brings the tables to this program's version; makes them where there are none and `create` is given.
 * Rejects with {AttestError} LEDGER_UNAVAILABLE  also where the tables are of a newer program, which this one would read wrongly
 */
export async function migrate(database: Database, create: boolean): Promise<void> {
  const found = await versionOf(database);
  if (found === VERSION) return;
  if (found > VERSION) refuseNewer(found);
  if (found === 0 && !create)
    throw new AttestError('LEDGER_UNAVAILABLE', 'there is no ledger in this database', {
      hint: 'countersign serve --ledger makes one',
    });
  await database.transact(async (ask) => {
    await ask({ text: 'SELECT pg_advisory_xact_lock($1)' }, [LOCK]);
    await ask({ text: 'CREATE SCHEMA IF NOT EXISTS countersign' });
    await ask({
      text: 'CREATE TABLE IF NOT EXISTS countersign.version (number integer PRIMARY KEY, since timestamptz NOT NULL DEFAULT now())',
    });
    const [row] = await ask({ text: 'SELECT coalesce(max(number), 0) AS number FROM countersign.version' });
    const there = Number(row?.['number']);
    if (there > VERSION) refuseNewer(there);
    for (const [index, text] of MIGRATIONS.slice(there).entries()) {
      await ask({ text });
      await ask({ text: 'INSERT INTO countersign.version (number) VALUES ($1)' }, [there + index + 1]);
    }
  });
}

/** The version of the tables; 0 where there are none. */
async function versionOf(database: Database): Promise<number> {
  const [there] = await database.ask({
    text: "SELECT to_regclass('countersign.version') IS NOT NULL AS there",
  });
  if (there?.['there'] !== true) return 0;
  const [row] = await database.ask({
    text: 'SELECT coalesce(max(number), 0) AS number FROM countersign.version',
  });
  return Number(row?.['number']);
}

function refuseNewer(version: number): never {
  throw new AttestError(
    'LEDGER_UNAVAILABLE',
    `the ledger has format ${version}, this program knows ${VERSION}`,
    {
      hint: 'use the version of countersign that wrote it, or a newer one',
    },
  );
}
