// SPDX-License-Identifier: Apache-2.0
import { type Destination, openPublisher, openReader } from '../../../attest/index.ts';
import type { Project } from '../../../engine/context/project.ts';
import type { Args, Flags } from '../../args.ts';
import { messageOf } from '../../cause.ts';
import { UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { type LedgerPlace, openRows } from '../../ledger/place.ts';
import { destinationOf, destinationsIn, fateOf } from './destinations.ts';

const DEFAULT_SECONDS = 60;

/** Flags of a server that publishes the checkpoints of its ledger. */
export const PUBLISH_FLAGS: Flags = {
  publish: {
    value: 'KIND=WHERE',
    multiple: true,
    help: "publish checkpoints as records publish --to does (default what the Project's ledger publishes to)",
  },
  'publish-every': {
    value: 'SECONDS',
    help: `how often, where there is a new one (at least 1, default ${DEFAULT_SECONDS}), and at the end`,
  },
};

/** What is published, where, how often. */
export interface Publishing {
  readonly destinations: readonly Destination[];
  readonly everyMs: number;
}

/** What the flags and the Project ask for; undefined where nothing is published. @throws {UsageError} */
export function publishingOf(
  args: Args,
  found: { readonly project: Project; readonly directory: string } | undefined,
): Publishing | undefined {
  const stated = args.list('publish').map(destinationOf);
  const ofProject = found === undefined ? [] : destinationsIn(found.project, found.directory);
  const destinations = stated.length > 0 ? stated : ofProject;
  const text = args.text('publish-every') ?? String(DEFAULT_SECONDS);
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds < 1)
    throw new UsageError(`--publish-every ${JSON.stringify(text)} is no number of seconds`, 'such as 60');
  if (destinations.length > 0) return { destinations, everyMs: seconds * 1_000 };
  if (args.has('publish-every'))
    throw new UsageError(
      '--publish-every has no effect: nothing is published',
      'give --publish, or ledger.publish in the Project',
    );
  return undefined;
}

/**
 * Publishes the newest checkpoint now and then, until it is stopped, which publishes the last one. A place that fails is told, and
 * tried again with the next: the ledger goes on meanwhile.
 */
export function startPublishing(
  place: LedgerPlace,
  { destinations, everyMs }: Publishing,
  io: Pick<Io, 'err'>,
): { readonly stop: () => Promise<void> } {
  const publisher = openPublisher(destinations);
  let published = 0;
  let running = Promise.resolve();

  async function publish(): Promise<void> {
    const rows = await openRows(place);
    try {
      const reader = await openReader(rows);
      const newest = await reader.newest();
      if (newest === undefined || newest.size === published) return;
      const { results } = await publisher.publish(reader);
      const failed = results.filter(({ failure }) => failure !== undefined);
      if (failed.length === 0) published = newest.size;
      for (const one of failed) tell(fateOf(one).replace(/^no {2}/, ''));
    } finally {
      await rows.close();
    }
  }

  const tell = (message: string): void =>
    io.err(`${JSON.stringify({ level: 'warn', event: 'checkpoint', message })}\n`);
  // One after the other, however long one takes.
  const next = (): void => {
    running = running.then(publish).catch((error: unknown) => tell(messageOf(error)));
  };
  const timer = setInterval(next, everyMs);
  timer.unref();
  next();
  return {
    stop: async () => {
      clearInterval(timer);
      next();
      await running;
    },
  };
}
