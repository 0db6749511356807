// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { readArchive } from '../../archive/index.ts';
import { EngineError } from '../../error.ts';
import { isBundlePath, readRegoSources } from '../sources.ts';
import { type Bundle, type BundleOptions, readBundle } from './bundle.ts';
import { readArchiveFile, readFolder } from './folder.ts';
import { NO_MANIFEST } from './manifest/index.ts';

/** How a reference is read. */
export interface ReferenceOptions extends BundleOptions {
  /** Reads a folder as a bundle even if nothing in it says that it is one. A verification key does the same. */
  readonly asBundle?: boolean;
}

/**
 * Reads what `--policy` may name on this machine: a bundle (`.tar.gz`, folder), a compiled module, a folder or file of Rego. A plain
 * folder of Rego has no data and owns everything. The one way in: every verb that takes policies uses it.
 * @throws {EngineError} POLICY_UNREADABLE | POLICY_EMPTY | BUNDLE_… | POLICY_DATA
 */
export async function readReference(path: string, options: ReferenceOptions): Promise<Bundle> {
  const isBundle = options.asBundle === true || options.verification !== undefined || isBundlePath(path);
  if (!isBundle) return { ...NOTHING, name: path, sources: readRegoSources(path) };
  if (isFolder(path)) {
    if (/\.(?:tar\.gz|tgz)$/i.test(path))
      throw new EngineError('BUNDLE_ARCHIVE', `${JSON.stringify(path)} is a folder, not an archive`);
    return readBundle(path, readFolder(path), options);
  }
  const bytes = readArchiveFile(path);
  if (options.verification !== undefined || /\.(?:tar\.gz|tgz)$/i.test(path))
    return readBundle(path, readArchive(bytes, path), options);
  if (path.endsWith('.wasm'))
    return { ...NOTHING, name: path, modules: [{ path: 'policy.wasm', bytes, entrypoints: [] }] };
  return { ...NOTHING, name: path, sources: readRegoSources(path) };
}

const NOTHING: Omit<Bundle, 'name'> = { manifest: NO_MANIFEST, sources: [], data: new Map(), modules: [] };

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
