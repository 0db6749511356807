// SPDX-License-Identifier: Apache-2.0
import { openPublisher } from '../../../attest/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { findLedger } from '../../ledger/place.ts';
import { LEDGER_FLAGS, withReader } from '../records/place.ts';
import { destinationOf, destinationsIn, fateOf } from './destinations.ts';
import { refuseMore } from './trusted_root.ts';

export const recordsPublish: Verb = {
  name: 'records publish',
  summary: 'Publishes the newest checkpoint of the ledger, so that a rewritten ledger is noticed.',
  positionals: '',
  details:
    'Witnesses are asked first, and what the others get carries their signatures. Exit code: 0 it is everywhere, 5 it is not; each\nplace is said to have it or not.',
  flags: {
    to: {
      value: 'KIND=WHERE',
      multiple: true,
      help: "file=FILE, tiles=DIR, git=CLONE, http=URL, timestamp=URL,DIR, witness=URL,KEY (default what the Project's ledger publishes to)",
    },
    ...LEDGER_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  refuseMore(args, 'records publish');
  const { found } = findLedger(args);
  const stated = args.list('to').map(destinationOf);
  const ofProject = found === undefined ? [] : destinationsIn(found.project, found.directory);
  const destinations = stated.length > 0 ? stated : ofProject;
  if (destinations.length === 0)
    throw new UsageError('there is nowhere to publish to', 'give --to, or ledger.publish in the Project');
  const { checkpoint, results } = await withReader(args, (reader) =>
    openPublisher(destinations).publish(reader),
  );
  if (checkpoint === undefined) {
    io.err('countersign: the ledger has no record yet, and so no checkpoint\n');
    return 3;
  }
  for (const result of results) io.out(`${fateOf(result)}\n`);
  return results.every(({ failure }) => failure === undefined) ? 0 : 5;
}
