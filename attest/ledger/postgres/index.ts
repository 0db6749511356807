// SPDX-License-Identifier: Apache-2.0
// The ledger in PostgreSQL, for several servers. Its driver is loaded only where an address of a database is given.
//   ledger.ts  opens, names, appends    append.ts  a batch in one transaction, in order by the lock on the head    rows.ts  reading
//   schema.ts  migrations    queue.ts  commits that take their time    connection.ts  the driver (only here)
export {
  openPostgresLedger,
  openPostgresRows,
  type PostgresLedger,
  type PostgresOptions,
} from './ledger.ts';
