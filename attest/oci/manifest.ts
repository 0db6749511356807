// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import type { HttpAnswer } from './http.ts';
import { DIGEST } from './reference.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_INDEX_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** What a manifest or an index says of another thing; its digest has yet to be compared with bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** Of a manifest that an index names. */
  readonly artifactType?: string;
  /** Those that are text. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** A manifest of layers. */
export interface Manifest {
  /** Computed over the bytes that were read. */
  readonly digest: string;
  readonly artifactType?: string;
  readonly layers: readonly Descriptor[];
}

/** The digest of bytes, as registries write it. */
export const digestOf = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes, 'hex')}`;

/** Reads one descriptor, or undefined. @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export function readDescriptor(value: unknown): Descriptor | undefined {
  const [mediaType, digest, size, artifactType, annotations] = [
    'mediaType',
    'digest',
    'size',
    'artifactType',
    'annotations',
  ].map((name) => memberOf(value, name));
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !DIGEST.test(digest)) return undefined;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
  return {
    mediaType,
    digest,
    size,
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    annotations: textsOf(annotations),
  };
}

function textsOf(value: unknown): Record<string, string> {
  const entries: [string, unknown][] = Object.entries(Object(value));
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Every descriptor of a list of at most `most`, or undefined where one is none. */
export function readDescriptors(value: unknown, most: number): readonly Descriptor[] | undefined {
  if (!Array.isArray(value) || value.length > most) return undefined;
  const read = value.map(readDescriptor).filter((one) => one !== undefined);
  return read.length === value.length ? read : undefined;
}

/** Reads the bytes of a manifest of 0 to `most` layers; undefined for anything else, such as an index. */
export function readManifest(bytes: Uint8Array, most: number): Manifest | undefined {
  const value = parseStrict(bytes)?.value;
  const mediaType = memberOf(value, 'mediaType') ?? MANIFEST_TYPE;
  const artifactType = memberOf(value, 'artifactType');
  const layers = readDescriptors(memberOf(value, 'layers'), most);
  if (mediaType !== MANIFEST_TYPE && mediaType !== DOCKER_MANIFEST_TYPE) return undefined;
  if (layers === undefined) return undefined;
  return {
    digest: digestOf(bytes),
    layers,
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
  };
}

/** A member of what may be an object, its own and no other's. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
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
