// SPDX-License-Identifier: Apache-2.0
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { LEDGER_FLAGS, withReader } from '../records/place.ts';

export const recordsTrustedRoot: Verb = {
  name: 'records trusted-root',
  summary: 'Prints the trusted_root.json of the ledger, with which cosign and others verify its records.',
  positionals: '',
  details:
    'It says who the ledger is by its own word: whoever verifies records takes it once, from somebody they trust, and keeps it.',
  flags: LEDGER_FLAGS,
  run: async (args, io) => {
    const root = await withReader(refuseMore(args, 'records trusted-root'), async (reader) =>
      reader.trustedRoot(),
    );
    return print(`${JSON.stringify(root, null, 2)}\n`, io);
  },
};

export const recordsCheckpoint: Verb = {
  name: 'records checkpoint',
  summary: 'Prints the newest checkpoint of the ledger: its size and the root of its tree, signed.',
  positionals: '',
  details:
    'Kept somewhere else, it is what records verify --since holds the ledger against later: nothing before it can be rewritten unseen.',
  flags: LEDGER_FLAGS,
  run: async (args, io) => {
    const newest = await withReader(refuseMore(args, 'records checkpoint'), (reader) => reader.newest());
    if (newest === undefined) {
      io.err('countersign: the ledger has no record yet, and so no checkpoint\n');
      return 3;
    }
    return print(newest.note, io);
  },
};

function print(text: string, io: Io): ExitCode {
  io.out(text);
  return 0;
}

/** @throws {UsageError} where there is a positional */
export function refuseMore(args: Args, verb: string): Args {
  const [first] = args.positionals;
  if (first === undefined) return args;
  throw new UsageError(`unexpected ${JSON.stringify(first)}`, `see countersign ${verb} --help`);
}
