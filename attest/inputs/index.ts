// SPDX-License-Identifier: Apache-2.0
// What was evaluated, kept beside the ledger by digest and opaque here: store.ts is one SQLite file (`inputs.sqlite3`) of compressed
// bytes, keeper.ts writes to it in a thread of its own (keeper_worker.ts). Unlike the ledger it forgets: what is kept may be
// deleted after its time, and the records stay valid without it.

export { type Keeper, openKeeper } from './keeper.ts';
export { type Inputs, type Item, type KeptRow, openInputs } from './store.ts';
