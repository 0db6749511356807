// SPDX-License-Identifier: Apache-2.0
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { formatOf, lineOf, printed } from './lines.ts';
import { LEDGER_FLAGS, withReader, withSearch } from './place.ts';
import { numberOf, QUERY_FLAGS, queryOf } from './query.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;

export const recordsList: Verb = {
  name: 'records list',
  summary: 'Lists records of the ledger, the newest first, a page at a time.',
  positionals: '',
  details:
    'Lists what the statements say of themselves; records verify tells whether the ledger holds together, verify record whether one\nrecord does. An index beside the ledger is caught up first.',
  flags: {
    ...QUERY_FLAGS,
    limit: { value: 'N', help: `records of a page (default ${DEFAULT_LIMIT}, at most ${MAX_LIMIT})` },
    before: { value: 'INDEX', help: 'only records before this one: where the page before ended' },
    format: { value: 'text|jsonl|csv', help: 'how to print them' },
    ...LEDGER_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  if (args.positionals.length > 0)
    throw new UsageError(
      `unexpected ${JSON.stringify(args.positionals[0])}`,
      'see countersign records list --help',
    );
  const format = formatOf(args.text('format'));
  const limit = numberOf(args, 'limit', MAX_LIMIT) ?? DEFAULT_LIMIT;
  const before = numberOf(args, 'before', Number.MAX_SAFE_INTEGER);
  const query = { ...queryOf(args), limit, ...(before === undefined ? {} : { before }) };
  const page = await withReader(args, (reader, state) =>
    withSearch({ reader, state, io }, (search) => search.page(query)),
  );
  io.out(printed(page.rows.map(lineOf), format));
  if (page.rows.length === 0) io.err('note: no record is as asked for\n');
  if (page.next !== undefined) io.err(`note: there are more: --before ${page.next}\n`);
  return 0;
}
