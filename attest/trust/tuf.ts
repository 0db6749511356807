// SPDX-License-Identifier: Apache-2.0
// The trusted root of a Sigstore instance, kept fresh with The Update Framework: signatures, rollback and expiry of what is fetched
// are the library's to check. This is the one file that knows it. What was good last is kept beside, and serves for a time.

import { hash, randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import { readSigstoreTrust, type SigstoreTrust } from './sigstore.ts';

/** Where an instance publishes its trusted root. */
export interface TufRepository {
  readonly mirrorUrl: string;
  /** The root metadata to begin with; absent: the one that the package has for this mirror. */
  readonly rootFile?: string;
}

/** How the trusted root is had. */
export interface RefreshOptions {
  /** Of this user alone; made where it is missing. */
  readonly directory: string;
  /** Whose it must be; undefined where a system has no user ids. What others can write there would be trusted offline. */
  readonly userId: number | undefined;
  /** Nothing is fetched: what was good last serves, or what the package came with. */
  readonly offline: boolean;
  readonly now: Date;
  readonly repository?: TufRepository;
  readonly timeoutMs?: number;
}

/** The public-good instance, which everybody may use. */
export const PUBLIC_MIRROR = 'https://tuf-repo-cdn.sigstore.dev';
const TARGET = 'trusted_root.json';
const TIMEOUT_MS = 10_000;

/** What was good last, as it is kept. Times are RFC 3339: after the first the mirror must be asked again, after the second nothing holds. */
interface Kept {
  readonly trustedRoot: string;
  readonly freshUntil: string;
  readonly validUntil: string;
}

// CommonJS, and loaded only where a root is had this way.
const load = createRequire(import.meta.url);

/** A trusted root that was fetched, as its bytes, and until when it may be used. */
export interface FetchedRoot {
  readonly bytes: Uint8Array;
  readonly expires: Date;
}

/**
 * Fetches the trusted root of an instance, the public-good one by default. Where that fails, what was good last serves until the
 * mirror would have had to confirm it; offline, by choice, until the metadata that vouches for it expires. Then there is none.
 * @throws {AttestError} TRUST_UNAVAILABLE | TRUST_EXPIRED | TRUST_SHAPE
 * @see https://theupdateframework.github.io/specification/latest/#detailed-client-workflow
 */
export async function refreshTrust(options: RefreshOptions): Promise<SigstoreTrust> {
  const { bytes, expires } = await refreshRoot(options);
  return { ...readSigstoreTrust(bytes), expires };
}

/** {@link refreshTrust}, as bytes that can be handed to a thread; they have been read once. */
export async function refreshRoot(options: RefreshOptions): Promise<FetchedRoot> {
  const { now, offline } = options;
  const repository = options.repository ?? { mirrorUrl: PUBLIC_MIRROR };
  const place = join(options.directory, placeOf(repository));
  for (const folder of [options.directory, place]) checkOwn(folder, options.userId);
  if (offline) return offlineRoot(readKept(place) ?? seedOf(repository), now);
  try {
    const kept = await fetchTrust(place, repository, options.timeoutMs ?? TIMEOUT_MS);
    return rootOf(kept, kept.freshUntil);
  } catch (cause) {
    const kept = readKept(place);
    if (kept !== undefined && now < new Date(kept.freshUntil)) return rootOf(kept, kept.freshUntil);
    throw new AttestError('TRUST_UNAVAILABLE', `the trusted root of ${repository.mirrorUrl} cannot be had`, {
      cause,
      hint: 'check the network and the root metadata that it begins with; a file with the trusted root needs neither, and offline takes the last that was good',
    });
  }
}

/**
 * Each mirror in a folder of its own, so that what one signed is never taken for another's; and each root to begin with, so that whoever
 * names another one does not go on with what the first one vouched for.
 */
function placeOf({ mirrorUrl, rootFile }: TufRepository): string {
  const place = encodeURIComponent(mirrorUrl);
  return rootFile === undefined ? place : `${place}@${hash('sha256', readRoot(rootFile))}`;
}

function readRoot(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new AttestError('TRUST_UNREADABLE', `cannot read ${JSON.stringify(file)}`, {
      cause,
      hint: 'name the root metadata (root.json) of the TUF repository',
    });
  }
}

function checkOwn(folder: string, userId: number | undefined): void {
  const status = lstatSync(folder, { throwIfNoEntry: false });
  if (status === undefined || userId === undefined) return;
  if (status.isDirectory() && status.uid === userId && (status.mode & 0o022) === 0) return;
  throw new AttestError('TRUST_UNAVAILABLE', `${JSON.stringify(folder)} is not a folder of this user alone`, {
    hint: 'name another with COUNTERSIGN_CACHE, or a trusted root with --trusted-root',
  });
}

function offlineRoot(kept: Kept | undefined, now: Date): FetchedRoot {
  if (kept === undefined)
    throw new AttestError('TRUST_UNAVAILABLE', 'no trusted root was ever fetched from this instance', {
      hint: 'fetch it once while online, or name a file',
    });
  if (now < new Date(kept.validUntil)) return rootOf(kept, kept.validUntil);
  throw new AttestError('TRUST_EXPIRED', `the trusted root expired at ${kept.validUntil}`, {
    hint: 'refresh it while online, or name a file with --trusted-root',
  });
}

function rootOf({ trustedRoot }: Kept, until: string): FetchedRoot {
  const bytes = Buffer.from(trustedRoot);
  readSigstoreTrust(bytes);
  return { bytes, expires: new Date(until) };
}

async function fetchTrust(
  place: string,
  { mirrorUrl, rootFile }: TufRepository,
  timeout: number,
): Promise<Kept> {
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const { initTUF }: typeof import('@sigstore/tuf') = load('@sigstore/tuf');
  const client = await initTUF({
    mirrorURL: mirrorUrl,
    cachePath: place,
    timeout,
    retry: { retries: 1 },
    ...(rootFile === undefined ? {} : { rootPath: rootFile }),
  });
  const trustedRoot = await client.getTarget(TARGET);
  // Not kept unless it can be used: a root that was good before is worth more than a new one that is not.
  readSigstoreTrust(Buffer.from(trustedRoot));
  const { host, pathname } = new URL(mirrorUrl);
  const metadata = join(place, encodeURIComponent(host + pathname.replace(/\/$/, '')));
  const untilOf = (role: string): string => expiryOf(readFileSync(join(metadata, `${role}.json`)));
  const validUntil = untilOf('root');
  const others = ['timestamp', 'snapshot', 'targets'].map(untilOf);
  const freshUntil = others.reduce((first, until) => (until < first ? until : first), validUntil);
  const kept: Kept = { trustedRoot, freshUntil, validUntil };
  const temporary = join(place, `${randomUUID()}.tmp`);
  writeFileSync(temporary, JSON.stringify(kept), { mode: 0o600, flush: true });
  renameSync(temporary, join(place, 'kept.json'));
  return kept;
}

function readKept(place: string): Kept | undefined {
  try {
    const value: Partial<Record<string, unknown>> = Object(
      parseStrict(readFileSync(join(place, 'kept.json')))?.value,
    );
    const { trustedRoot, freshUntil, validUntil } = value;
    const isKept = typeof trustedRoot === 'string' && isTime(freshUntil) && isTime(validUntil);
    return isKept ? { trustedRoot, freshUntil, validUntil } : undefined;
  } catch {
    return undefined;
  }
}

/** What the package came with for this mirror, good as long as the root metadata beside it. */
function seedOf({ mirrorUrl, rootFile }: TufRepository): Kept | undefined {
  if (rootFile !== undefined) return undefined;
  const seeds: Readonly<Record<string, Seed>> = load('@sigstore/tuf/seeds.json');
  const seed = Object.hasOwn(seeds, mirrorUrl) ? seeds[mirrorUrl] : undefined;
  const trustedRoot = seed?.targets[TARGET];
  if (seed === undefined || trustedRoot === undefined) return undefined;
  const until = expiryOf(Buffer.from(seed['root.json'], 'base64'));
  return { trustedRoot: Buffer.from(trustedRoot, 'base64').toString(), freshUntil: until, validUntil: until };
}

interface Seed {
  readonly 'root.json': string;
  readonly targets: Readonly<Record<string, string>>;
}

/** Of metadata that the library has verified, or that the package came with. */
function expiryOf(metadata: Uint8Array): string {
  const signed: unknown = Reflect.get(Object(parseStrict(metadata)?.value), 'signed');
  return new Date(String(Reflect.get(Object(signed), 'expires'))).toISOString();
}

const isTime = (value: unknown): value is string =>
  typeof value === 'string' && Number.isFinite(Date.parse(value));
