// SPDX-License-Identifier: Apache-2.0
import {
  isSignedBy,
  type Reader,
  type Row,
  readCheckpoint,
  type SignedCheckpoint,
} from '../../../attest/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readSource, writeWhole } from '../../files.ts';
import type { Io } from '../../io.ts';
import { nameOf, rowNamed } from './named.ts';
import { LEDGER_FLAGS, withReader } from './place.ts';

export const recordsProve: Verb = {
  name: 'records prove',
  summary: 'Prints a record with the proof that the newest checkpoint of the ledger holds it.',
  positionals: 'INDEX|ID',
  details:
    'The bundle is for verify record and for cosign, as the one that was given out when the record was made; but its proof leads to\nthe checkpoint of now, which is the one that others have published, cosigned or kept.',
  flags: {
    checkpoint: {
      value: 'FILE',
      help: 'prove it by this checkpoint, which was kept (default the newest): a key that came to its end holds for what that proves',
    },
    output: { value: 'FILE', short: 'o', help: 'where to write the bundle (default stdout)' },
    ...LEDGER_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const name = nameOf(args, 'records prove');
  const kept = args.text('checkpoint');
  const bundle = await withReader(args, async (reader, state) => {
    const row = await rowNamed(name, { reader, state, io });
    return reader.bundle(row, kept === undefined ? await reader.newest() : keptOver(row, kept, reader));
  });
  const text = `${JSON.stringify(bundle)}\n`;
  const file = args.text('output');
  if (file === undefined) io.out(text);
  else writeWhole(file, text);
  return 0;
}

/** @throws {UsageError} for what is no checkpoint of this ledger, or one that is older than the record */
function keptOver({ number }: Row, file: string, { origin, publicKey }: Reader): SignedCheckpoint {
  const note = Buffer.from(readSource(file).bytes).toString('utf8');
  const read = readCheckpoint(note);
  if (read === undefined || read.origin !== origin || !isSignedBy(read, origin, publicKey))
    throw new UsageError(
      `${JSON.stringify(file)} is no checkpoint of this ledger`,
      'countersign records checkpoint prints the newest one',
    );
  if (number < read.size) return { size: read.size, root: read.root, note };
  throw new UsageError(
    `entry ${number} is not among the ${read.size} that ${JSON.stringify(file)} covers`,
    'name one that was signed after it',
  );
}
