// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import { digestOf, expectStatus, MANIFEST_TYPE } from './manifest.ts';
import { PULL_LIMITS } from './pull.ts';
import type { OciReference } from './reference.ts';
import { locationOf, openSession, type RegistryAccess, type Session } from './session.ts';

/** One layer to be pushed. */
export interface NewLayer {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Its file name for clients that write files. */
  readonly title?: string;
}

const CONFIG = { mediaType: 'application/vnd.oci.image.config.v1+json', bytes: Buffer.from('{}') } as const;

/**
 * Pushes layers and a manifest over them, and returns the manifest's digest. The same layers and annotations give the same manifest.
 * @throws {AttestError} REFERENCE_SHAPE (no tag to push to) | REGISTRY_…
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push
 */
export async function pushArtefact(
  reference: OciReference,
  artefact: { readonly layers: readonly NewLayer[]; readonly annotations?: Readonly<Record<string, string>> },
  access: RegistryAccess,
): Promise<string> {
  const { tag } = reference;
  if (tag === undefined || reference.digest !== undefined)
    throw new AttestError('REFERENCE_SHAPE', 'a push goes to a tag, not to a digest', {
      hint: 'such as oci://registry.example/team/policies:v1',
    });
  const session = openSession(reference, 'pull,push', access);
  for (const blob of [CONFIG, ...artefact.layers]) await pushBlob(session, blob.bytes, reference);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: descriptorOf(CONFIG),
      layers: artefact.layers.map(descriptorOf),
      ...(artefact.annotations === undefined ? {} : { annotations: artefact.annotations }),
    }),
  );
  const answer = await session.request({
    method: 'PUT',
    url: session.url(`manifests/${tag}`),
    headers: { 'content-type': MANIFEST_TYPE },
    body: manifest,
    maxBytes: PULL_LIMITS.manifestBytes,
    timeoutMs: PULL_LIMITS.timeoutMs,
  });
  expectStatus(answer, 201, `write ${reference.name}`);
  return digestOf(manifest);
}

const descriptorOf = ({ mediaType, bytes, title }: NewLayer): object => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
  ...(title === undefined ? {} : { annotations: { 'org.opencontainers.image.title': title } }),
});

/** Pushes a blob where the registry does not have it. @throws {AttestError} REGISTRY_… */
export async function pushBlob(session: Session, bytes: Uint8Array, reference: OciReference): Promise<void> {
  const digest = digestOf(bytes);
  const limits = { maxBytes: 64 * 1024, timeoutMs: PULL_LIMITS.timeoutMs } as const;
  const known = await session.request({ method: 'HEAD', url: session.url(`blobs/${digest}`), ...limits });
  if (known.status === 200) return;
  const opened = await session.request({ method: 'POST', url: session.url('blobs/uploads/'), ...limits });
  expectStatus(opened, 202, `write to ${reference.name}`);
  const place = locationOf(opened.headers.location, session.url('blobs/uploads/'));
  place.searchParams.set('digest', digest);
  const stored = await session.request({
    method: 'PUT',
    url: place,
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
    maxBytes: limits.maxBytes,
    timeoutMs: PULL_LIMITS.bundleTimeoutMs,
  });
  expectStatus(stored, 201, `write a layer of ${reference.name}`);
}
