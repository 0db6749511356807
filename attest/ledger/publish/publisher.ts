// SPDX-License-Identifier: Apache-2.0
import { readCheckpoint, type Witness } from '../../log/index.ts';
import type { Reader, SignedCheckpoint } from '../reading/reader.ts';
import { writeFile } from './folder.ts';
import { commitCheckpoint } from './git.ts';
import { post, unpublished } from './post.ts';
import { writeTiles } from './tiles.ts';
import { keepTimed } from './timestamp.ts';
import { cosign } from './witness.ts';

/** Where checkpoints go, so that who rewrites the ledger has to rewrite what is elsewhere too. */
export type Destination =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'tiles'; readonly directory: string }
  | { readonly kind: 'http'; readonly url: URL }
  | { readonly kind: 'git'; readonly repository: string }
  | { readonly kind: 'timestamp'; readonly url: URL; readonly directory: string }
  | { readonly kind: 'witness'; readonly url: URL; readonly witness: Witness };

/** What became of one destination. */
export interface Published {
  readonly destination: Destination;
  /** Why the checkpoint is not there; absent where it is. */
  readonly failure?: unknown;
}

/** Publishes checkpoints, each to all destinations; one that fails keeps none of the others from it. */
export interface Publisher {
  /** Publishes the newest checkpoint; resolves with it, as it was published, and with how each destination fared. */
  publish(
    reader: Reader,
  ): Promise<{ readonly checkpoint?: SignedCheckpoint; readonly results: readonly Published[] }>;
}

/** Opens a publisher, which remembers how far each witness has cosigned. */
export function openPublisher(destinations: readonly Destination[]): Publisher {
  const cosigned = new Map<Witness, number>();
  const witnesses = destinations.filter((one) => one.kind === 'witness');
  const others = destinations.filter((one) => one.kind !== 'witness');

  /** Witnesses first: what the others get carries their signatures. */
  async function witnessed(
    reader: Reader,
    signed: SignedCheckpoint,
  ): Promise<[SignedCheckpoint, Published[]]> {
    let { note } = signed;
    const results: Published[] = [];
    for (const destination of witnesses) {
      const { url, witness } = destination;
      const failure = await failureOf(async () => {
        note += await cosign(reader, signed, { url, witness, cosigned: cosigned.get(witness) ?? 0 });
        cosigned.set(witness, signed.size);
      });
      results.push({ destination, ...failure });
    }
    // Too many lines would make it a note that nobody reads.
    return [readCheckpoint(note) === undefined ? signed : { ...signed, note }, results];
  }

  return {
    publish: async (reader) => {
      const newest = await reader.newest();
      if (newest === undefined) return { results: [] };
      const [checkpoint, results] = await witnessed(reader, newest);
      for (const destination of others)
        results.push({ destination, ...(await failureOf(() => deliver(reader, checkpoint, destination))) });
      return { checkpoint, results };
    },
  };
}

async function failureOf(work: () => Promise<unknown>): Promise<{ readonly failure?: unknown }> {
  try {
    await work();
    return {};
  } catch (failure) {
    return { failure };
  }
}

async function deliver(
  reader: Reader,
  checkpoint: SignedCheckpoint,
  destination: Exclude<Destination, { readonly kind: 'witness' }>,
): Promise<void> {
  if (destination.kind === 'file') writeFile(destination.file, checkpoint.note);
  else if (destination.kind === 'tiles') await writeTiles(reader, checkpoint, destination.directory);
  else if (destination.kind === 'git')
    await commitCheckpoint(destination.repository, reader.origin, checkpoint);
  else if (destination.kind === 'timestamp') await keepTimed(reader, checkpoint, destination);
  else {
    const { status } = await post(destination.url, checkpoint.note);
    if (status < 200 || status > 299) throw unpublished(destination.url, `it answers ${status}`);
  }
}
