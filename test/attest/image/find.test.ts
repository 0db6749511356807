// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { findAttachments } from '../../../attest/image/index.ts';
import type { RegistryAccess } from '../../../attest/oci/index.ts';
import { digestOf, type FakeRegistry, startRegistry } from '../oci/registry.ts';
import {
  ACCESS,
  attachBundle,
  attachTag,
  BUNDLE_TYPE,
  descriptorOf,
  ENVELOPE_TYPE,
  IMAGE,
  indexOf,
  putManifest,
  REPOSITORY,
  SIMPLE_TYPE,
  serveReferrers,
  TAG,
} from './shop.ts';

let registry: FakeRegistry;
let other: FakeRegistry;
beforeAll(async () => {
  [registry, other] = [await startRegistry(), await startRegistry()];
});
afterAll(() => Promise.all([registry.close(), other.close()]));
beforeEach(() => {
  for (const one of [registry, other]) {
    one.seen.length = 0;
    one.override = undefined;
    one.manifests.clear();
    one.blobs.clear();
  }
});

const find = (access: Partial<RegistryAccess> = {}) =>
  findAttachments(
    { registry: registry.host, repository: REPOSITORY, digest: IMAGE },
    { ...ACCESS, ...access },
  );

async function fails(work: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await expect(work).rejects.toMatchObject({
    name: 'AttestError',
    code,
    message: expect.stringMatching(message),
  });
}

const BUNDLE = Buffer.from('{"a": "bundle"}');
const ENVELOPE = Buffer.from(
  JSON.stringify({
    payload: 'e30=',
    payloadType: 'application/vnd.in-toto+json',
    signatures: [{ sig: 'AAAA' }],
  }),
);
const asked = (): string[] => registry.seen.map(({ url }) => url.replace(`/v2/${REPOSITORY}/`, ''));

describe('what is attached to an image', () => {
  it('is nothing where a registry knows of nothing', async () => {
    expect(await find()).toEqual({ attachments: [], useless: [] });
    expect(asked()).toEqual([
      `referrers/${IMAGE}`,
      `manifests/${TAG}`,
      `manifests/${TAG}.att`,
      `manifests/${TAG}.sig`,
      `manifests/${TAG}.sbom`,
    ]);
  });

  it('is found by the fallback tag', async () => {
    const manifest = attachBundle(registry, BUNDLE);
    expect(await find()).toEqual({
      attachments: [{ digest: digestOf(BUNDLE), source: `referrer ${digestOf(manifest)}`, bundle: BUNDLE }],
      useless: [],
    });
  });

  it('is found by the referrers API, page by page, and other kinds are left where they are', async () => {
    const [first, second, third] = ['1', '2', '3'].map((text) =>
      putManifest(registry, [{ type: BUNDLE_TYPE, bytes: Buffer.from(text) }]),
    );
    const pages = [first, third, second].map((manifest = Buffer.alloc(0), at) =>
      indexOf([descriptorOf(manifest, at === 1 ? 'application/vnd.example.sbom' : BUNDLE_TYPE)]),
    );
    serveReferrers(registry, (number) => ({
      body: pages[number] ?? Buffer.alloc(0),
      ...(number < 2 ? { next: `/v2/${REPOSITORY}/referrers/${IMAGE}?page=${number + 1}` } : {}),
    }));
    const { attachments } = await find();
    expect(attachments.map(({ bundle }) => Buffer.from(bundle).toString())).toEqual(['1', '2']);
    expect(asked()).not.toContain(`manifests/${TAG}`);
  });

  it("is found under cosign's tags, put together as bundles", async () => {
    const payload = Buffer.from('{"critical": {}}');
    const signature = { 'dev.cosignproject.cosign/signature': 'AAAA' };
    attachTag(registry, 'att', [{ type: ENVELOPE_TYPE, bytes: ENVELOPE }]);
    attachTag(registry, 'sig', [{ type: SIMPLE_TYPE, bytes: payload, annotations: signature }]);
    attachTag(registry, 'sbom', [{ type: 'text/spdx+json', bytes: Buffer.from('{}') }]);
    const { attachments, useless } = await find();
    const material = { publicKey: { hint: '' }, tlogEntries: [] };
    const mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.1';
    expect(
      attachments.map(({ bundle, source }) => [source, JSON.parse(Buffer.from(bundle).toString())]),
    ).toEqual([
      [
        `tag ${TAG}.att`,
        { mediaType, verificationMaterial: material, dsseEnvelope: JSON.parse(ENVELOPE.toString()) },
      ],
      [
        `tag ${TAG}.sig`,
        {
          mediaType,
          verificationMaterial: material,
          messageSignature: {
            messageDigest: {
              algorithm: 'SHA2_256',
              digest: Buffer.from(digestOf(payload).slice(7), 'hex').toString('base64'),
            },
            signature: 'AAAA',
          },
        },
      ],
    ]);
    expect(attachments[1]?.payload).toEqual(payload);
    expect(useless).toEqual([{ source: `tag ${TAG}.sbom`, reason: '"text/spdx+json" is signed by nobody' }]);
  });

  it('is useless where it is malformed, too large, or listed and gone', async () => {
    attachTag(registry, 'att', [{ type: ENVELOPE_TYPE, bytes: Buffer.from('{}') }]);
    attachTag(registry, 'sig', [{ type: SIMPLE_TYPE, bytes: Buffer.from('x') }]);
    const large = Buffer.from(
      JSON.stringify({
        layers: [{ mediaType: BUNDLE_TYPE, digest: IMAGE, size: 17 * 1024 * 1024 }],
      }),
    );
    registry.manifests.set(`${REPOSITORY}:${digestOf(large)}`, large);
    const gone = descriptorOf(Buffer.from('gone'));
    registry.manifests.set(`${REPOSITORY}:${TAG}`, indexOf([gone, descriptorOf(large)]));
    expect((await find()).useless.map(({ reason }) => reason)).toEqual([
      'it is listed and not there',
      'it has 17825792 bytes, more than are read',
      'its signature is malformed',
      'its signature is malformed',
    ]);
  });
});

describe('a hostile registry', () => {
  it('lists a million referrers in one answer: refused before they are all read', async () => {
    const manifest = putManifest(registry, [{ type: BUNDLE_TYPE, bytes: BUNDLE }]);
    const one = JSON.stringify(descriptorOf(manifest));
    registry.override = (request, response) => {
      if (request.url?.includes('/referrers/') !== true) return false;
      response.writeHead(200);
      response.write(
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[',
      );
      let left = 1_000_000;
      const more = (): void => {
        while (left-- > 0) if (!response.write(`${one}${left > 0 ? ',' : ']}'}`)) return;
        response.end();
      };
      response.on('drain', more).on('error', () => undefined);
      more();
      return true;
    };
    const before = process.memoryUsage().rss;
    await fails(find(), 'REGISTRY_CONTENT', /more than 4194304 bytes/);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    expect(registry.seen).toHaveLength(1);
  });

  it('lists 1,025 on one page, or on many, or pages without end', async () => {
    const manifest = putManifest(registry, [{ type: BUNDLE_TYPE, bytes: BUNDLE }]);
    const many = (count: number): Buffer => indexOf(Array(count).fill(descriptorOf(manifest, 'a/b')));
    const next = (number: number): string => `/v2/${REPOSITORY}/referrers/${IMAGE}?page=${number + 1}`;
    serveReferrers(registry, () => ({ body: many(1_025) }));
    await fails(find(), 'REGISTRY_CONTENT', /1025 referrers, more than 1024/);
    serveReferrers(registry, (number) => ({ body: many(600), next: next(number) }));
    await fails(find(), 'REGISTRY_CONTENT', /more than 1024 referrers/);
    registry.seen.length = 0;
    serveReferrers(registry, (number) => ({ body: many(0), next: next(number) }));
    await fails(find(), 'REGISTRY_CONTENT', /more than 16 pages/);
    expect(registry.seen).toHaveLength(17);
  });

  it('continues its list elsewhere', async () => {
    for (const next of [`http://${other.host}/v2/x`, 'http://169.254.169.254/latest', 'file:///etc/passwd']) {
      serveReferrers(registry, () => ({ body: indexOf([]), next }));
      await fails(find(), 'REGISTRY_CONTENT', /names a next page elsewhere/);
    }
    expect(other.seen).toEqual([]);
  });

  it('attaches more than may be looked at', async () => {
    const manifests = Array.from({ length: 65 }, (_, at) =>
      putManifest(registry, [{ type: BUNDLE_TYPE, bytes: Buffer.from(String(at)) }]),
    );
    registry.manifests.set(`${REPOSITORY}:${TAG}`, indexOf(manifests.map((one) => descriptorOf(one))));
    await fails(find(), 'REGISTRY_CONTENT', /more than 64 attestations/);
    registry.manifests.delete(`${REPOSITORY}:${TAG}`);
    attachTag(
      registry,
      'att',
      Array.from({ length: 65 }, (_, at) => ({ type: ENVELOPE_TYPE, bytes: Buffer.from(String(at)) })),
    );
    await fails(find(), 'REGISTRY_CONTENT', /more than 64 layers/);
  });

  it('attaches more bytes than may be read', async () => {
    const size = 15 * 1024 * 1024;
    const layers = Array.from({ length: 5 }, (_, at) => Buffer.alloc(size, at));
    attachTag(
      registry,
      'att',
      layers.map((bytes) => ({ type: ENVELOPE_TYPE, bytes })),
    );
    await fails(find(), 'REGISTRY_CONTENT', /more than 67108864 bytes/);
  });

  it('answers with other bytes than those it listed', async () => {
    const manifest = attachBundle(registry, BUNDLE);
    const name = `${REPOSITORY}:${digestOf(manifest)}`;
    registry.manifests.set(name, putManifest(registry, [{ type: BUNDLE_TYPE, bytes: Buffer.from('other') }]));
    await fails(find(), 'REGISTRY_CONTENT', /has another digest/);
    registry.manifests.set(name, manifest);
    registry.blobs.set(digestOf(BUNDLE), Buffer.from('{"b": "bundle"}'));
    await fails(find(), 'REGISTRY_CONTENT', /are others/);
  });

  it('answers differently the second time, and never ends', async () => {
    attachBundle(registry, BUNDLE);
    await find();
    registry.override = (request, response) => {
      if (request.url?.includes('/blobs/') !== true) return false;
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(1024)), 1);
      response.on('close', () => clearInterval(timer));
      return true;
    };
    await fails(find(), 'REGISTRY_CONTENT', /more than 15 bytes/);
  });

  it('sends us to a metadata service', async () => {
    registry.override = (_, response) => {
      response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data' }).end();
      return true;
    };
    await fails(find(), 'REGISTRY_ADDRESS', /169\.254\.169\.254/);
  });

  it('sends us elsewhere, where our credentials do not go', async () => {
    attachBundle(registry, BUNDLE);
    for (const [digest, bytes] of registry.blobs) other.blobs.set(digest, bytes);
    registry.override = (request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
      else if (request.url?.includes('/blobs/') === true)
        response.writeHead(307, { location: `http://${other.host}${request.url}` }).end();
      else return false;
      return true;
    };
    const credentials: RegistryAccess['credentials'] = (host) =>
      host === registry.host ? { user: 'me', password: 'hidden' } : undefined;
    expect((await find({ credentials })).attachments).toHaveLength(1);
    expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('is slow: all of it ends when its time is up', async () => {
    registry.override = () => true;
    await fails(
      find({ signal: AbortSignal.timeout(60) }),
      'REGISTRY_UNAVAILABLE',
      /the time for all of it is up/,
    );
    await fails(
      find({ signal: AbortSignal.abort() }),
      'REGISTRY_UNAVAILABLE',
      /the time for all of it is up/,
    );
  });

  it('refuses, or is out of order: that is no "nothing is attached"', async () => {
    const cases: readonly (readonly [number, string])[] = [
      [401, 'REGISTRY_REFUSED'],
      [403, 'REGISTRY_REFUSED'],
      [429, 'REGISTRY_UNAVAILABLE'],
      [500, 'REGISTRY_UNAVAILABLE'],
    ];
    for (const [status, code] of cases)
      for (const part of ['/referrers/', `/manifests/${TAG}`, '.att']) {
        registry.override = (request, response) => {
          if (request.url?.includes(part) !== true) return false;
          response.writeHead(status).end();
          return true;
        };
        await fails(find(), code, new RegExp(`HTTP ${status}`));
      }
    serveReferrers(registry, () => ({ body: Buffer.from('<html>') }));
    await fails(find(), 'REGISTRY_CONTENT', /no OCI image index/);
  });
});

describe('mirrors', () => {
  const mirrors = (isClosed: boolean): Partial<RegistryAccess> => ({
    mirrors: new Map([[registry.host, { places: ['localhost:1/down', `${other.host}/cache`], isClosed }]]),
  });

  it('are asked first, and passed over where they have nothing or do not answer', async () => {
    attachBundle(registry, BUNDLE);
    expect((await find(mirrors(false))).attachments).toHaveLength(1);
    expect(other.seen[0]?.url).toBe(`/v2/cache/${REPOSITORY}/referrers/${IMAGE}`);
  });

  it('may be all that there is to ask', async () => {
    attachBundle(registry, BUNDLE);
    expect(await find(mirrors(true))).toEqual({ attachments: [], useless: [] });
    expect(registry.seen).toEqual([]);
    await fails(
      find({ mirrors: new Map([[registry.host, { places: ['localhost:1'], isClosed: true }]]) }),
      'REGISTRY_UNAVAILABLE',
      /localhost:1/,
    );
  });

  it('are believed no more than a registry', async () => {
    const manifest = attachBundle(registry, BUNDLE);
    const name = (repository: string): string => `${repository}:${digestOf(manifest)}`;
    other.manifests.set(name(`cache/${REPOSITORY}`), Buffer.from('{"layers": []}'));
    await fails(find(mirrors(false)), 'REGISTRY_CONTENT', /has another digest/);
  });
});
