// SPDX-License-Identifier: Apache-2.0
// When a checkpoint was there, by the word of an RFC 3161 authority: `stamp` asks for it, `timed` verifies it. What is kept is the
// checkpoint beside a Sigstore bundle of its text, signed by the log as in the note itself, with the authority's timestamp.
export { stampCheckpoint } from './stamp.ts';
export { heldSince, readTimed, type TimedCheckpoint, type TimedQuestion } from './timed.ts';
