// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../../error.ts';
import { type ExactJson, type ExactObject, isExactObject, parseExact } from '../json.ts';
import { isBelow, overlap, rootSegments } from '../roots.ts';
import { type RegoVersions, readVersions } from './versions.ts';

/** Which entrypoint a module inside the bundle answers. */
export interface WasmResolver {
  /** `a/b/c` */
  readonly entrypoint: string;
  /** Path of the module inside the bundle, without a leading slash. */
  readonly module: string;
}

/** The `.manifest` of a bundle. @see https://www.openpolicyagent.org/docs/management-bundles#bundle-file-format */
export interface BundleManifest {
  readonly revision: string;
  /** The parts of `data` that the bundle owns; `['']` is all of it. */
  readonly roots: readonly string[];
  readonly wasm: readonly WasmResolver[];
  /** Absent where the manifest does not say which language its files are in. */
  readonly versions?: RegoVersions;
  readonly metadata?: ExactObject;
}

/** What OPA takes a bundle without a manifest for. */
export const NO_MANIFEST: BundleManifest = { revision: '', roots: [''], wasm: [] };

// OPA reads keys in any case ("Roots" is roots to it), so a key that is not exactly one of these might be one that it obeys.
const KEYS: ReadonlySet<string> = new Set([
  'revision',
  'roots',
  'wasm',
  'rego_version',
  'file_rego_versions',
  'metadata',
]);

/**
 * Reads a `.manifest`.
 * @throws {EngineError} BUNDLE_MANIFEST (malformed, unknown key, a version of Rego that is not known) | BUNDLE_ROOTS (roots that overlap)
 */
export function readManifest(text: string, bundle: string): BundleManifest {
  const fail = (why: string): never => {
    throw new EngineError('BUNDLE_MANIFEST', `the .manifest of ${JSON.stringify(bundle)} ${why}`, {
      hint: 'docs/bundles.md lists what a manifest may say',
    });
  };
  const manifest = objectOf(text, fail);
  const unknown = [...manifest.keys()].find((key) => !KEYS.has(key));
  if (unknown !== undefined) fail(`has the unknown key ${JSON.stringify(unknown)}`);
  // OPA takes null for "not stated", which for roots is everything.
  const empty = [...manifest].find(([, value]) => value === null)?.[0];
  if (empty !== undefined) fail(`has nothing under ${JSON.stringify(empty)}`);
  const revision = manifest.get('revision') ?? '';
  const metadata = manifest.get('metadata');
  if (typeof revision !== 'string') return fail('has a revision that is no string');
  if (metadata !== undefined && !isExactObject(metadata)) return fail('has metadata that is no object');
  const versions = readVersions(manifest, fail);
  const roots = rootsOf(manifest, bundle, fail);
  return {
    revision,
    roots,
    wasm: resolversOf(manifest, roots, fail),
    ...(versions === undefined ? {} : { versions }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

type Fail = (why: string) => never;

function objectOf(text: string, fail: Fail): ExactObject {
  try {
    const value = parseExact(text);
    return isExactObject(value) ? value : fail('is no object');
  } catch (error) {
    return error instanceof SyntaxError ? fail(`is malformed: ${error.message}`) : fail('is malformed');
  }
}

function rootsOf(manifest: ExactObject, bundle: string, fail: Fail): readonly string[] {
  const stated = manifest.get('roots') ?? [''];
  if (!Array.isArray(stated)) return fail('has roots that are no list');
  const roots = stated.map((root: ExactJson) =>
    typeof root === 'string' ? rootSegments(root).join('/') : fail('has a root that is no string'),
  );
  for (const [index, root] of roots.entries())
    for (const other of roots.slice(index + 1))
      if (overlap(root, other))
        throw new EngineError(
          'BUNDLE_ROOTS',
          `the .manifest of ${JSON.stringify(bundle)} has roots that overlap: ${JSON.stringify(root)} and ${JSON.stringify(other)}`,
        );
  return roots;
}

function resolversOf(manifest: ExactObject, roots: readonly string[], fail: Fail): readonly WasmResolver[] {
  const stated = manifest.get('wasm') ?? [];
  if (!Array.isArray(stated)) return fail('has wasm that is no list');
  const seen = new Set<string>();
  return stated.map((resolver: ExactJson) => {
    const entrypoint = isExactObject(resolver) ? resolver.get('entrypoint') : undefined;
    const module = isExactObject(resolver) ? resolver.get('module') : undefined;
    if (typeof entrypoint !== 'string' || typeof module !== 'string')
      return fail('has a wasm resolver without entrypoint and module');
    if (seen.has(entrypoint)) fail(`gives the entrypoint ${JSON.stringify(entrypoint)} to two modules`);
    seen.add(entrypoint);
    if (!isBelow(roots, rootSegments(entrypoint)))
      throw new EngineError(
        'BUNDLE_ROOTS',
        `the roots do not hold the entrypoint ${JSON.stringify(entrypoint)}`,
      );
    return { entrypoint, module: module.replace(/^\//, '') };
  });
}
