// SPDX-License-Identifier: Apache-2.0
import {
  entryBody,
  type Hash,
  hashLeaf,
  inclusionProof,
  type NodeReader,
  nodesOfLeaf,
  positionOf,
  rootOf,
} from '../log/index.ts';
import { type Envelope, preAuthEncoding } from '../sign/index.ts';
import { type Bundle, bundleOf } from './bundle.ts';
import type { GrowingStore, StoredEntry } from './store.ts';

/** An envelope on its way into the log, with what is stored of it. */
export interface Addition {
  readonly envelope: Envelope;
  readonly entry: StoredEntry;
}

/** What is the same for every batch of one log. */
export interface Log {
  readonly logId: Uint8Array;
  readonly signCheckpoint: (size: number, root: Hash) => string;
}

/** The leaf of an entry. */
export function leafBody({ payloadType, payload, signature, publicKey }: StoredEntry): Buffer {
  const signedBytes = preAuthEncoding(payloadType, payload);
  return entryBody({ signedBytes, signature, publicKeyDer: publicKey });
}

/**
 * Adds a batch to the tree under one new checkpoint and returns its bundles; runs inside one write transaction. The size is read
 * from the file each time, as another process may have added since. Reads O(log n) stored nodes for the whole batch: whatever else
 * a proof of a new leaf needs is new itself.
 */
export function grow(store: GrowingStore, log: Log, additions: readonly Addition[]): Bundle[] {
  const first = store.size();
  const size = first + additions.length;
  const known = new Map<number, Hash>();
  const read: NodeReader = (id) => {
    const position = positionOf(id);
    const hash = known.get(position) ?? store.node(id);
    known.set(position, hash);
    return hash;
  };
  const bodies = additions.map(({ entry }, offset) => {
    const index = first + offset;
    const body = leafBody(entry);
    store.addEntry(index, entry);
    for (const [id, hash] of nodesOfLeaf(index, hashLeaf(body), read)) {
      store.addNode(id, hash);
      known.set(positionOf(id), hash);
    }
    return body;
  });
  const root = rootOf(size, read);
  const checkpoint = { size, root, note: log.signCheckpoint(size, root) };
  store.addCheckpoint(checkpoint);
  return additions.map(({ envelope, entry }, offset) =>
    bundleOf({
      envelope,
      publicKeyDer: entry.publicKey,
      body: bodies[offset] ?? leafBody(entry),
      index: first + offset,
      logId: log.logId,
      checkpoint,
      hashes: inclusionProof(first + offset, size, read),
    }),
  );
}
