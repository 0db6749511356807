// SPDX-License-Identifier: Apache-2.0
// The ledger: a transparency log in one SQLite file, with its Ed25519 key beside it. Rooms: reading/ proves without the key, audit/ finds
// what was tampered with, search/ finds records, publish/ hands out checkpoints, spool/ waits for it, postgres/ is it in a database.
//   ledger.ts  opens, names, appends, closes    queue.ts   group commit: concurrent appends share one transaction
//   grow.ts    a batch into the tree            recall.ts  a bundle out of it, and the check when it is opened
//   recorder.ts  signs and appends in a thread of its own (recorder_worker.ts), so that nobody waits for the disk
//   store.ts   the tables (only here: SQLite)   files.ts   folder, database file, key file    failure.ts  errors into ours

export type { Bundle, LogEntry } from './bundle.ts';
export { watchLedger } from './files.ts';
export { type Ledger, type LedgerOptions, openLedger } from './ledger.ts';
export { openRecorder, type Recorder, type RecorderOptions } from './recorder.ts';
