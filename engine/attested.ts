// SPDX-License-Identifier: Apache-2.0
// Between what is proved about images (attest) and what rules see of it: which images are looked at, and the claims as text.
import type { ImageClaim, ImageDigest } from '../attest/image/index.ts';
import { type ClaimRefusalCode, readClaim } from './claims/index.ts';
import { EngineError } from './error.ts';
import { type Document, type Image, imagesOf } from './manifest/index.ts';
import type { Claims } from './policy/input.ts';

const MAX_CLAIMS = 256;
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

/** Claims as rules see them, and those whose statement is none that could be read. */
export interface ReadClaims {
  readonly claims: Claims;
  readonly refused: readonly {
    readonly digest: string;
    readonly source: string;
    readonly code: ClaimRefusalCode;
    readonly reason: string;
  }[];
}

/**
 * Reads what was proved by the digest that it is about; an image that nothing is proved of has no claims. One image may be found in two
 * repositories: what is proved in either is proved of the digest.
 * @throws {EngineError} INPUT_TOO_LARGE for more claims about an image than a rule is given
 */
export function readClaims(images: readonly ProvedImage[]): ReadClaims {
  const texts = new Map<string, Set<string>>();
  const refused: ReadClaims['refused'][number][] = [];
  for (const { digest, claims } of images) {
    const known = texts.get(digest) ?? new Set();
    texts.set(digest, known);
    for (const claim of claims) {
      const { subject, payloadDigest, signer, at, source } = claim;
      const proof = { subject, digest: payloadDigest, signer, ...(at === undefined ? {} : { at }) };
      const read = readClaim(statementOf(claim), proof);
      if (read.ok) known.add(read.claim.text);
      else refused.push({ digest, source, code: read.code, reason: read.reason });
    }
    if (known.size > MAX_CLAIMS)
      throw new EngineError(
        'INPUT_TOO_LARGE',
        `there are ${known.size} claims about an image, more than ${MAX_CLAIMS}`,
      );
  }
  return { claims: new Map([...texts].map(([digest, known]) => [digest, [...known].sort()])), refused };
}

/** The signed statement; a signature of cosign's older kind has none, and is told as its newer kind says the same. */
function statementOf({ payload, subject, predicateType, predicate }: ImageClaim): Uint8Array {
  if (payload.length > 0) return payload;
  const [algorithm = '', digest = ''] = subject.split(':');
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { [algorithm]: digest } }],
    predicateType,
    predicate,
  };
  return Buffer.from(JSON.stringify(statement));
}
