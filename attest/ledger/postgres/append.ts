// SPDX-License-Identifier: Apache-2.0
import { frontierOf, type Hash, positionOf } from '../../log/index.ts';
import type { Bundle } from '../bundle.ts';
import { corrupt } from '../failure.ts';
import { type Addition, grow, type Log } from '../grow.ts';
import type { GrowingStore, StoredCheckpoint, StoredEntry } from '../store.ts';
import type { Ask, Database, Statement } from './connection.ts';
import { nodesIn, numberOf } from './rows.ts';

const statement = (name: string, text: string): Statement => ({ name: `countersign-${name}`, text });
/** The lock on this row is the order of the log: who has it has seen all before it, and nobody else adds. It ends with the transaction. */
const HEAD = statement('head', 'SELECT size FROM countersign.head FOR UPDATE');
const ADD_ENTRIES = statement(
  'add-entries',
  'INSERT INTO countersign.entry SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[])',
);
const ADD_NODES = statement(
  'add-nodes',
  'INSERT INTO countersign.node SELECT * FROM unnest($1::bigint[], $2::bytea[])',
);
const ADD_CHECKPOINT = statement('add-checkpoint', 'INSERT INTO countersign.checkpoint VALUES ($1, $2)');
const ADVANCE = statement('advance', 'UPDATE countersign.head SET size = $1');

/**
 * Adds a batch in one transaction and resolves with its bundles once it is committed. All that a batch reads of the tree is the
 * frontier: so it is read at once, and the batch grows in memory.
 */
export function appendBatch(database: Database, log: Log, batch: readonly Addition[]): Promise<Bundle[]> {
  return database.transact(async (ask) => {
    // Whatever the server's default is: what is acknowledged is on its disk.
    await ask({
      text: "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local')",
    });
    const [head] = await ask(HEAD);
    const size = numberOf(head?.['size']);
    const memory = memoryStore(size, await frontier(ask, size));
    const bundles = grow(memory.store, log, batch);
    await write(ask, memory.added, size + batch.length);
    return bundles;
  });
}

async function frontier(ask: Ask, size: number): Promise<ReadonlyMap<number, Hash>> {
  const positions = frontierOf(size).map(positionOf);
  const nodes = await nodesIn(ask, positions);
  if (nodes.size !== positions.length) throw corrupt('a node of its tree is missing');
  return nodes;
}

/** What a batch adds. */
interface Added {
  readonly entries: (readonly [number, StoredEntry])[];
  readonly nodes: (readonly [number, Hash])[];
  readonly checkpoints: StoredCheckpoint[];
}

/** The part of a store that growing needs: reads what is known, keeps what is added. */
function memoryStore(
  size: number,
  known: ReadonlyMap<number, Hash>,
): {
  readonly store: GrowingStore;
  readonly added: Added;
} {
  const added: Added = { entries: [], nodes: [], checkpoints: [] };
  return {
    added,
    store: {
      size: () => size,
      node: (id) => {
        const hash = known.get(positionOf(id));
        if (hash === undefined) throw corrupt(`node ${id.level}/${id.index} of the tree is missing`);
        return hash;
      },
      addEntry: (index, entry) => added.entries.push([index, entry]),
      addNode: (id, hash) => added.nodes.push([positionOf(id), hash]),
      addCheckpoint: (checkpoint) => added.checkpoints.push(checkpoint),
    },
  };
}

async function write(ask: Ask, { entries, nodes, checkpoints }: Added, size: number): Promise<void> {
  const bytes = (list: readonly Uint8Array[]): Buffer[] => list.map((one) => Buffer.from(one));
  await ask(ADD_ENTRIES, [
    entries.map(([number]) => number),
    entries.map(([, { payloadType }]) => payloadType),
    bytes(entries.map(([, { payload }]) => payload)),
    bytes(entries.map(([, { signature }]) => signature)),
    bytes(entries.map(([, { publicKey }]) => publicKey)),
  ]);
  await ask(ADD_NODES, [nodes.map(([position]) => position), bytes(nodes.map(([, hash]) => hash))]);
  for (const { size: covered, note } of checkpoints) await ask(ADD_CHECKPOINT, [covered, note]);
  await ask(ADVANCE, [size]);
}
