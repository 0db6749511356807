// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import type { HttpAnswer } from './http.ts';
import { DIGEST, type OciReference } from './reference.ts';
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
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER_MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
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
  const { digest, manifest } = await pullManifest(session, reference);
  const layers = layersOf(manifest) ?? malformed(reference);
  const isWanted = wanted(layers.map(({ mediaType }) => mediaType));
  const chosen = layers.filter(({ mediaType }) => isWanted(mediaType));
  const total = chosen.reduce((sum, { size }) => sum + size, 0);
  if (total > PULL_LIMITS.bundleBytes + PULL_LIMITS.layerBytes)
    throw content(reference, `its layers have ${total} bytes`);
  const pulled: Layer[] = [];
  for (const layer of chosen) pulled.push(await pullLayer(session, layer, reference));
  return { digest, layers: pulled };
}

const digestOf = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes, 'hex')}`;

const content = ({ name }: OciReference, why: string): AttestError =>
  new AttestError('REGISTRY_CONTENT', `${JSON.stringify(name)} cannot be used: ${why}`);

const malformed = (reference: OciReference): never => {
  throw content(reference, 'its manifest is no OCI image manifest with layers');
};

async function pullManifest(
  session: Session,
  reference: OciReference,
): Promise<{ readonly digest: string; readonly manifest: unknown }> {
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
  const manifest = parseStrict(answer.body)?.value ?? malformed(reference);
  return { digest, manifest };
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly title?: string;
}

function layersOf(manifest: unknown): readonly Descriptor[] | undefined {
  const mediaType: unknown = Reflect.get(Object(manifest), 'mediaType') ?? MANIFEST_TYPE;
  const stated: unknown = Reflect.get(Object(manifest), 'layers');
  if (mediaType !== MANIFEST_TYPE && mediaType !== DOCKER_MANIFEST_TYPE) return undefined;
  if (!Array.isArray(stated) || stated.length === 0 || stated.length > PULL_LIMITS.layers) return undefined;
  const layers = stated.map(descriptorOf).filter((layer) => layer !== undefined);
  return layers.length === stated.length ? layers : undefined;
}

function descriptorOf(value: unknown): Descriptor | undefined {
  const [mediaType, digest, size, annotations]: unknown[] = [
    'mediaType',
    'digest',
    'size',
    'annotations',
  ].map((name): unknown => Reflect.get(Object(value), name));
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !DIGEST.test(digest)) return undefined;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
  const title: unknown = Reflect.get(Object(annotations), 'org.opencontainers.image.title');
  return { mediaType, digest, size, ...(typeof title === 'string' ? { title } : {}) };
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
  const { mediaType, digest, title } = layer;
  return { mediaType, digest, bytes: answer.body, ...(title === undefined ? {} : { title }) };
}

/** @throws {AttestError} REGISTRY_REFUSED (401, 403, 404) | REGISTRY_UNAVAILABLE */
export function expectStatus({ status }: HttpAnswer, wanted: number, what: string): void {
  if (status === wanted) return;
  const isRefused = status === 401 || status === 403 || status === 404;
  throw new AttestError(
    isRefused ? 'REGISTRY_REFUSED' : 'REGISTRY_UNAVAILABLE',
    `the registry does not let us ${what}: HTTP ${status}`,
    {
      hint:
        status === 404
          ? 'check the name and the tag'
          : 'docker login writes the credentials that are used (config.json; credential helpers are not run)',
    },
  );
}
