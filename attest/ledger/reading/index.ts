// SPDX-License-Identifier: Apache-2.0
// Reading a ledger, whatever its store: by auditors, without its key and without changing it.
//   rows.ts  what is stored, opaque    sqlite.ts  in a ledger's folder    reader.ts  what it proves
export { checkpointOf, grewFrom, openReader, type Reader, type SignedCheckpoint } from './reader.ts';
export type { Row, Rows } from './rows.ts';
export { openFileRows } from './sqlite.ts';
