// SPDX-License-Identifier: Apache-2.0
import { createPublicKey } from 'node:crypto';
import { hashLeaf, inclusionProof, isSignedBy, readCheckpoint, rootFromProof, rootOf } from '../log/index.ts';
import { type Bundle, bundleOf } from './bundle.ts';
import { corrupt } from './failure.ts';
import { leafBody } from './grow.ts';
import type { Identity, Store } from './store.ts';

/**
 * Makes the bundle of entry `index` again, equal in every byte to the one that its append resolved with; undefined beyond the end.
 * A row that somebody edited no longer leads to a root that the log signed.
 * @throws {AttestError} LEDGER_CORRUPT | LEDGER_UNAVAILABLE
 */
export function recall(store: Store, logId: Uint8Array, index: number): Bundle | undefined {
  if (!Number.isSafeInteger(index) || index < 0 || index >= store.size()) return undefined;
  const entry = store.entry(index);
  const stored = store.checkpointOver(index);
  const checkpoint = stored === undefined ? undefined : readCheckpoint(stored.note);
  if (entry === undefined || stored === undefined || checkpoint === undefined)
    throw corrupt(`entry ${index} or its checkpoint is missing`);
  const body = leafBody(entry);
  const hashes = inclusionProof(index, stored.size, (id) => store.node(id));
  const root = rootFromProof(hashLeaf(body), index, stored.size, hashes);
  if (checkpoint.size !== stored.size || root === undefined || !same(root, checkpoint.root))
    throw corrupt(`entry ${index} is not what the log signed`);
  return bundleOf({
    envelope: {
      payload: Buffer.from(entry.payload).toString('base64'),
      payloadType: entry.payloadType,
      signatures: [{ sig: Buffer.from(entry.signature).toString('base64') }],
    },
    publicKeyDer: entry.publicKey,
    body,
    index,
    logId,
    checkpoint: { size: stored.size, root: checkpoint.root, note: stored.note },
    hashes,
  });
}

/**
 * Checks in O(log n) that the file holds what the log last signed: the checkpoint is the log's own, covers every row, and its root
 * follows from the stored nodes. Single entries are checked when they are read.
 * @throws {AttestError} LEDGER_CORRUPT
 */
export function checkStore(store: Store, identity: Identity): void {
  store.snapshot(() => {
    const size = store.size();
    const last = store.lastCheckpoint();
    if (size === 0 && last === undefined) return;
    const note = last === undefined ? undefined : readCheckpoint(last.note);
    if (last === undefined || note === undefined) throw corrupt('its checkpoint is missing or unreadable');
    const key = createPublicKey({ key: Buffer.from(identity.publicKey), format: 'der', type: 'spki' });
    if (note.origin !== identity.origin || !isSignedBy(note, identity.origin, key))
      throw corrupt('its last checkpoint is not signed by its own key');
    if (last.size !== size || note.size !== size)
      throw corrupt(`it has ${size} entries, its last checkpoint ${note.size}`);
    const entry = store.entry(size - 1);
    const leaf = store.node({ level: 0, index: size - 1 });
    if (entry === undefined || store.entry(0) === undefined || !same(hashLeaf(leafBody(entry)), leaf))
      throw corrupt('an entry is missing or changed');
    if (
      !same(
        rootOf(size, (id) => store.node(id)),
        note.root,
      )
    )
      throw corrupt('its tree does not have the root that it signed');
  });
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
