// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import {
  type Descriptor,
  DOCKER_MANIFEST_TYPE,
  digestOf,
  expectStatus,
  MANIFEST_TYPE,
  type Manifest,
  readManifest,
} from './manifest.ts';
import type { OciReference } from './reference.ts';
import { openSession, type RegistryAccess, type Session } from './session.ts';

/** One layer of an artefact, its bytes checked against its digest. */
export interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  /** What the annotation `org.opencontainers.image.title` calls it. */
  readonly title?: string;
  readonly bytes: Uint8Array;
}

/** An artefact as it was pulled. */
export interface Artefact {
  /** Of the manifest, over the bytes that were read. */
  readonly digest: string;
  readonly layers: readonly Layer[];
}

const MIB = 1024 * 1024;
export const BUNDLE_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** What one artefact may cost. */
export const PULL_LIMITS = {
  manifestBytes: 4 * MIB,
  layerBytes: 16 * MIB,
  bundleBytes: 64 * MIB,
  layers: 1_024,
  timeoutMs: 10_000,
  bundleTimeoutMs: 60_000,
} as const;

/**
 * Pulls an artefact: its manifest, then its layers, each compared with its digest. What is asked for by digest is that or an error.
 * @param wanted which layers to fetch, by media type; others are left where they are
 * @throws {AttestError} REGISTRY_…
 */
export async function pullArtefact(
  reference: OciReference,
  access: RegistryAccess,
  wanted: (mediaTypes: readonly string[]) => (mediaType: string) => boolean,
): Promise<Artefact> {
  const session = openSession(reference, 'pull', access);
  const { digest, layers } = await pullManifest(session, reference);
  const isWanted = wanted(layers.map(({ mediaType }) => mediaType));
  const chosen = layers.filter(({ mediaType }) => isWanted(mediaType));
  const total = chosen.reduce((sum, { size }) => sum + size, 0);
  if (total > PULL_LIMITS.bundleBytes + PULL_LIMITS.layerBytes)
    throw content(reference, `its layers have ${total} bytes`);
  const pulled: Layer[] = [];
  for (const layer of chosen) pulled.push(await pullLayer(session, layer, reference));
  return { digest, layers: pulled };
}

const content = ({ name }: OciReference, why: string): AttestError =>
  new AttestError('REGISTRY_CONTENT', `${JSON.stringify(name)} cannot be used: ${why}`);

const malformed = (reference: OciReference): never => {
  throw content(reference, 'its manifest is no OCI image manifest with layers');
};

async function pullManifest(session: Session, reference: OciReference): Promise<Manifest> {
  const answer = await session.request({
    method: 'GET',
    url: session.url(`manifests/${reference.digest ?? reference.tag ?? 'latest'}`),
    headers: { accept: `${MANIFEST_TYPE}, ${DOCKER_MANIFEST_TYPE}` },
    maxBytes: PULL_LIMITS.manifestBytes,
    timeoutMs: PULL_LIMITS.timeoutMs,
  });
  expectStatus(answer, 200, `read ${reference.name}`);
  const digest = digestOf(answer.body);
  const stated = answer.headers['docker-content-digest'];
  if (reference.digest !== undefined && reference.digest !== digest)
    throw content(reference, `its manifest has the digest ${digest}, not ${reference.digest}`);
  if (stated !== undefined && stated !== digest)
    throw content(reference, 'the registry states another digest than that of its manifest');
  const manifest = readManifest(answer.body, PULL_LIMITS.layers) ?? malformed(reference);
  return manifest.layers.length === 0 ? malformed(reference) : manifest;
}

async function pullLayer(session: Session, layer: Descriptor, reference: OciReference): Promise<Layer> {
  const isBundle = layer.mediaType === BUNDLE_LAYER;
  const maxBytes = isBundle ? PULL_LIMITS.bundleBytes : PULL_LIMITS.layerBytes;
  if (layer.size > maxBytes)
    throw content(reference, `a layer has ${layer.size} bytes, more than ${maxBytes}`);
  const answer = await session.request({
    method: 'GET',
    url: session.url(`blobs/${layer.digest}`),
    maxBytes: layer.size,
    timeoutMs: isBundle ? PULL_LIMITS.bundleTimeoutMs : PULL_LIMITS.timeoutMs,
  });
  expectStatus(answer, 200, `read a layer of ${reference.name}`);
  if (answer.body.length !== layer.size || digestOf(answer.body) !== layer.digest)
    throw content(reference, `the bytes of layer ${layer.digest} are others`);
  const { mediaType, digest, annotations } = layer;
  const title = annotations['org.opencontainers.image.title'];
  return { mediaType, digest, bytes: answer.body, ...(title === undefined ? {} : { title }) };
}
