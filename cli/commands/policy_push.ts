// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { BUNDLE_LAYER, type NewLayer, parseOciReference, pushArtefact } from '../../attest/oci/index.ts';
import { readArchive } from '../../engine/archive/index.ts';
import { EngineError } from '../../engine/index.ts';
import { type Bundle, plainValue, readArchiveFile, readBundle } from '../../engine/policy/bundle/index.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { bundleSettings, REGISTRY_FLAGS } from '../bundles/flags.ts';
import { releaseFile } from '../bundles/open.ts';
import {
  CONFTEST_DATA_LAYER,
  CONFTEST_POLICY_LAYER,
  RELEASE_LAYER,
  registryAccess,
} from '../bundles/registry.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { readSource } from '../files.ts';
import { findInstallation } from '../installation.ts';
import type { Io } from '../io.ts';

export const policyPush: Verb = {
  name: 'policy push',
  summary: 'Pushes a bundle to an OCI registry, with its release where it was signed.',
  positionals: 'BUNDLE.tar.gz oci://REGISTRY/REPOSITORY:TAG',
  details:
    "OPA reads the bundle, conftest pull its Rego and data. Credentials are those of Docker's config.json for exactly this registry; credential helpers and proxies are not used.",
  flags: REGISTRY_FLAGS,
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [file, target, more] = args.positionals;
  if (file === undefined || target === undefined || more !== undefined)
    throw new UsageError(
      'a bundle and a reference are wanted',
      'countersign policy push BUNDLE.tar.gz oci://…',
    );
  const reference = parseOciReference(target);
  const archive = readArchiveFile(file);
  const yaml = (): ReturnType<typeof openYamlReader> => openYamlReader(findInstallation().toolchain);
  const bundle = await readBundle(file, readArchive(archive, file), { yaml });
  const signed = releaseFile(file);
  const layers: readonly NewLayer[] = [
    { mediaType: BUNDLE_LAYER, bytes: archive, title: basename(file) },
    ...releaseLayer(signed, archive),
    ...conftestLayers(bundle),
  ];
  const access = registryAccess(bundleSettings(args, io));
  const digest = await pushArtefact(reference, { layers, annotations: annotationsOf(bundle) }, access);
  io.out(`${reference.name}@${digest}\n`);
  return 0;
}

/** The release beside an archive; one that was made of another archive is a mistake that every reader would refuse. */
function releaseLayer(file: string, archive: Uint8Array): readonly NewLayer[] {
  if (!existsSync(file)) return [];
  const { bytes } = readSource(file);
  const sha256 = hash('sha256', archive, 'hex');
  const payload = /"payload":"([A-Za-z0-9+/=]+)"/.exec(Buffer.from(bytes).toString('latin1'))?.[1] ?? '';
  if (!Buffer.from(payload, 'base64').toString('utf8').includes(sha256))
    throw new EngineError('BUNDLE_SIGNATURE', `${JSON.stringify(file)} is about another archive`, {
      hint: 'sign the bundle again: countersign policy sign',
    });
  return [{ mediaType: RELEASE_LAYER, bytes }];
}

/** What `conftest pull` writes into its policy folder. An artefact of ours is read by the first layer alone. */
function conftestLayers(bundle: Bundle): readonly NewLayer[] {
  const policies = bundle.sources.map(({ file, text }) => ({
    mediaType: CONFTEST_POLICY_LAYER,
    bytes: Buffer.from(text),
    title: file.slice(bundle.name.length + 1),
  }));
  if (bundle.data.size === 0) return policies;
  const data = Buffer.from(JSON.stringify(plainValue(bundle.data)));
  return [...policies, { mediaType: CONFTEST_DATA_LAYER, bytes: data, title: 'data.json' }];
}

const annotationsOf = ({ manifest }: Bundle): Record<string, string> => ({
  ...(manifest.revision === '' ? {} : { 'org.opencontainers.image.revision': manifest.revision }),
});
