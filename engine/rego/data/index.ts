// SPDX-License-Identifier: Apache-2.0
// The data that a policy evaluates with, changed in place. store.ts is the way in: a tree of documents in a machine's memory below
// the heap of evaluations. area.ts hands out and takes back memory; directory.ts lays out the objects on the way to what was changed
// exactly as the module's own parser would; layout.ts reads what that parser made and holds the module to its layout.
export { type DataPath, Store, type StoreRequest } from './store.ts';
