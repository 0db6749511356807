// SPDX-License-Identifier: Apache-2.0
// The `.manifest` of a bundle: what it owns and answers (manifest.ts), and which language its files are written in (versions.ts), by
// patterns as OPA's own library reads them (glob.ts).
export { type BundleManifest, NO_MANIFEST, readManifest } from './manifest.ts';
export { isV0, statedVersions } from './versions.ts';
