// SPDX-License-Identifier: Apache-2.0
// OPA bundles: reference.ts is the way in for whatever `--policy` may name. Files of an archive or folder (folder.ts) become a
// Bundle (bundle.ts): its signature first (signature.ts), then manifest, Rego, data (json.ts is exact, data.ts merges) and modules,
// all inside its roots (roots.ts). join.ts makes one policy of several; wasm.ts evaluates modules made elsewhere.
// Loaded only where a bundle is named.
export {
  type Bundle,
  type BundleOptions,
  hashedForm,
  joinData,
  readBundle,
  type WasmFile,
} from './bundle.ts';
export { readArchiveFile } from './folder.ts';
export { type JoinedBundles, joinBundles } from './join.ts';
export { type ExactObject, plainValue } from './json.ts';
export { type BundleManifest, NO_MANIFEST, statedVersions } from './manifest/index.ts';
export { type ReferenceOptions, readReference } from './reference.ts';
export { rootSegments } from './roots.ts';
export { type BundleVerification, SIGNATURES_FILE, signFiles } from './signature.ts';
export { loadWasmPolicy, type WasmFacts } from './wasm.ts';
