// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import {
  type Descriptor,
  digestOf,
  expectStatus,
  MANIFEST_TYPE,
  type Manifest,
  readManifest,
} from '../oci/manifest.ts';
import { openRepository, type Repository } from '../oci/repository.ts';
import type { RegistryAccess } from '../oci/session.ts';
import { bundleOfEnvelope, bundleOfSignature } from './legacy.ts';
import { ATTACHMENT_LIMITS } from './limits.ts';
import { listReferrers, tagOf } from './referrers.ts';

/** One image, by its digest. */
export interface ImageDigest {
  /** Host in lower case, with its port where it has one. */
  readonly registry: string;
  readonly repository: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
}

/** Something attached to an image that may prove something; nothing of it is proved yet. */
export interface Attachment {
  /** Of the bytes in the registry. */
  readonly digest: string;
  /** Where it was found, for people: `referrer sha256:…`, `tag sha256-….att`. */
  readonly source: string;
  /** A Sigstore bundle, as it came or put together from cosign's annotations. */
  readonly bundle: Uint8Array;
  /** What a signature of cosign's older kind is over: not in the bundle. */
  readonly payload?: Uint8Array;
}

/** All that is attached to an image. */
export interface Found {
  /** Each once, in the order in which it was found. */
  readonly attachments: readonly Attachment[];
  /** What can prove nothing, and why. */
  readonly useless: readonly { readonly source: string; readonly reason: string }[];
}

const BUNDLE =
  /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.[1-9][0-9]?\+json|\+json;version=0\.[1-9][0-9]?)$/;
const ENVELOPE = 'application/vnd.dsse.envelope.v1+json';
const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const COSIGN_SIGNATURE = 'application/vnd.dev.cosign.artifact.sig.v1+json';
/** Tags of cosign from before there were referrers; an SBOM under the last is signed by nobody. */
const COSIGN_TAGS = ['att', 'sig', 'sbom'] as const;

/**
 * Finds the attestations and signatures of an image: those that refer to it, and those under cosign's tags. All that is asked for by
 * digest is that or an error; what a list or a tag names is only ever where to look.
 * @throws {AttestError} REGISTRY_… where a registry does not answer, lies, or has more than `ATTACHMENT_LIMITS` lets through
 */
export async function findAttachments(image: ImageDigest, access: RegistryAccess): Promise<Found> {
  const name = `${image.registry}/${image.repository}`;
  const repository = openRepository({ ...image, name }, access);
  const search = new Search(repository, name);
  for (const referrer of await listReferrers(repository, image.digest)) {
    const type = referrer.artifactType ?? '';
    if (BUNDLE.test(type) || type === ENVELOPE || type === COSIGN_SIGNATURE) await search.referrer(referrer);
  }
  for (const kind of COSIGN_TAGS) await search.tag(`${tagOf(image.digest)}.${kind}`);
  return search.found();
}

class Search {
  readonly #repository: Repository;
  readonly #name: string;
  readonly #attachments = new Map<string, Attachment>();
  readonly #useless: { source: string; reason: string }[] = [];
  #manifests = 0;
  #layers = 0;
  #bytes = 0;

  constructor(repository: Repository, name: string) {
    this.#repository = repository;
    this.#name = name;
  }

  found(): Found {
    return { attachments: [...this.#attachments.values()], useless: this.#useless };
  }

  async referrer({ digest }: Descriptor): Promise<void> {
    const source = `referrer ${digest}`;
    const body = await this.#manifest(digest);
    if (body === undefined) this.#useless.push({ source, reason: 'it is listed and not there' });
    else if (digestOf(body) !== digest) throw this.#content(`what is called ${digest} has another digest`);
    else await this.#read(this.#parse(body), source);
  }

  async tag(tag: string): Promise<void> {
    const body = await this.#manifest(tag);
    if (body !== undefined) await this.#read(this.#parse(body), `tag ${tag}`);
  }

  /** The bytes of a manifest, undefined where it is not there. */
  async #manifest(name: string): Promise<Buffer | undefined> {
    if (++this.#manifests > ATTACHMENT_LIMITS.attachments) throw this.#tooMany();
    const { answer } = await this.#repository.get(`manifests/${name}`, {
      accept: MANIFEST_TYPE,
      maxBytes: ATTACHMENT_LIMITS.manifestBytes,
      timeoutMs: ATTACHMENT_LIMITS.timeoutMs,
    });
    if (answer.status === 404) return undefined;
    expectStatus(answer, 200, `read what is attached to an image of ${this.#name}`);
    return answer.body;
  }

  #parse(body: Buffer): Manifest {
    const manifest = readManifest(body, ATTACHMENT_LIMITS.attachments);
    if (manifest === undefined)
      throw this.#content(
        `a manifest is no OCI image manifest, or has more than ${ATTACHMENT_LIMITS.attachments} layers`,
      );
    return manifest;
  }

  async #read({ layers }: Manifest, source: string): Promise<void> {
    for (const layer of layers) {
      if (++this.#layers > ATTACHMENT_LIMITS.attachments) throw this.#tooMany();
      const { mediaType, digest, size } = layer;
      const isKnown = BUNDLE.test(mediaType) || mediaType === ENVELOPE || mediaType === SIMPLE_SIGNING;
      const useless = (reason: string): void => void this.#useless.push({ source, reason });
      if (!isKnown) useless(`${JSON.stringify(mediaType.slice(0, 120))} is signed by nobody`);
      else if (size > ATTACHMENT_LIMITS.layerBytes) useless(`it has ${size} bytes, more than are read`);
      else {
        const bytes = await this.#blob(layer);
        const attachment = bytes && attachmentOf(bytes, layer);
        if (bytes === undefined) useless(`${digest} is not there`);
        else if (attachment === undefined) useless('its signature is malformed');
        else this.#attachments.set(keyOf(digest, attachment), { ...attachment, digest, source });
      }
    }
  }

  /** The bytes of a layer, compared with its digest; undefined where it is not there. */
  async #blob({ digest, size }: Descriptor): Promise<Buffer | undefined> {
    this.#bytes += size;
    if (this.#bytes > ATTACHMENT_LIMITS.totalBytes)
      throw this.#content(`more than ${ATTACHMENT_LIMITS.totalBytes} bytes are attached to one image`);
    const { answer } = await this.#repository.get(`blobs/${digest}`, {
      maxBytes: size,
      timeoutMs: ATTACHMENT_LIMITS.timeoutMs,
    });
    if (answer.status === 404) return undefined;
    expectStatus(answer, 200, `read what is attached to an image of ${this.#name}`);
    if (answer.body.length !== size || digestOf(answer.body) !== digest)
      throw this.#content(`the bytes of ${digest} are others`);
    return answer.body;
  }

  #tooMany(): AttestError {
    return this.#content(`more than ${ATTACHMENT_LIMITS.attachments} attestations are attached to one image`);
  }

  #content(why: string): AttestError {
    return new AttestError('REGISTRY_CONTENT', `${JSON.stringify(this.#name)} cannot be used: ${why}`);
  }
}

/** The same bytes may be found twice; with other annotations they are another signature. */
const keyOf = (digest: string, { bundle }: Pick<Attachment, 'bundle'>): string =>
  `${digest} ${digestOf(bundle)}`;

function attachmentOf(
  bytes: Buffer,
  { mediaType, annotations }: Descriptor,
): Pick<Attachment, 'bundle' | 'payload'> | undefined {
  if (BUNDLE.test(mediaType)) return { bundle: bytes };
  const isEnvelope = mediaType === ENVELOPE;
  const bundle = isEnvelope ? bundleOfEnvelope(bytes, annotations) : bundleOfSignature(bytes, annotations);
  if (bundle === undefined) return undefined;
  return isEnvelope ? { bundle } : { bundle, payload: bytes };
}
