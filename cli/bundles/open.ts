// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Trust } from '../../attest/index.ts';
import { readVerificationKey } from '../../attest/jws.ts';
import { parseOciReference } from '../../attest/oci/index.ts';
import { readArchive } from '../../engine/archive/index.ts';
import { EngineError } from '../../engine/index.ts';
import {
  type Bundle,
  type BundleOptions,
  type BundleVerification,
  readArchiveFile,
  readBundle,
  readReference,
} from '../../engine/policy/bundle/index.ts';
import {
  admitName,
  admitRelease,
  newestOf,
  type Release,
  verifyRelease,
} from '../../engine/policy/release/index.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import { readSource } from '../files.ts';
import type { BundleSettings } from './flags.ts';
import { loadLock } from './lock.ts';
import { pullBundle, registryAccess } from './registry.ts';
import { policyTrust } from './trust.ts';

export { joinBundles } from '../../engine/policy/bundle/index.ts';

/** A bundle that may be used, and the release it is where it was signed. */
export interface OpenedBundle extends Bundle {
  readonly release?: Release;
  /** `sha256:…` over the archive; absent for folders and files of Rego. */
  readonly digest?: string;
}

/** Where the release of an archive on this machine is kept. */
export const releaseFile = (archive: string): string => `${archive}.dsse.json`;

/**
 * Opens what `--policy` names, of whatever kind, verified as the settings ask: the one way in for every verb.
 * @throws {EngineError} POLICY_… | BUNDLE_… | LOCK_SHAPE @throws {AttestError} KEY_… | TRUST_SHAPE | REGISTRY_… | REFERENCE_SHAPE
 */
export async function openReferences(
  references: readonly string[],
  settings: BundleSettings,
  yaml: () => YamlReader,
): Promise<readonly OpenedBundle[]> {
  const verification = verificationOf(settings);
  const options: BundleOptions = { yaml, ...(verification === undefined ? {} : { verification }) };
  const trust = policyTrust(settings);
  const opened: OpenedBundle[] = [];
  for (const reference of new Set(references)) {
    const found = await fetchArchive(reference, settings, trust !== undefined);
    opened.push(
      found === undefined
        ? await readReference(reference, options)
        : await openArchive({ ...found, name: reference, trust }, settings, options),
    );
  }
  return opened;
}

/** An archive with what came beside it. */
export interface FetchedArchive {
  readonly archive: Uint8Array;
  readonly release?: Uint8Array;
}

/** The bytes of an archive, from a registry or this machine; undefined for anything else that a reference may name. */
async function fetchArchive(
  reference: string,
  settings: BundleSettings,
  isTrusted: boolean,
): Promise<FetchedArchive | undefined> {
  if (reference.startsWith('oci://')) return fetchPinned(reference, settings, isTrusted);
  if (!/\.(?:tar\.gz|tgz)$/i.test(reference)) return undefined;
  const file = releaseFile(reference);
  return {
    archive: readArchiveFile(reference),
    ...(existsSync(file) ? { release: readSource(file).bytes } : {}),
  };
}

/** A tag is only a name: what it stands for says the lock file, or the release that the settings let us follow. */
async function fetchPinned(
  reference: string,
  settings: BundleSettings,
  isTrusted: boolean,
): Promise<FetchedArchive> {
  const parsed = parseOciReference(reference);
  const access = registryAccess(settings);
  if (settings.follow === true && isTrusted) return pullBundle(parsed, access);
  const digest = parsed.digest ?? loadLock(settings.lock).bundles.get(parsed.name)?.digest;
  if (digest === undefined)
    throw new EngineError(
      'BUNDLE_UNPINNED',
      `${JSON.stringify(parsed.name)} has no digest in ${JSON.stringify(settings.lock)}`,
      {
        hint: `pin it: countersign policy pull ${parsed.name} --update`,
      },
    );
  return pullBundle({ ...parsed, digest }, access);
}

/** What an archive is opened with. */
export interface ArchiveQuestion extends FetchedArchive {
  readonly name: string;
  readonly trust: Trust | undefined;
}

/**
 * Opens an archive: who released it, whether it may still be used, and only then what is in it.
 * @throws {EngineError} BUNDLE_…
 */
export async function openArchive(
  { archive, release: envelope, name, trust }: ArchiveQuestion,
  settings: BundleSettings,
  options: BundleOptions,
): Promise<OpenedBundle> {
  const digest = `sha256:${createHash('sha256').update(archive).digest('hex')}`;
  const at = settings.io.now();
  const release =
    trust === undefined
      ? undefined
      : verifyRelease(envelope, {
          bundle: name,
          digest,
          trust,
          at,
          ...(settings.environment === undefined ? {} : { environment: settings.environment }),
        });
  if (release !== undefined) admit(release, name, settings);
  const bundle = await readBundle(name, readArchive(archive, name), options);
  if (release !== undefined) refuseOtherRoots(bundle, release);
  return { ...bundle, digest, ...(release === undefined ? {} : { release }) };
}

/** Whether a release that holds may be used now, by what the lock file and the server remember. */
function admit(
  release: Release,
  reference: string,
  { lock: file, memory, allowed, follow, io }: BundleSettings,
): void {
  const lock = loadLock(file);
  const seen = newestOf(lock.releases, memory?.releases ?? new Map());
  admitRelease(release, seen, { at: io.now(), allowed });
  if (follow !== true || !reference.startsWith('oci://')) return;
  const key = parseOciReference(reference).name;
  const known = (lock.bundles.get(key) ?? memory?.bundles.get(key))?.release;
  admitName(key, known, { release, digest: release.digest, allowed });
}

function refuseOtherRoots({ name, manifest }: Bundle, { roots }: Release): void {
  if (JSON.stringify([...manifest.roots].sort()) === JSON.stringify([...roots].sort())) return;
  throw new EngineError(
    'BUNDLE_SIGNATURE',
    `bundle ${JSON.stringify(name)} owns other parts of data than its release says`,
  );
}

/** How the files inside a bundle must be signed; undefined where no key was named. */
export function verificationOf(settings: BundleSettings): BundleVerification | undefined {
  const { verificationKey, algorithm, keyId, scope, io } = settings;
  if (verificationKey === undefined) return undefined;
  return {
    key: readVerificationKey(readSource(verificationKey).bytes, algorithm),
    keyId,
    at: io.now(),
    ...(scope === undefined ? {} : { scope }),
  };
}
