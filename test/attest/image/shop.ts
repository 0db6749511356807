// SPDX-License-Identifier: Apache-2.0
import type { RegistryAccess } from '../../../attest/oci/index.ts';
import { digestOf, type FakeRegistry } from '../oci/registry.ts';

export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const ENVELOPE_TYPE = 'application/vnd.dsse.envelope.v1+json';
export const SIMPLE_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** The digest of an image that nobody has to have: only what is attached to it is read. */
export const IMAGE = `sha256:${'a'.repeat(64)}`;
export const REPOSITORY = 'shop/web';
export const TAG = IMAGE.replace(':', '-');

/** How the fakes are spoken with. */
export const ACCESS: RegistryAccess = { plainHttp: true, privateHosts: [], credentials: () => undefined };

/** One layer to be attached. */
export interface NewLayer {
  readonly type: string;
  readonly bytes: Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Puts a manifest over these layers into a registry and returns its descriptor. */
export function putManifest(registry: FakeRegistry, layers: readonly NewLayer[]): Buffer {
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      layers: layers.map(({ type, bytes, annotations }) => ({
        mediaType: type,
        digest: digestOf(bytes),
        size: bytes.length,
        ...(annotations === undefined ? {} : { annotations }),
      })),
    }),
  );
  for (const { bytes } of layers) registry.blobs.set(digestOf(bytes), bytes);
  registry.manifests.set(`${REPOSITORY}:${digestOf(manifest)}`, manifest);
  return manifest;
}

/** A descriptor of a manifest, as an index has it. */
export const descriptorOf = (manifest: Buffer, artifactType: string = BUNDLE_TYPE): object => ({
  mediaType: MANIFEST_TYPE,
  digest: digestOf(manifest),
  size: manifest.length,
  artifactType,
});

export const indexOf = (manifests: readonly object[]): Buffer =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));

/** Attaches a bundle, found by the fallback tag: this registry has no referrers API. */
export function attachBundle(registry: FakeRegistry, bytes: Buffer): Buffer {
  const manifest = putManifest(registry, [{ type: BUNDLE_TYPE, bytes }]);
  registry.manifests.set(`${REPOSITORY}:${TAG}`, indexOf([descriptorOf(manifest)]));
  return manifest;
}

/** Attaches layers under one of cosign's tags. */
export function attachTag(
  registry: FakeRegistry,
  kind: 'att' | 'sig' | 'sbom',
  layers: readonly NewLayer[],
): void {
  registry.manifests.set(`${REPOSITORY}:${TAG}.${kind}`, putManifest(registry, layers));
}

/** Answers the referrers API with these pages, one after the other. */
export function serveReferrers(
  registry: FakeRegistry,
  page: (number: number) => { body: Buffer; next?: string },
): void {
  registry.override = (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    if (!url.pathname.includes('/referrers/')) return false;
    const { body, next } = page(Number(url.searchParams.get('page') ?? 0));
    response.writeHead(200, {
      'content-type': INDEX_TYPE,
      ...(next === undefined ? {} : { link: `<${next}>; rel="next"` }),
    });
    response.end(body);
    return true;
  };
}
