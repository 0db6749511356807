// SPDX-License-Identifier: Apache-2.0
// Whether a ledger is what it was: the whole tree made again from its rows.
//   walk.ts  all rows, beside the leaves that were stored    align.ts  which row was deleted, changed, reordered or inserted
//   roots.ts  a tree leaf by leaf    audit.ts  rows, leaves, nodes and checkpoints held against one another
export { type Audit, type AuditQuestion, auditLedger, type Fault } from './audit.ts';
