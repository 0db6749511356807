// SPDX-License-Identifier: Apache-2.0
// The verbs about the ledger, one file each. They are loaded together: they share nearly all that they need.
//   place.ts  where the ledger is    query.ts  what is asked for    lines.ts  how records are listed    named.ts  one by its name
// Those about checkpoints are in ../checkpoints: destinations.ts  where they are published, publishing.ts  by a server.

export { recordsPublish } from '../checkpoints/publish.ts';
export { recordsTiles } from '../checkpoints/tiles.ts';
export { recordsCheckpoint, recordsTrustedRoot } from '../checkpoints/trusted_root.ts';
export { recordsExport } from './export.ts';
export { recordsList } from './list.ts';
export { recordsProve } from './prove.ts';
export { recordsShow } from './show.ts';
export { recordsVerify } from './verify.ts';
export { recordsWaivers } from './waivers.ts';
