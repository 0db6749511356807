// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { openReader, openSearch, type Reader, type Search } from '../../../attest/index.ts';
import { TERMS_VERSION, termsOf } from '../../../engine/record/summary.ts';
import type { Args, Flags } from '../../args.ts';
import { messageOf } from '../../cause.ts';
import type { Io } from '../../io.ts';
import { findLedger, openRows, POSTGRES_FLAG } from '../../ledger/place.ts';
import { withProgress } from '../../report/progress.ts';

/** Where the ledger is. */
export const LEDGER_FLAGS: Flags = {
  state: { value: 'DIR', help: "folder of the ledger (default the Project's ledger, or .countersign)" },
  project: { value: 'FILE', help: 'the Project (default countersign.yaml in this folder, if there is one)' },
  ...POSTGRES_FLAG,
};

/** Opens the ledger that the flags name, for reading, and closes it when the work is done. */
export async function withReader<T>(
  args: Args,
  work: (reader: Reader, state: string) => Promise<T>,
): Promise<T> {
  const { place } = findLedger(args);
  const rows = await openRows(place);
  try {
    return await work(await openReader(rows), place.state);
  } finally {
    await rows.close();
  }
}

/** Opens the index beside the ledger and catches it up; one in memory where the folder cannot be written. */
export async function withSearch<T>(
  { reader, state, io }: { readonly reader: Reader; readonly state: string; readonly io: Io },
  work: (search: Search) => Promise<T>,
): Promise<T> {
  const open = (file: string): Promise<Search> =>
    openSearch({ rows: reader.rows, termsOf, version: TERMS_VERSION, file });
  let search: Search;
  try {
    search = await open(join(state, 'index.sqlite3'));
  } catch (error) {
    io.err(
      `note: the index is made in memory, as it cannot be kept beside the ledger: ${messageOf(error)}\n`,
    );
    search = await open(':memory:');
  }
  try {
    await withProgress(io, 'indexing', (onProgress) => search.catchUp(onProgress));
    return await work(search);
  } finally {
    search.close();
  }
}
