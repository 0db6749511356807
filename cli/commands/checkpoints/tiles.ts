// SPDX-License-Identifier: Apache-2.0
import { writeTiles } from '../../../attest/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { withProgress } from '../../report/progress.ts';
import { LEDGER_FLAGS, withReader } from '../records/place.ts';

export const recordsTiles: Verb = {
  name: 'records tiles',
  summary: 'Writes the log of the ledger as files that any web server can serve (C2SP tlog-tiles).',
  positionals: 'DIR',
  details:
    'Entries are in it by the digest of what was signed, never the statements themselves. Run again, it adds what is new; the\ncheckpoint is written last.',
  flags: LEDGER_FLAGS,
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [directory, more] = args.positionals;
  if (directory === undefined || more !== undefined)
    throw new UsageError('one folder is wanted', 'countersign records tiles DIR');
  const tiles = await withReader(args, async (reader) => {
    const newest = await reader.newest();
    return newest === undefined
      ? undefined
      : withProgress(io, 'writing', (onProgress) => writeTiles(reader, newest, directory, onProgress));
  });
  if (tiles === undefined) {
    io.err('countersign: the ledger has no record yet, and so no tile\n');
    return 3;
  }
  io.err(`note: ${tiles.size} entries in ${JSON.stringify(directory)}, ${tiles.written} files are new\n`);
  return 0;
}
