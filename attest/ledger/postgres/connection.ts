// SPDX-License-Identifier: Apache-2.0
// The one file that knows the PostgreSQL driver, which is loaded where a database is opened: few ledgers are in one. What it throws becomes ours; no message of ours shows the address, which may hold a
// password.

import type { Pool, PoolClient } from 'pg';
import { AttestError, type AttestErrorCode } from '../../error.ts';

/** One row, by column; numbers of 64 bits are text. */
export type Columns = Readonly<Record<string, unknown>>;

/** Sends one statement with its parameters; statements are prepared by their name, once a connection. */
export type Ask = (statement: Statement, values?: readonly unknown[]) => Promise<readonly Columns[]>;

/** A statement and the name it is prepared under; several without parameters may stand in one text, under no name. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

/** A database of one address. Everything rejects with {AttestError} LEDGER_UNAVAILABLE | LEDGER_FULL | LEDGER_CORRUPT */
export interface Database {
  readonly ask: Ask;
  /** Runs `work` in one transaction: all of it is committed, or none. */
  transact<T>(work: (ask: Ask) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const CONNECT_MS = 5_000;
/** How long a statement may take, a lock may be waited for, and a writer may sit in a transaction: then others go on without it. */
const STATEMENT_MS = 30_000;
const LOCK_MS = 10_000;
const IDLE_MS = 15_000;

/** Opens a pool of connections; nothing is sent yet. Rejects with {AttestError} LEDGER_UNAVAILABLE where the address is none */
export async function openDatabase(url: string, connections: number): Promise<Database> {
  const pool = await poolOf(url, connections);
  // A connection that breaks while nobody uses it: the next one that is wanted is made anew.
  pool.on('error', () => undefined);
  return {
    ask: (statement, values) => guarded(() => askOver(pool)(statement, values)),
    transact: (work) => guarded(() => transact(pool, work)),
    close: () => guarded(() => pool.end()),
  };
}

async function poolOf(url: string, connections: number): Promise<Pool> {
  const { Pool } = await import('pg');
  try {
    return new Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      query_timeout: STATEMENT_MS + 1_000,
      lock_timeout: LOCK_MS,
      idle_in_transaction_session_timeout: IDLE_MS,
      application_name: 'countersign',
      keepAlive: true,
    });
  } catch {
    // Neither the address nor what its parser says of it is shown.
    throw new AttestError('LEDGER_UNAVAILABLE', 'this is no address of a PostgreSQL database', {
      hint: 'such as postgres://countersign@db.example:5432/ledger?sslmode=verify-full',
    });
  }
}

const askOver =
  (client: Pick<Pool | PoolClient, 'query'>): Ask =>
  async ({ name, text }, values = []) => {
    const config = { text, values: [...values], ...(name === undefined ? {} : { name }) };
    const { rows }: { rows: Columns[] } = await client.query(config);
    return rows;
  };

async function transact<T>(pool: Pool, work: (ask: Ask) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('BEGIN');
    const value = await work(askOver(client));
    await client.query('COMMIT');
    return value;
  } catch (error) {
    await client.query('ROLLBACK').catch((cause: unknown) => {
      broken = cause instanceof Error ? cause : new Error(String(cause));
    });
    throw error;
  } finally {
    client.off('error', onError);
    // A connection that could not roll back is not given to the next one.
    client.release(broken ?? false);
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toAttestError(error);
  }
}

// Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html
const FULL = new Set(['53100', '53400']);
const CORRUPT = /^(?:XX00[12]|58P0[12])$/;

function toAttestError(error: unknown): AttestError {
  if (error instanceof AttestError) return error;
  const code: unknown = Reflect.get(Object(error), 'code');
  const state = typeof code === 'string' ? code : '';
  const [ours, hint]: [AttestErrorCode, string] = FULL.has(state)
    ? ['LEDGER_FULL', 'make room on the volume of the database; what was acknowledged is safe']
    : CORRUPT.test(state)
      ? [
          'LEDGER_CORRUPT',
          'stop what writes to the database and restore it; records already given out stay valid',
        ]
      : [
          'LEDGER_UNAVAILABLE',
          'check that the database runs, that its address is right and that this user may use it',
        ];
  return new AttestError(ours, `the database of the ledger: ${reasonOf(error, state)}`, {
    hint,
    cause: error,
  });
}

/** What the server says of a statement; of a connection only the code: its message may name the address. */
function reasonOf(error: unknown, state: string): string {
  const message: unknown = Reflect.get(Object(error), 'message');
  if (/^[0-9A-Z]{5}$/.test(state) && typeof message === 'string') return `${message} (${state})`;
  return state === '' ? 'it does not answer' : state;
}
