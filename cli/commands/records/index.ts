// SPDX-License-Identifier: Apache-2.0
// The verbs about the ledger, one file each. They are loaded together: they share nearly all that they need.
//   place.ts  where the ledger is    query.ts  what is asked for    lines.ts  how records are listed    named.ts  one by its name
export { recordsExport } from './export.ts';
export { recordsList } from './list.ts';
export { recordsShow } from './show.ts';
