// SPDX-License-Identifier: Apache-2.0
// What comes after a Decision: records replayed and reported on. Loaded together: these verbs share nearly all that they need.
//   recorded.ts  records from files and from a ledger     instead.ts  policies in the place of the recorded ones
//   reports/     what an auditor is handed: sample.ts draws changes, evidence.ts packs what a framework asks for

export { inputsPrune } from './prune.ts';
export { replay } from './replay.ts';
export { reportEvidence } from './reports/evidence.ts';
export { reportSample } from './reports/sample.ts';
export { reportVsa } from './vsa.ts';
