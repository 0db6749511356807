// SPDX-License-Identifier: Apache-2.0
// The verbs that sign artefacts: sign.ts a file, attest.ts what is said of an image, a file or a digest (subject.ts).
export { attest } from './attest.ts';
export { sign } from './sign.ts';
