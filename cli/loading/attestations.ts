// SPDX-License-Identifier: Apache-2.0
// What an environment asks about its images. Loaded only where one does.
import { hash } from 'node:crypto';
import { AttestError } from '../../attest/error.ts';
import {
  type ImageDigest,
  openProver,
  type Proved,
  type Prover,
  type ProverParts,
} from '../../attest/image/index.ts';
import { attestedImages, nameOf, type ProvedImage, readClaims } from '../../engine/attested.ts';
import type { Environment } from '../../engine/context/project.ts';
import type { Document } from '../../engine/manifest/index.ts';
import type { Claims } from '../../engine/policy/input.ts';
import type { BundleSettings } from '../bundles/flags.ts';
import { dockerConfig, registryRules } from '../bundles/registry.ts';
import { fetchRoot } from '../bundles/roots.ts';
import { statedTrust } from '../bundles/trust.ts';
import { readSource } from '../files.ts';
import type { Io } from '../io.ts';

/** How many images are asked about at once, and how long all of one may take. */
const AT_ONCE = 4;
const IMAGE_TIMEOUT_MS = 60_000;

type Attestations = NonNullable<Environment['attestations']>;

/**
 * What the environment asks, as values that a thread can be handed. A root that is to be fetched is fetched now.
 * @throws {AttestError} TRUST_UNREADABLE where a log is asked for and none is named; TRUST_UNAVAILABLE | TRUST_EXPIRED for a root that
 * cannot be had; whatever the trust and the credentials are refused for
 */
export async function proverParts(
  { name, attestations }: { readonly name: string; readonly attestations: Attestations },
  settings: BundleSettings,
): Promise<ProverParts> {
  const { types, log = true } = attestations;
  if (log && attestations.trustedRoot === undefined && attestations.tuf === undefined)
    throw new AttestError(
      'TRUST_UNREADABLE',
      `environment ${JSON.stringify(name)} wants signatures to be in a log, and names no trusted root`,
      { hint: 'attestations: name trustedRoot or tuf, or say log: false where keys alone are believed' },
    );
  const config = dockerConfig(settings.io);
  const parts = {
    trust: statedTrust(settings.projectTrust),
    environment: name,
    ...(await rootFor(attestations, settings.io)),
    requireLog: log,
    types,
    access: { ...registryRules(settings), ...(config === undefined ? {} : { dockerConfig: config }) },
  };
  openProver(parts); // says what is wrong before anything is judged
  return parts;
}

/** Digest of the trusted root of parts, `sha256:<hex>`; undefined where they have none. */
export const rootDigest = ({ trustedRoot }: ProverParts): string | undefined =>
  trustedRoot === undefined ? undefined : `sha256:${hash('sha256', trustedRoot)}`;

type Root = Pick<ProverParts, 'trustedRoot' | 'trustedRootExpires'>;

async function rootFor({ trustedRoot, tuf }: Attestations, io: Io): Promise<Root> {
  if (trustedRoot !== undefined) return { trustedRoot: readSource(trustedRoot).bytes };
  if (tuf === undefined) return {};
  const { bytes, expires } = await fetchRoot(tuf, io);
  return { trustedRoot: bytes, trustedRootExpires: expires.toISOString() };
}

/** Claims about images, and what was attached and does not count, to be said. */
export interface FoundClaims {
  readonly claims: Claims;
  /** `sha256:<hex>` of the trusted root; absent where there is none. */
  readonly trustedRoot?: string;
  readonly notes: readonly string[];
}

/**
 * Fetches and proves what is attached to the images of documents. A registry that does not answer leaves no answer.
 * @throws {AttestError} REGISTRY_… | TRUST_… | KEY_UNREADABLE
 */
export async function fetchClaims(
  documents: readonly Document[],
  environment: { readonly name: string; readonly attestations: Attestations },
  settings: BundleSettings,
): Promise<FoundClaims> {
  const parts = await proverParts(environment, settings);
  const trustedRoot = rootDigest(parts);
  const prover = openProver(parts);
  const images = attestedImages(documents, environment.attestations.registries);
  const now = settings.io.now();
  const proved: (ProvedImage & Proved & { readonly name: string })[] = [];
  for (let from = 0; from < images.length; from += AT_ONCE)
    proved.push(
      ...(await Promise.all(images.slice(from, from + AT_ONCE).map((image) => prove(prover, image, now)))),
    );
  const { claims, refused } = readClaims(proved);
  const notes = [
    ...proved.flatMap((one) => one.refused.map((what) => ({ ...what, name: one.name }))),
    ...refused.map((what) => ({ ...what, name: what.digest })),
  ];
  return {
    claims,
    ...(trustedRoot === undefined ? {} : { trustedRoot }),
    notes: notes.filter(isWorthALine).map(lineOf),
  };
}

async function prove(prover: Prover, image: ImageDigest, now: Date) {
  const signal = AbortSignal.timeout(IMAGE_TIMEOUT_MS);
  return { ...(await prover.prove(image, { now, signal })), digest: image.digest, name: nameOf(image) };
}

interface Note {
  readonly name: string;
  readonly source: string;
  readonly code?: string;
  readonly reason: string;
}

/** A signer who is not trusted looks like no signer at all: the reason is told. What nobody signed, and other types, are none of ours. */
const isWorthALine = ({ code }: Note): boolean => code !== undefined && code !== 'PREDICATE_TYPE';

const lineOf = ({ name, source, code, reason }: Note): string =>
  `${name}: ${source} does not count: ${reason} [${code}]`;
