// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import {
  type Descriptor,
  DOCKER_INDEX_TYPE,
  DOCKER_MANIFEST_TYPE,
  digestOf,
  expectStatus,
  INDEX_TYPE,
  MANIFEST_TYPE,
  memberOf,
  readDescriptors,
} from '../oci/manifest.ts';
import { pushBlob } from '../oci/push.ts';
import type { OciReference } from '../oci/reference.ts';
import { openSession, type RegistryAccess, type Session } from '../oci/session.ts';
import { ATTACHMENT_LIMITS } from './limits.ts';
import { tagOf } from './referrers.ts';

/** The image that something is attached to, as the registry has it now. */
export type Subject = Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;

/** What is attached: one layer in a manifest of this type. */
export interface NewAttachment {
  readonly artifactType: string;
  readonly bytes: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') } as const;
const MANIFEST_TYPES = [MANIFEST_TYPE, INDEX_TYPE, DOCKER_MANIFEST_TYPE, DOCKER_INDEX_TYPE];
const LIMITS = {
  maxBytes: ATTACHMENT_LIMITS.manifestBytes,
  timeoutMs: ATTACHMENT_LIMITS.timeoutMs,
} as const;
const ATTEMPTS = 5;

/**
 * Finds the image that a reference stands for now; its digest is computed over the bytes of its manifest.
 * @throws {AttestError} REGISTRY_…
 */
export async function resolveImage(reference: OciReference, access: RegistryAccess): Promise<Subject> {
  const session = openSession(reference, 'pull', access);
  const answer = await session.request({
    method: 'GET',
    url: session.url(`manifests/${reference.digest ?? reference.tag ?? 'latest'}`),
    headers: { accept: MANIFEST_TYPES.join(', ') },
    ...LIMITS,
  });
  expectStatus(answer, 200, `read ${reference.name}`);
  const digest = digestOf(answer.body);
  if (reference.digest !== undefined && reference.digest !== digest)
    throw content(reference, `its manifest has the digest ${digest}, not ${reference.digest}`);
  const manifest = parseStrict(answer.body)?.value;
  const stated = memberOf(manifest, 'mediaType') ?? answer.headers['content-type'];
  const mediaType = MANIFEST_TYPES.find((type) => type === stated);
  if (mediaType === undefined) throw content(reference, 'it is no image and no index of images');
  return { mediaType, digest, size: answer.body.length };
}

/**
 * Attaches bytes to an image: a manifest whose subject the image is. Where a registry does not keep a list of referrers itself, the
 * index under the tag `sha256-<hex>` is the list, and is added to.
 * @returns the digest of the manifest
 * @throws {AttestError} REGISTRY_…
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
export async function attach(
  reference: OciReference,
  { subject, attachment }: { readonly subject: Subject; readonly attachment: NewAttachment },
  access: RegistryAccess,
): Promise<string> {
  const session = openSession(reference, 'pull,push', access);
  const { artifactType, bytes, annotations } = attachment;
  for (const blob of [EMPTY.bytes, bytes]) await pushBlob(session, blob, reference);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType,
      config: descriptorOf(EMPTY.mediaType, EMPTY.bytes),
      layers: [descriptorOf(artifactType, bytes)],
      subject,
      annotations,
    }),
  );
  const own = descriptorOf(MANIFEST_TYPE, manifest);
  const answer = await put(session, own.digest, { mediaType: MANIFEST_TYPE, body: manifest });
  expectStatus(answer, 201, `write to ${reference.name}`);
  // A registry that has a list says so.
  if (answer.headers['oci-subject'] === undefined)
    await addToIndex(session, reference, { subject, entry: { ...own, artifactType, annotations } });
  return own.digest;
}

const descriptorOf = (mediaType: string, bytes: Uint8Array): Subject => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

const content = ({ name }: OciReference, why: string): AttestError =>
  new AttestError('REGISTRY_CONTENT', `${JSON.stringify(name)} cannot be used: ${why}`);

const put = (
  session: Session,
  name: string,
  { mediaType, body }: { readonly mediaType: string; readonly body: Buffer },
): ReturnType<Session['request']> =>
  session.request({
    method: 'PUT',
    url: session.url(`manifests/${name}`),
    headers: { 'content-type': mediaType },
    body,
    ...LIMITS,
  });

interface Entry {
  readonly subject: Subject;
  readonly entry: Subject & Pick<NewAttachment, 'artifactType' | 'annotations'>;
}

/** Reads, adds, writes and reads again: two that do it at once would each take the other's entry away. */
async function addToIndex(
  session: Session,
  reference: OciReference,
  { subject, entry }: Entry,
): Promise<void> {
  const tag = tagOf(subject.digest);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const manifests = await readIndex(session, reference, tag);
    if (manifests.some((manifest) => memberOf(manifest, 'digest') === entry.digest)) return;
    const index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [...manifests, entry] };
    const body = Buffer.from(JSON.stringify(index));
    const answer = await put(session, tag, { mediaType: INDEX_TYPE, body });
    expectStatus(answer, 201, `write tag ${tag} of ${reference.name}`);
  }
  throw new AttestError(
    'REGISTRY_UNAVAILABLE',
    `tag ${tag} of ${reference.name} is changed again and again`,
    {
      hint: 'the attestation is in the registry, and not in the list of what belongs to the image: try again',
    },
  );
}

async function readIndex(
  session: Session,
  reference: OciReference,
  tag: string,
): Promise<readonly unknown[]> {
  const answer = await session.request({
    method: 'GET',
    url: session.url(`manifests/${tag}`),
    headers: { accept: INDEX_TYPE },
    ...LIMITS,
  });
  if (answer.status === 404) return [];
  expectStatus(answer, 200, `read tag ${tag} of ${reference.name}`);
  const index = parseStrict(answer.body)?.value;
  const manifests = memberOf(index, 'manifests');
  const isRead = readDescriptors(manifests, ATTACHMENT_LIMITS.referrers - 1) !== undefined;
  // As they are, with members that are not known here.
  if (memberOf(index, 'mediaType') === INDEX_TYPE && isRead && Array.isArray(manifests)) return manifests;
  throw content(reference, `tag ${tag} is no index, or one of ${ATTACHMENT_LIMITS.referrers} entries`);
}
