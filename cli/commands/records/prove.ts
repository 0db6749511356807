// SPDX-License-Identifier: Apache-2.0
import type { Args, Verb } from '../../args.ts';
import type { ExitCode } from '../../exit.ts';
import { writeWhole } from '../../files.ts';
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
    output: { value: 'FILE', short: 'o', help: 'where to write the bundle (default stdout)' },
    ...LEDGER_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const name = nameOf(args, 'records prove');
  const bundle = await withReader(args, async (reader, state) =>
    reader.bundle(await rowNamed(name, { reader, state, io }), await reader.newest()),
  );
  const text = `${JSON.stringify(bundle)}\n`;
  const file = args.text('output');
  if (file === undefined) io.out(text);
  else writeWhole(file, text);
  return 0;
}
