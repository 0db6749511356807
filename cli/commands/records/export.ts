// SPDX-License-Identifier: Apache-2.0
import type { Page, Reader, Search } from '../../../attest/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { type LineFormat, lineOf, printed } from './lines.ts';
import { LEDGER_FLAGS, withReader, withSearch } from './place.ts';
import { QUERY_FLAGS, queryOf } from './query.ts';

const PAGE = 250;

export const recordsExport: Verb = {
  name: 'records export',
  summary: 'Prints every record that is asked for, the newest first: one Sigstore bundle a line, or a table.',
  positionals: '',
  details:
    'Each line of jsonl is a record as verify record and cosign take it. A record that the log does not hold as it signed it ends the\nexport with an error.',
  flags: {
    ...QUERY_FLAGS,
    format: { value: 'jsonl|csv', help: 'bundles (default), or what records list lists as a table' },
    ...LEDGER_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  if (args.positionals.length > 0)
    throw new UsageError(
      `unexpected ${JSON.stringify(args.positionals[0])}`,
      'see countersign records export --help',
    );
  const format = args.text('format') ?? 'jsonl';
  if (format !== 'jsonl' && format !== 'csv')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are jsonl, csv');
  const query = queryOf(args);
  const count = await withReader(args, (reader, state) =>
    withSearch({ reader, state, io }, (search) => write({ reader, search, query, format }, io)),
  );
  io.err(`note: exported ${count} ${count === 1 ? 'record' : 'records'}\n`);
  return 0;
}

interface Export {
  readonly reader: Reader;
  readonly search: Search;
  readonly query: ReturnType<typeof queryOf>;
  readonly format: LineFormat;
}

/** A page at a time, so that a million records need no memory for a million. */
async function write({ reader, search, query, format }: Export, io: Io): Promise<number> {
  let count = 0;
  let before: number | undefined;
  do {
    const page: Page = await search.page({
      ...query,
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    if (format === 'csv') io.out(printed(page.rows.map(lineOf), format, count === 0));
    else for (const row of page.rows) io.out(`${JSON.stringify(await reader.bundle(row))}\n`);
    count += page.rows.length;
    before = page.next;
  } while (before !== undefined);
  return count;
}
