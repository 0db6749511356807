// SPDX-License-Identifier: Apache-2.0
// What comes after a Decision: records replayed and reported on. Loaded together: these verbs share nearly all that they need.
//   recorded.ts  records from files and from a ledger     instead.ts  policies in the place of the recorded ones
export { inputsPrune } from './prune.ts';
export { replay } from './replay.ts';
export { reportSample } from './sample.ts';
export { reportVsa } from './vsa.ts';
