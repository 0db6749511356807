// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttestError } from '../../attest/error.ts';
import {
  BUNDLE_LAYER,
  type Layer,
  type OciReference,
  pullArtefact,
  type RegistryAccess,
  readDockerConfig,
} from '../../attest/oci/index.ts';
import { type ArchiveFile, writeArchive } from '../../engine/archive/index.ts';
import { EngineError } from '../../engine/index.ts';
import { joinData } from '../../engine/policy/bundle/index.ts';
import { readSource } from '../files.ts';
import type { Io } from '../io.ts';
import type { BundleSettings } from './flags.ts';

/** The layer that holds the signature of a release: part of the artefact, so that one digest pins both. */
export const RELEASE_LAYER = 'application/vnd.dsse.envelope.v1+json';
/** The layers of Conftest's own pushes. */
export const CONFTEST_POLICY_LAYER = 'application/vnd.cncf.openpolicyagent.policy.layer.v1+rego';
export const CONFTEST_DATA_LAYER = 'application/vnd.cncf.openpolicyagent.data.layer.v1+json';

/** A bundle as a registry has it. */
export interface PulledBundle {
  /** Of the manifest. */
  readonly digest: string;
  /** `.tar.gz`, as it came or made of Conftest's layers. */
  readonly archive: Uint8Array;
  readonly release?: Uint8Array;
}

/** How registries are reached: credentials of Docker's `config.json`, and what the flags and the Project allow. */
export function registryAccess(settings: BundleSettings): RegistryAccess {
  const config = dockerConfig(settings.io);
  return {
    ...registryRules(settings),
    credentials: config === undefined ? () => undefined : readDockerConfig(config),
  };
}

/** The first file of credentials that there is: `$REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG/config.json`, `~/.docker/config.json`. */
export function dockerConfig({ env, homeDirectory }: Io): string | undefined {
  const file =
    env['REGISTRY_AUTH_FILE'] ?? join(env['DOCKER_CONFIG'] ?? join(homeDirectory, '.docker'), 'config.json');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** The rules without the credentials: plain values. */
export function registryRules({
  plainHttp,
  privateHosts,
  registries = [],
}: BundleSettings): Omit<RegistryAccess, 'credentials'> {
  const own = registries.filter((registry) => registry.private === true).map(({ host }) => withoutPort(host));
  return {
    plainHttp,
    privateHosts: [...privateHosts.map((host) => host.toLowerCase()), ...own],
    certificates: new Map(
      registries.flatMap(({ host, certificates }) =>
        certificates === undefined ? [] : [[host, readCertificates(certificates)]],
      ),
    ),
    mirrors: new Map(
      registries.flatMap(({ host, mirrors, mirrorsOnly = false }) =>
        mirrors === undefined ? [] : [[host, { places: mirrors, isClosed: mirrorsOnly }]],
      ),
    ),
  };
}

const withoutPort = (host: string): string => host.replace(/:\d+$/, '');

function readCertificates(file: string): string {
  const pem = Buffer.from(readSource(file).bytes).toString('utf8');
  try {
    for (const [one] of pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g))
      new X509Certificate(one);
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  } catch {
    // Said below.
  }
  throw new AttestError('TRUST_UNREADABLE', `${JSON.stringify(file)} holds no certificates (PEM)`);
}

/**
 * Pulls a bundle: the artefact of ours or of OPA (one layer `tar+gzip`, perhaps a release), or one that `conftest push` made.
 * @throws {AttestError} REGISTRY_… @throws {EngineError} BUNDLE_ARCHIVE where it is neither
 */
export async function pullBundle(reference: OciReference, access: RegistryAccess): Promise<PulledBundle> {
  const { digest, layers } = await pullArtefact(reference, access, (types) =>
    types.includes(BUNDLE_LAYER)
      ? (type) => type === BUNDLE_LAYER || type === RELEASE_LAYER
      : (type) => type === CONFTEST_POLICY_LAYER || type === CONFTEST_DATA_LAYER,
  );
  const [bundle, ...more] = layers.filter(({ mediaType }) => mediaType === BUNDLE_LAYER);
  const releases = layers.filter(({ mediaType }) => mediaType === RELEASE_LAYER);
  if (more.length > 0 || releases.length > 1)
    throw new EngineError(
      'BUNDLE_ARCHIVE',
      `${JSON.stringify(reference.name)} holds more than one bundle or release`,
    );
  if (bundle === undefined) return { digest, archive: fromConftest(layers, reference.name) };
  const [release] = releases;
  return { digest, archive: bundle.bytes, ...(release === undefined ? {} : { release: release.bytes }) };
}

/** Files by the titles of their layers; the documents of a folder become its one `data.json`. */
function fromConftest(layers: readonly Layer[], name: string): Uint8Array {
  if (layers.length === 0)
    throw new EngineError('BUNDLE_ARCHIVE', `${JSON.stringify(name)} holds no bundle and no policies`, {
      hint: 'countersign policy push, opa or conftest push make what is read here',
    });
  const files = layers.map(({ title, bytes, mediaType }) => {
    if (title === undefined)
      throw new EngineError('BUNDLE_ENTRY', `${JSON.stringify(name)} holds a layer without a name`);
    return { path: title.replace(/^\.?\//, ''), bytes, isData: mediaType === CONFTEST_DATA_LAYER };
  });
  const documents = files.filter(({ isData }) => isData);
  const policies: readonly ArchiveFile[] = files.filter(({ isData }) => !isData);
  return writeArchive([...policies, ...joinData(documents, name)], name);
}
