// SPDX-License-Identifier: Apache-2.0
// What leaves the house of a ledger: checkpoints, which others keep, and tiles, from which they make every proof themselves.
//   publisher.ts  all destinations    witness.ts  cosignatures    git.ts  commits    post.ts  HTTP    tiles.ts, folder.ts  files
//   timestamp.ts  times
export { readAddress } from './post.ts';
export { type Destination, openPublisher, type Published, type Publisher } from './publisher.ts';
export { type Tiles, writeTiles } from './tiles.ts';
