// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { attach, resolveImage } from '../../../attest/image/index.ts';
import { AttestError } from '../../../attest/index.ts';
import { parseOciReference } from '../../../attest/oci/index.ts';
import { expectRejected } from '../../expect.ts';
import { digestOf, startRegistry } from '../oci/registry.ts';

const registry = await startRegistry();
afterAll(() => registry.close());

const access = { plainHttp: true, privateHosts: [], credentials: () => undefined };
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const image = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: {}, layers: [] }));
const digest = digestOf(image);
const subject = { mediaType: MANIFEST, digest, size: image.length };
const tag = `team/app:${digest.replace(':', '-')}`;
const reference = parseOciReference(`oci://${registry.host}/team/app@${digest}`);
const attachment = {
  artifactType: TYPE,
  bytes: Buffer.from('{"a":"bundle"}'),
  annotations: { of: 'a test' },
};

beforeEach(() => {
  registry.manifests.clear();
  registry.blobs.clear();
  registry.seen.length = 0;
  registry.override = undefined;
  registry.manifests.set('team/app:v1', image);
  registry.manifests.set(`team/app:${digest}`, image);
});

const stored = (name: string): unknown => JSON.parse(String(registry.manifests.get(`team/app:${name}`)));
const entryOf = (attached: string): object => ({
  mediaType: MANIFEST,
  digest: attached,
  size: registry.manifests.get(`team/app:${attached}`)?.length,
  artifactType: TYPE,
  annotations: { of: 'a test' },
});

describe('an image', () => {
  it('is found by tag and by digest', async () => {
    const byTag = parseOciReference(`oci://${registry.host}/team/app:v1`);
    expect(await resolveImage(byTag, access)).toEqual(subject);
    expect(await resolveImage(reference, access)).toEqual(subject);
  });

  it('that has another digest than the one asked for is refused', async () => {
    registry.manifests.set(`team/app:${digest}`, Buffer.concat([image, Buffer.from(' ')]));
    await expectRejected(resolveImage(reference, access), AttestError, 'REGISTRY_CONTENT');
  });

  it('that is none is refused', async () => {
    registry.manifests.set('team/app:v1', Buffer.from('{"mediaType":"text/plain"}'));
    const byTag = parseOciReference(`oci://${registry.host}/team/app:v1`);
    await expectRejected(resolveImage(byTag, access), AttestError, 'REGISTRY_CONTENT');
  });

  it('that is not there is refused', async () => {
    const other = parseOciReference(`oci://${registry.host}/team/app:v2`);
    await expectRejected(resolveImage(other, access), AttestError, 'REGISTRY_REFUSED');
  });
});

describe('what is attached', () => {
  it('is a manifest whose subject is the image, and its one layer', async () => {
    const attached = await attach(reference, { subject, attachment }, access);
    expect(stored(attached)).toEqual({
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType: TYPE,
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: digestOf(Buffer.from('{}')),
        size: 2,
      },
      layers: [{ mediaType: TYPE, digest: digestOf(attachment.bytes), size: attachment.bytes.length }],
      subject,
      annotations: { of: 'a test' },
    });
    expect(registry.blobs.get(digestOf(attachment.bytes))).toEqual(attachment.bytes);
    expect(registry.blobs.get(digestOf(Buffer.from('{}')))).toEqual(Buffer.from('{}'));
  });

  it('is listed under the tag of the digest where the registry keeps no list', async () => {
    const first = await attach(reference, { subject, attachment }, access);
    const more = { ...attachment, bytes: Buffer.from('{"another":"bundle"}') };
    const second = await attach(reference, { subject, attachment: more }, access);
    expect(stored(digest.replace(':', '-'))).toEqual({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [entryOf(first), entryOf(second)],
    });
  });

  it('is listed once, however often it is attached', async () => {
    const first = await attach(reference, { subject, attachment }, access);
    expect(await attach(reference, { subject, attachment }, access)).toBe(first);
    expect(stored(digest.replace(':', '-'))).toMatchObject({ manifests: [{ digest: first }] });
  });

  it('leaves what others listed as it is', async () => {
    const other = {
      mediaType: MANIFEST,
      digest: `sha256:${'0'.repeat(64)}`,
      size: 7,
      data: 'e30=',
      platform: {},
    };
    registry.manifests.set(tag, Buffer.from(JSON.stringify({ mediaType: INDEX, manifests: [other] })));
    const attached = await attach(reference, { subject, attachment }, access);
    expect(stored(digest.replace(':', '-'))).toMatchObject({ manifests: [other, entryOf(attached)] });
  });

  it('is listed by the registry itself where it says so', async () => {
    registry.override = (request, response) => {
      if (request.method !== 'PUT' || !request.url?.includes('/manifests/')) return false;
      response.writeHead(201, { 'oci-subject': digest }).end();
      return true;
    };
    await attach(reference, { subject, attachment }, access);
    expect(registry.manifests.has(tag)).toBe(false);
  });

  it('is added again where another one wrote the list at the same time', async () => {
    let writes = 0;
    registry.override = (request, response) => {
      const isTag = request.url?.endsWith(digest.replace(':', '-')) === true;
      if (request.method !== 'PUT' || !isTag || writes++ > 0) return false;
      // Somebody else's list takes the place of ours at once.
      request.resume();
      registry.manifests.set(tag, Buffer.from(JSON.stringify({ mediaType: INDEX, manifests: [] })));
      response.writeHead(201).end();
      return true;
    };
    const attached = await attach(reference, { subject, attachment }, access);
    expect(stored(digest.replace(':', '-'))).toMatchObject({ manifests: [{ digest: attached }] });
    expect(writes).toBe(2);
  });

  it('is an error where the list is changed again and again', async () => {
    registry.override = (request, response) => {
      const isTag = request.url?.endsWith(digest.replace(':', '-')) === true;
      if (request.method !== 'PUT' || !isTag) return false;
      request.resume();
      response.writeHead(201).end();
      return true;
    };
    await expectRejected(
      attach(reference, { subject, attachment }, access),
      AttestError,
      'REGISTRY_UNAVAILABLE',
    );
  });

  it.each([
    ['no JSON', 'x'],
    ['a manifest', image.toString('utf8')],
    ['an index of nonsense', JSON.stringify({ mediaType: INDEX, manifests: [1] })],
    [
      'an index that is full',
      JSON.stringify({
        mediaType: INDEX,
        manifests: Array.from({ length: 1_024 }, () => ({ ...subject })),
      }),
    ],
  ])('never replaces a tag that is %s', async (_, text) => {
    registry.manifests.set(tag, Buffer.from(text));
    await expectRejected(attach(reference, { subject, attachment }, access), AttestError, 'REGISTRY_CONTENT');
    expect(String(registry.manifests.get(tag))).toBe(text);
  });

  it('is refused by a registry that lets nobody write', async () => {
    registry.override = (request, response) => {
      if (request.method !== 'POST') return false;
      response.writeHead(403).end();
      return true;
    };
    await expectRejected(attach(reference, { subject, attachment }, access), AttestError, 'REGISTRY_REFUSED');
  });
});
