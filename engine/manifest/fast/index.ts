// SPDX-License-Identifier: Apache-2.0
// What rendered manifests consist of, read in one pass from bytes to the JSON that policies take, some ten times quicker than
// Kubernetes' own reader in WebAssembly. It knows block and one-line flow collections, plain, quoted and block scalars and
// comments, and leaves the whole file to that reader at the first sign of anything else (`leave`), so that its answer is equal or
// there is none: the characters and the separators (chunks.ts), collections (block.ts, flow.ts), scalars (plain.ts, quoted.ts,
// literal.ts, text.ts). writer.ts puts members in order as they come; tree.ts keeps places when a document with findings is read again.
// `npm run fuzz:yaml` holds it to the reader and its places to npm's yaml.
export { readFast } from './chunks.ts';
export { readFastTree } from './places.ts';
