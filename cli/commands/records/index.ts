// SPDX-License-Identifier: Apache-2.0
// The verbs about the ledger, one file each. They are loaded together: they share nearly all that they need.
//   place.ts  where the ledger is    query.ts  what is asked for    lines.ts  how records are listed    named.ts  one by its name
//   destinations.ts  where checkpoints are published
export { recordsExport } from './export.ts';
export { recordsList } from './list.ts';
export { recordsProve } from './prove.ts';
export { recordsPublish } from './publish.ts';
export { recordsShow } from './show.ts';
export { recordsTiles } from './tiles.ts';
export { recordsCheckpoint, recordsTrustedRoot } from './trusted_root.ts';
export { recordsVerify } from './verify.ts';
