// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { type OciReference, parseOciReference } from '../../attest/oci/index.ts';
import { EngineError } from '../../engine/index.ts';
import { admitName, type Lock, type Pin, withReleases } from '../../engine/policy/release/index.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { BUNDLE_FLAGS, type BundleSettings, bundleSettings, REGISTRY_FLAGS } from '../bundles/flags.ts';
import { loadLock, saveLock } from '../bundles/lock.ts';
import { type OpenedBundle, openArchive, releaseFile, verificationOf } from '../bundles/open.ts';
import { pullBundle, registryAccess } from '../bundles/registry.ts';
import { policyTrust } from '../bundles/trust.ts';
import { codeOf } from '../cause.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { writeWhole } from '../files.ts';
import { findInstallation } from '../installation.ts';
import type { Io } from '../io.ts';
import { findProject } from '../loading/project.ts';

export const policyPull: Verb = {
  name: 'policy pull',
  summary: 'Pulls a bundle from an OCI registry, compares it with the lock file, and verifies its release.',
  positionals: 'oci://REGISTRY/REPOSITORY[:TAG][@DIGEST]',
  details:
    'Without --update what the tag stands for must be what the lock file says. With it the lock file is written anew, if the release is no older than the newest one seen.',
  flags: {
    output: { value: 'FILE', short: 'o', help: 'where to write the bundle (default bundle.tar.gz)' },
    update: { help: 'take what the tag stands for now, and write it into the lock file' },
    project: {
      value: 'FILE',
      help: 'the Project (default countersign.yaml in this folder, if there is one)',
    },
    env: { value: 'NAME', help: 'environment for which the key of the release must be trusted' },
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [target, more] = args.positionals;
  if (target === undefined || more !== undefined)
    throw new UsageError('one reference is wanted', 'countersign policy pull oci://REGISTRY/REPOSITORY:TAG');
  const reference = parseOciReference(target);
  const reader = openYamlReader(findInstallation().toolchain);
  const settings = bundleSettings(args, io, findProject(args.text('project'), reader));
  const trust = policyTrust(settings);
  const idle = ['env', 'allow-bundle'].find((flag) => args.has(flag));
  if (idle !== undefined && trust === undefined)
    throw new UsageError(
      `--${idle} has no effect: no key is trusted for policy`,
      'name one with --trust, or in the Project',
    );
  const lock = loadLock(settings.lock);
  const pulled = await pullBundle(reference, registryAccess(settings));
  const isUpdate = args.has('update');
  if (!isUpdate) refuseUnpinned(reference, pulled.digest, lock, settings);
  const verification = verificationOf(settings);
  const opened = await openArchive({ ...pulled, name: reference.name, trust }, settings, {
    yaml: () => reader,
    ...(verification === undefined ? {} : { verification }),
  });
  if (opened.release === undefined)
    io.err('note: no key is trusted for policy: the bundle counts by its digest alone\n');
  if (isUpdate)
    saveLock(settings.lock, updated(lock, { reference, digest: pulled.digest, opened }, settings));
  const output = args.text('output') ?? 'bundle.tar.gz';
  writeBytes(output, pulled.archive);
  // What lies there from before is about another bundle.
  if (pulled.release === undefined) rmSync(releaseFile(output), { force: true });
  else writeBytes(releaseFile(output), pulled.release);
  io.out(`${output}: ${reference.name}@${pulled.digest}\n`);
  return 0;
}

function refuseUnpinned(reference: OciReference, digest: string, lock: Lock, settings: BundleSettings): void {
  if (reference.digest === digest) return;
  const pin = lock.bundles.get(reference.name)?.digest;
  if (pin === digest) return;
  const name = JSON.stringify(reference.name);
  throw new EngineError(
    'BUNDLE_UNPINNED',
    pin === undefined
      ? `${name} has no digest in ${JSON.stringify(settings.lock)}`
      : `${name} stands for ${digest} now, and not for ${pin}`,
    { hint: 'look at what has changed, then pin it with --update' },
  );
}

/** The lock file with this bundle. A reference keeps the name of its release: another one signed by the same key is not it. */
function updated(
  lock: Lock,
  { reference, digest, opened }: { reference: OciReference; digest: string; opened: OpenedBundle },
  { allowed }: BundleSettings,
): Lock {
  const { release } = opened;
  admitName(reference.name, lock.bundles.get(reference.name)?.release, {
    ...(release === undefined ? {} : { release }),
    digest: opened.digest ?? '',
    allowed,
  });
  const pin: Pin = release === undefined ? { digest } : { digest, release: release.name };
  return {
    bundles: new Map(lock.bundles).set(reference.name, pin),
    releases: withReleases(lock.releases, release === undefined ? [] : [release]),
  };
}

function writeBytes(file: string, bytes: Uint8Array): void {
  try {
    writeWhole(file, bytes);
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `cannot write ${JSON.stringify(file)}: ${codeOf(cause)}`, {
      cause,
    });
  }
}
