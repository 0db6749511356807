// SPDX-License-Identifier: Apache-2.0
// The thread of `startIndexing`: it catches the index of a ledger up once, and ends.
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { AttestError } from '../../attest/error.ts';
import { openPostgresRows } from '../../attest/ledger/postgres/index.ts';
import { openFileRows } from '../../attest/ledger/reading/index.ts';
import { openSearch } from '../../attest/ledger/search/index.ts';
import { TERMS_VERSION, termsOf } from '../../engine/record/summary.ts';
import { messageOf } from '../cause.ts';
import type { LedgerPlace } from './place.ts';

/** Why a turn did not end well. */
export interface Failure {
  readonly message: string;
  readonly isLedgers: boolean;
}

const { state, url }: LedgerPlace = workerData;

async function catchUp(): Promise<void> {
  const rows = url === undefined ? openFileRows(state) : await openPostgresRows(url);
  try {
    const file = join(state, 'index.sqlite3');
    const search = await openSearch({ rows, termsOf, version: TERMS_VERSION, file });
    try {
      await search.catchUp();
    } finally {
      search.close();
    }
  } finally {
    await rows.close();
  }
}

catchUp().catch((error: unknown) => {
  // That the ledger is not there is told by who records to it.
  const failure: Failure = { message: messageOf(error), isLedgers: error instanceof AttestError };
  parentPort?.postMessage(failure);
});
