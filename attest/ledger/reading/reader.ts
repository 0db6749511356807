// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  consistencyProof,
  type Hash,
  hashLeaf,
  inclusionProof,
  isConsistent,
  isSignedBy,
  type NodeReader,
  noteKeyId,
  positionOf,
  readCheckpoint,
  rootFromProof,
  rootOf,
  type TrustedRoot,
  trustedRootOf,
} from '../../log/index.ts';
import { type Bundle, bundleOf } from '../bundle.ts';
import { corrupt } from '../failure.ts';
import { leafBody } from '../grow.ts';
import type { Identity, StoredCheckpoint } from '../store.ts';
import type { Row, Rows } from './rows.ts';

/** A checkpoint that the log signed; `note` is the signed note (C2SP tlog-checkpoint). */
export interface SignedCheckpoint {
  readonly size: number;
  readonly root: Hash;
  readonly note: string;
}

/** What a ledger proves, made from its rows; every proof is checked before it is given out. Rejects with {AttestError} LEDGER_* */
export interface Reader {
  readonly rows: Rows;
  readonly origin: string;
  /** Ed25519. */
  readonly publicKey: KeyObject;
  /** The newest checkpoint; undefined where the ledger has no record yet. */
  newest(): Promise<SignedCheckpoint | undefined>;
  /** The bundle of a row, over the checkpoint it was given out with, or over the one named. */
  bundle(row: Row, over?: SignedCheckpoint): Promise<Bundle>;
  /** Proves that the tree of `size` leaves has grown from that of `earlier`. */
  consistency(earlier: number, size: number): Promise<readonly Hash[]>;
  /** The root of the first `size` leaves, from the stored nodes. */
  root(size: number): Promise<Hash>;
  trustedRoot(): TrustedRoot;
}

/** Reads who a ledger is. Rejects with {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT */
export async function openReader(rows: Rows): Promise<Reader> {
  const identity = await rows.identity();
  const publicKey = keyOf(identity);
  const { origin, created } = identity;
  const logId = noteKeyId(origin, publicKey);
  const signed = (stored: StoredCheckpoint): SignedCheckpoint => checkpointOf(stored, origin, publicKey);
  return {
    rows,
    origin,
    publicKey,
    newest: async () => {
      const stored = await rows.lastCheckpoint();
      return stored === undefined ? undefined : signed(stored);
    },
    bundle: async (row, over) => {
      const stored = over ?? (await rows.checkpointOver(row.number));
      if (stored === undefined) throw corrupt(`entry ${row.number} has no checkpoint`);
      return proved(rows, { row, checkpoint: over ?? signed(stored), logId });
    },
    consistency: async (earlier, size) => withNodes(rows, (read) => consistencyProof(earlier, size, read)),
    root: async (size) => withNodes(rows, (read) => rootOf(size, read)),
    trustedRoot: () => trustedRootOf(origin, publicKey, new Date(created)),
  };
}

function keyOf({ publicKey }: Identity): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  } catch (cause) {
    throw corrupt('its key cannot be read', cause);
  }
}

/** A stored note, read and held against the key of its log. @throws {AttestError} LEDGER_CORRUPT */
export function checkpointOf(
  { size, note }: StoredCheckpoint,
  origin: string,
  publicKey: KeyObject,
): SignedCheckpoint {
  const read = readCheckpoint(note);
  if (
    read === undefined ||
    read.size !== size ||
    read.origin !== origin ||
    !isSignedBy(read, origin, publicKey)
  )
    throw corrupt(`its checkpoint over ${size} entries is not signed by its own key`);
  return { size, root: read.root, note };
}

interface Proof {
  readonly row: Row;
  readonly checkpoint: SignedCheckpoint;
  readonly logId: Uint8Array;
}

async function proved(rows: Rows, { row, checkpoint, logId }: Proof): Promise<Bundle> {
  const index = row.number;
  const body = leafBody(row);
  const hashes = await withNodes(rows, (read) => inclusionProof(index, checkpoint.size, read));
  const root = rootFromProof(hashLeaf(body), index, checkpoint.size, hashes);
  if (root === undefined || Buffer.compare(root, checkpoint.root) !== 0)
    throw corrupt(`entry ${index} is not what the log signed`);
  return bundleOf({
    envelope: {
      payload: Buffer.from(row.payload).toString('base64'),
      payloadType: row.payloadType,
      signatures: [{ sig: Buffer.from(row.signature).toString('base64') }],
    },
    publicKeyDer: row.publicKey,
    body,
    index,
    logId,
    checkpoint,
    hashes,
  });
}

const NOTHING = Buffer.alloc(32);

/** Which nodes a proof reads does not depend on their hashes: so they are first named, then read all at once. */
async function withNodes<T>(rows: Rows, work: (read: NodeReader) => T): Promise<T> {
  const wanted = new Set<number>();
  work((id) => {
    wanted.add(positionOf(id));
    return NOTHING;
  });
  const nodes = await rows.nodes([...wanted]);
  return work((id) => {
    const hash = nodes.get(positionOf(id));
    if (hash === undefined) throw corrupt(`node ${id.level}/${id.index} of the tree is missing`);
    return hash;
  });
}

/** Whether an older checkpoint is one that this ledger grew from; both were signed by its key already. */
export async function grewFrom(
  reader: Reader,
  earlier: SignedCheckpoint,
  later: SignedCheckpoint,
): Promise<boolean> {
  if (earlier.size > later.size) return false;
  return isConsistent({ earlier, later }, await reader.consistency(earlier.size, later.size));
}
