// SPDX-License-Identifier: Apache-2.0
// `policy build --bundle`: loaded only where a bundle is written.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { readSigningKey } from '../../attest/jws.ts';
import { type ArchiveFile, forbidden, readArchive, writeArchive } from '../../engine/archive/index.ts';
import { EngineError } from '../../engine/index.ts';
import {
  type Bundle,
  hashedForm,
  joinBundles,
  readBundle,
  readReference,
  SIGNATURES_FILE,
  signFiles,
  statedVersions,
} from '../../engine/policy/bundle/index.ts';
import { inVersion, isBundlePath, readLibraries, withoutTests } from '../../engine/policy/index.ts';
import type { RegoToolchain } from '../../engine/toolchain/rego.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args } from '../args.ts';
import type { BundleSettings } from '../bundles/flags.ts';
import { openReferences } from '../bundles/open.ts';
import type { ExitCode } from '../exit.ts';
import { readSource, writeWhole } from '../files.ts';
import type { Io } from '../io.ts';
import { versionOf } from '../loading/version.ts';

/** What a bundle is built with. */
export interface BundleBuild {
  readonly yaml: () => YamlReader;
  readonly toolchain: RegoToolchain;
  readonly settings: () => BundleSettings;
  /** Folder of the shipped policies, whose libraries native rules import. */
  readonly policies: string;
}

/**
 * Writes the paths as one OPA bundle: Rego without tests, all data as one `data.json`, a manifest, and a signature where a key is
 * given. The same inputs give the same bytes.
 */
export async function buildBundle(args: Args, io: Io, tools: BundleBuild): Promise<ExitCode> {
  const bundles = await inputsOf(args, tools);
  const output = args.text('output') ?? 'bundle.tar.gz';
  const files = await filesOf(bundles, args, tools);
  const archive = writeArchive(await signed(files, args, tools), output);
  // Read back as anybody would: what does not hold is not written.
  await readBundle(output, readArchive(archive, output), { yaml: tools.yaml });
  write(output, archive);
  io.out(
    `${output}: ${archive.length} bytes, sha256:${createHash('sha256').update(archive).digest('hex')}\n`,
  );
  return 0;
}

/** Bundles are verified as everywhere; a folder or file of Rego becomes one here. */
async function inputsOf(args: Args, { yaml, settings }: BundleBuild): Promise<readonly Bundle[]> {
  const bundles: Bundle[] = [];
  for (const path of new Set(args.positionals)) {
    const isBundle = args.has('verification-key') || path.startsWith('oci://') || isBundlePath(path);
    if (isBundle) bundles.push(...(await openReferences([path], settings(), yaml)));
    else bundles.push(await readReference(path, { yaml, asBundle: true }));
  }
  return bundles;
}

async function filesOf(
  bundles: readonly Bundle[],
  args: Args,
  { toolchain, policies }: BundleBuild,
): Promise<readonly ArchiveFile[]> {
  const version = versionOf(args);
  const joined = joinBundles(bundles);
  const own = bundles.flatMap((bundle) =>
    inVersion(withoutTests(bundle.sources), version).map((source) => ({
      source,
      path: pathOf(source.file, bundle.name),
    })),
  );
  const needs = own.some(({ source }) => source.text.includes('data.countersign.lib.'));
  const brings = own.some(({ source }) => /^package countersign\.lib\./m.test(source.text));
  const libraries = (
    needs && !brings
      ? readLibraries(
          policies,
          own.map(({ source }) => source),
        )
      : []
  ).map((source) => ({
    source,
    path: `countersign/${source.file.slice(policies.length + 1).replaceAll('\\', '/')}`,
  }));
  const sources = [...own, ...libraries];
  if (sources.length > 0)
    await toolchain.check(
      sources.map(({ source }) => source),
      { strict: true },
    );
  refuseTwice(sources.map(({ path }) => path));
  const versions = statedVersions(sources.map(({ source, path }) => ({ path, v0: source.v0 === true })));
  return [
    ...sources.map(({ source, path }) => ({ path, bytes: Buffer.from(source.text) })),
    ...joined.modules.map(({ path, bytes }) => ({ path, bytes })),
    { path: 'data.json', bytes: Buffer.from(JSON.stringify(joined.data)) },
    { path: '.manifest', bytes: manifestOf(bundles, args, { hasLibraries: libraries.length > 0, versions }) },
  ];
}

/** A path inside its bundle; a single file stands at the root. */
const pathOf = (file: string, bundle: string): string =>
  file === bundle ? basename(file) : file.slice(bundle.length + 1);

function refuseTwice(paths: readonly string[]): void {
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) throw forbidden('the bundle', twice, 'two of the inputs hold it');
}

function manifestOf(
  bundles: readonly Bundle[],
  args: Args,
  { hasLibraries, versions }: { readonly hasLibraries: boolean; readonly versions: object },
): Uint8Array {
  const stated = args.list('root');
  const own = stated.length > 0 ? stated : bundles.flatMap(({ manifest }) => manifest.roots);
  const roots = hasLibraries && !own.includes('') ? [...own, 'countersign/lib'] : own;
  const revision =
    args.text('revision') ?? bundles.map(({ manifest }) => manifest.revision).find(Boolean) ?? '';
  const wasm = bundles.flatMap(({ manifest }) => manifest.wasm);
  const manifest = {
    revision,
    roots: [...new Set(roots)].sort(),
    ...(wasm.length === 0
      ? {}
      : { wasm: wasm.map(({ entrypoint, module }) => ({ entrypoint, module: `/${module}` })) }),
    ...versions,
  };
  return Buffer.from(`${JSON.stringify(manifest)}\n`);
}

async function signed(
  files: readonly ArchiveFile[],
  args: Args,
  { yaml }: BundleBuild,
): Promise<readonly ArchiveFile[]> {
  const file = args.text('signing-key');
  if (file === undefined) return files;
  const scope = args.text('scope');
  const bytes = await signFiles(files, hashedForm(yaml), {
    key: readSigningKey(readSource(file).bytes, args.text('signing-alg')),
    keyId: args.text('verification-key-id') ?? 'default',
    ...(scope === undefined ? {} : { scope }),
  });
  return [...files, { path: SIGNATURES_FILE, bytes }];
}

function write(output: string, archive: Uint8Array): void {
  try {
    writeWhole(output, archive);
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `cannot write ${JSON.stringify(output)}`, {
      cause,
      hint: 'choose another file with --output',
    });
  }
}
