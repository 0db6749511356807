// SPDX-License-Identifier: Apache-2.0
// Sigstore's log format, shared by those who write it (ledger/) and those who check it (verify/): an RFC 6962 tree whose leaves are
// Rekor v2 bodies, checkpoints as signed notes, and the trusted root that describes a log. Pure functions; nothing is stored here.

export { consistencyProof, type Growth, isConsistent } from './consistency.ts';
export { cosignedAt, readWitness, type Witness } from './cosignature.ts';
export { ENTRY_KIND, type EntryContent, entryBody } from './entry.ts';
export {
  type Checkpoint,
  checkpointSigner,
  isOrigin,
  isSignedBy,
  type NoteSignature,
  noteKeyId,
  readCheckpoint,
  readIndex,
} from './note.ts';
export { type TrustedRoot, type TrustedRootLog, trustedRootOf } from './root.ts';
export {
  frontierOf,
  type Hash,
  hashChildren,
  hashLeaf,
  inclusionProof,
  type NodeId,
  type NodeReader,
  nodesOfLeaf,
  positionOf,
  rootFromProof,
  rootOf,
} from './tree.ts';
