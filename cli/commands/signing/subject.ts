// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { attach, resolveImage, type Subject } from '../../../attest/image/index.ts';
import type { AttestedSubject } from '../../../attest/index.ts';
import { type OciReference, parseOciReference, type RegistryAccess } from '../../../attest/oci/index.ts';
import { BUNDLE_MEDIA_TYPE } from '../../../attest/sign/index.ts';
import type { Args } from '../../args.ts';
import { bundleSettings } from '../../bundles/flags.ts';
import { registryAccess } from '../../bundles/registry.ts';
import { UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { readArtefact } from './artefact.ts';

/** An image as a registry has it now, and how it is reached. */
export interface Image {
  readonly reference: OciReference;
  readonly subject: Subject;
  readonly access: RegistryAccess;
}

/** What is attested; an image where it is one. */
export interface Target extends AttestedSubject {
  readonly image?: Image;
}

/**
 * What the command line names: a digest, a file that is there, or an image. An image has to name its registry, so that a file that is
 * not there is never taken for one.
 * @throws {UsageError} for what is none of them, and for flags about a registry where there is none
 */
export async function subjectOf(text: string, args: Args, io: Io): Promise<Target> {
  const isDigest = /^sha256:[0-9a-f]{64}$/.test(text);
  if (isDigest || (!text.startsWith('oci://') && existsSync(text))) {
    const idle = ['plain-http', 'allow-private'].find((flag) => args.has(flag));
    if (idle !== undefined)
      throw new UsageError(`--${idle} has no effect: ${JSON.stringify(text)} is no image`, 'leave it out');
    return isDigest ? { digest: text } : fileSubject(text);
  }
  const isImage =
    /^(?:oci:\/\/)?(?:localhost|[^/]*[.:][^/]*)(?::\d+)?\/./.test(text) && !/^\.{0,2}\//.test(text);
  if (!isImage)
    throw new UsageError(
      `${JSON.stringify(text)} is no file that is there, and no image`,
      'an image names its registry: registry.example/team/app@sha256:…; a digest is sha256: and 64 digits',
    );
  const reference = parseOciReference(text.startsWith('oci://') ? text : `oci://${text}`);
  const access = registryAccess(bundleSettings(args, io));
  const subject = await resolveImage(reference, access);
  if (reference.digest === undefined) io.err(`note: ${reference.name} is ${subject.digest} now\n`);
  return { name: nameOf(reference), digest: subject.digest, image: { reference, subject, access } };
}

function fileSubject(file: string): Target {
  return { name: basename(file), digest: `sha256:${hash('sha256', readArtefact(file), 'hex')}` };
}

const nameOf = ({ registry, repository }: OciReference): string => `${registry}/${repository}`;

/** Attaches a bundle to an image, and returns where it is then. */
export async function push(
  { reference, subject, access }: Image,
  { bundle, predicateType }: { readonly bundle: object; readonly predicateType: string },
): Promise<string> {
  const attachment = {
    artifactType: BUNDLE_MEDIA_TYPE,
    bytes: Buffer.from(JSON.stringify(bundle)),
    // By these cosign knows what a bundle holds, before it reads it.
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateType,
    },
  };
  return `${nameOf(reference)}@${await attach(reference, { subject, attachment }, access)}`;
}
