// SPDX-License-Identifier: Apache-2.0
// Between what is proved about images (attest) and what rules see of it: which images are looked at, and the claims as text.
import type { ImageClaim, ImageDigest } from '../attest/image/index.ts';
import { type Document, type Image, imagesOf } from './manifest/index.ts';
import type { Claims } from './policy/input.ts';
import { canonicalBytes } from './record/canonical.ts';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * The images of documents whose attestations are looked for, each once: those below one of these places (`host[:port][/path]`) that
 * name a digest. Of a tag nothing is proved: it may be another image tomorrow. Whatever else a manifest names, nobody speaks with it.
 */
export function attestedImages(
  documents: readonly Document[],
  places: readonly string[],
): readonly ImageDigest[] {
  const found = new Map<string, ImageDigest>();
  for (const image of documents.flatMap((document) => imagesOf(document))) {
    const one = attestedImage(image, places);
    if (one !== undefined) found.set(nameOf(one), one);
  }
  return [...found.values()];
}

/** `registry/repository@digest` */
export const nameOf = ({ registry, repository, digest }: ImageDigest): string =>
  `${registry}/${repository}@${digest}`;

function attestedImage(image: Image, places: readonly string[]): ImageDigest | undefined {
  const { repository, digest = '' } = image;
  const registry = image.registry.toLowerCase();
  if (!DIGEST.test(digest) || !places.some((place) => isBelow(`${registry}/${repository}`, place)))
    return undefined;
  return { registry, repository, digest };
}

/** Compared by whole parts: `registry.example` is not the beginning of `registry.example.evil`. */
const isBelow = (name: string, place: string): boolean => name === place || name.startsWith(`${place}/`);

/** What was proved about one image. */
export interface ProvedImage {
  readonly digest: string;
  readonly claims: readonly ImageClaim[];
}

/**
 * Claims as rules see them, by the digest that they are about; an image that nothing is proved of has none. One image may be found in
 * two repositories: what is proved in either is proved of the digest.
 * @throws {EngineError} INPUT_NUMBER for a predicate with a number that no rule could read
 */
export function claimsOf(images: readonly ProvedImage[]): Claims {
  const texts = new Map<string, Set<string>>();
  for (const { digest, claims } of images) {
    const known = texts.get(digest) ?? new Set();
    for (const claim of claims) known.add(textOf(claim));
    texts.set(digest, known);
  }
  return new Map([...texts].map(([digest, known]) => [digest, [...known].sort()]));
}

function textOf({ subject, predicateType, predicate, signer }: ImageClaim): string {
  const claim = { subject, predicateType, predicate: predicate ?? {}, signer };
  // By way of its text: a number that a double cannot hold is kept as it was signed.
  return Buffer.from(canonicalBytes(Buffer.from(JSON.stringify(claim)))).toString('utf8');
}
