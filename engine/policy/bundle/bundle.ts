// SPDX-License-Identifier: Apache-2.0
import type { ArchiveFile } from '../../archive/index.ts';
import { forbidden } from '../../archive/index.ts';
import { EngineError } from '../../error.ts';
import type { RegoSource } from '../../toolchain/rego.ts';
import type { YamlReader } from '../../toolchain/yaml.ts';
import { insertData } from './data.ts';
import { type ExactJson, type ExactObject, hashedText, parseExact, plainValue } from './json.ts';
import { type BundleManifest, isV0, NO_MANIFEST, readManifest } from './manifest/index.ts';
import { isBelow, packageOf, pathOutside } from './roots.ts';
import { type BundleVerification, type HashedForm, SIGNATURES_FILE, verifySignatures } from './signature.ts';
import { yamlValue } from './yaml.ts';

/** One module inside a bundle and what it is asked for, `a/b/c`; no entrypoint where the manifest names none. */
export interface WasmFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly entrypoints: readonly string[];
}

/** An OPA bundle as read: whole, inside its roots, signed where a key is configured. */
export interface Bundle {
  /** The path or address it was asked for by. */
  readonly name: string;
  readonly manifest: BundleManifest;
  /** Tests included; files are named `<bundle>/<path>`. */
  readonly sources: readonly RegoSource[];
  readonly data: ExactObject;
  readonly modules: readonly WasmFile[];
}

/** How a bundle is read. */
export interface BundleOptions {
  /** Asked for the first YAML file. */
  readonly yaml: () => YamlReader;
  /** With it the bundle must be signed. */
  readonly verification?: BundleVerification;
}

/**
 * Makes a bundle of its files, which are untrusted: first its signature, then what it says.
 * @throws {EngineError} BUNDLE_SIGNATURE | BUNDLE_MANIFEST | BUNDLE_ROOTS | BUNDLE_ENTRY | POLICY_DATA | POLICY_UNREADABLE
 */
export async function readBundle(
  name: string,
  files: readonly ArchiveFile[],
  options: BundleOptions,
): Promise<Bundle> {
  if (options.verification !== undefined)
    await verifySignatures({ name, files }, hashedForm(options.yaml), options.verification);
  refuseForeign(name, files);
  const manifestFile = files.find(({ path }) => path === '.manifest');
  const manifest =
    manifestFile === undefined
      ? NO_MANIFEST
      : readManifest(textOf(`${name}/.manifest`, manifestFile.bytes), name);
  const sources = files
    .filter(({ path }) => path.endsWith('.rego'))
    .map(({ path, bytes }): RegoSource => {
      const v0 = isV0(manifest.versions, path);
      const file = `${name}/${path}`;
      return { file, text: textOf(file, bytes), ...(v0 === undefined ? {} : { v0 }) };
    });
  const data = files
    .filter(({ path }) => isData(path))
    .reduce<ExactObject>((all, file) => insert(all, file, name, options.yaml), new Map());
  const bundle = { name, manifest, sources, data, modules: modulesOf(name, files, manifest) };
  refuseOutside(bundle);
  return bundle;
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const isYaml = (path: string): boolean => /^data\.ya?ml$/.test(baseOf(path));
const isData = (path: string): boolean => baseOf(path) === 'data.json' || isYaml(path);

/** What OPA would read as something that this reader does not: passing over it would make two bundles of one. */
function refuseForeign(name: string, files: readonly ArchiveFile[]): void {
  for (const { path } of files) {
    const base = baseOf(path);
    if (base === SIGNATURES_FILE && path !== SIGNATURES_FILE)
      throw forbidden(name, path, 'signatures belong to the root');
    if (path.endsWith('.manifest.pb'))
      throw forbidden(name, path, 'a manifest of this form is not supported');
    if (path.endsWith('.manifest') && path !== '.manifest')
      throw forbidden(name, path, 'the manifest belongs to the root');
    if (base === 'patch.json') throw deltaBundle(name, path);
    // OPA drops the dots in front of the path of data, so that two folders would be one.
    if (isData(path) && path !== base && path.startsWith('.'))
      throw forbidden(name, path, 'data cannot live in a hidden folder');
  }
}

/** It changes the data of a bundle that an OPA holds: what it makes of them depends on what was there, and no signature covers it. */
const deltaBundle = (name: string, path: string): EngineError =>
  new EngineError(
    'BUNDLE_ENTRY',
    `archive ${JSON.stringify(name)} holds ${JSON.stringify(path)}: a delta bundle is no policy by itself`,
    { hint: 'give the whole bundle; docs/bundles.md says why' },
  );

const MAX_SOURCE_BYTES = 4 * 1024 * 1024;

function textOf(label: string, bytes: Uint8Array): string {
  if (label.endsWith('.rego') && bytes.length > MAX_SOURCE_BYTES)
    throw new EngineError('POLICY_UNREADABLE', `${JSON.stringify(label)} is larger than 4 MiB`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `${JSON.stringify(label)} is not UTF-8 text`, { cause });
  }
}

function insert(data: ExactObject, file: ArchiveFile, name: string, yaml: () => YamlReader): ExactObject {
  const label = `${name}/${file.path}`;
  return insertData(data, file.path.split('/').slice(0, -1), exactOf({ ...file, label }, yaml), label);
}

/** The value of a structured file; whatever is wrong with it, it is no data. */
function exactOf(
  { path, bytes, label }: ArchiveFile & { readonly label: string },
  yaml: () => YamlReader,
): ExactJson {
  try {
    return isYaml(path) ? yamlValue(bytes, label, yaml()) : parseExact(textOf(label, bytes));
  } catch (cause) {
    const isFault = cause instanceof EngineError && cause.code.startsWith('INPUT_');
    if (!isFault && !(cause instanceof SyntaxError)) throw cause;
    throw new EngineError('POLICY_DATA', `${JSON.stringify(label)} is no data: ${cause.message}`, {
      cause,
      ...(isFault && cause.location !== undefined ? { location: cause.location } : {}),
    });
  }
}

/** The form of a file that OPA signs: structured files by their value, so that white space does not count. */
export const hashedForm =
  (yaml: () => YamlReader): HashedForm =>
  (file) =>
    isData(file.path) || file.path === '.manifest'
      ? hashedText(exactOf({ ...file, label: file.path }, yaml))
      : file.bytes;

/**
 * Documents of any name as one `data.json` at the root, each at the path of its folder: how Conftest reads a folder of data.
 * @throws {EngineError} POLICY_DATA
 */
export function joinData(documents: readonly ArchiveFile[], name: string): readonly ArchiveFile[] {
  if (documents.length === 0) return [];
  const all = documents.reduce<ExactObject>((data, file) => {
    const label = `${name}/${file.path}`;
    return insertData(data, file.path.split('/').slice(0, -1), jsonOf(file.bytes, label), label);
  }, new Map());
  return [{ path: 'data.json', bytes: Buffer.from(JSON.stringify(plainValue(all))) }];
}

function jsonOf(bytes: Uint8Array, label: string): ExactJson {
  try {
    return parseExact(textOf(label, bytes));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new EngineError('POLICY_DATA', `${JSON.stringify(label)} is no data: ${cause.message}`, { cause });
  }
}

function modulesOf(
  name: string,
  files: readonly ArchiveFile[],
  manifest: BundleManifest,
): readonly WasmFile[] {
  const modules = files
    .filter(({ path }) => baseOf(path) === 'policy.wasm')
    .map(({ path, bytes }) => ({
      path,
      bytes,
      entrypoints: manifest.wasm.filter(({ module }) => module === path).map(({ entrypoint }) => entrypoint),
    }));
  const missing = manifest.wasm.find(({ module }) => !modules.some(({ path }) => path === module));
  if (missing !== undefined)
    throw new EngineError(
      'BUNDLE_MANIFEST',
      `the .manifest of ${JSON.stringify(name)} names the module ${JSON.stringify(missing.module)}, which is not there`,
    );
  return modules;
}

function refuseOutside({ name, manifest, sources, data }: Omit<Bundle, 'modules'>): void {
  const fail = (what: string): never => {
    throw new EngineError(
      'BUNDLE_ROOTS',
      `${what} is outside of the roots of bundle ${JSON.stringify(name)}: ${JSON.stringify(manifest.roots)}`,
      { hint: 'move it, or add its path to "roots" in the .manifest' },
    );
  };
  const outside = pathOutside(data, manifest.roots);
  if (outside !== undefined) fail(`the data at ${JSON.stringify(outside.join('/'))}`);
  if (manifest.roots.includes('')) return;
  for (const { file, text } of sources) {
    const path = packageOf(text) ?? fail(`${JSON.stringify(file)}, whose package cannot be told,`);
    if (!isBelow(manifest.roots, path))
      fail(`package ${JSON.stringify(path.join('.'))} of ${JSON.stringify(file)}`);
  }
}
