// SPDX-License-Identifier: Apache-2.0
// The trusted root of a Sigstore instance, kept fresh with The Update Framework: signatures, rollback and expiry of what is fetched
// are the library's to check. This is the one file that knows it. What was good last is kept beside, and serves for a time.

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

/**
 * Fetches the trusted root of an instance, the public-good one by default. Where that fails, what was good last serves until the
 * mirror would have had to confirm it; offline, by choice, until the metadata that vouches for it expires. Then there is none.
 * @throws {AttestError} TRUST_UNAVAILABLE | TRUST_EXPIRED | TRUST_SHAPE
 * @see https://theupdateframework.github.io/specification/latest/#detailed-client-workflow
 */
export async function refreshTrust(options: RefreshOptions): Promise<SigstoreTrust> {
  const { now, offline } = options;
  const repository = options.repository ?? { mirrorUrl: PUBLIC_MIRROR };
  const place = join(options.directory, encodeURIComponent(repository.mirrorUrl));
  if (offline) return offlineTrust(readKept(place) ?? seedOf(repository), now);
  try {
    const kept = await fetchTrust(place, repository, options.timeoutMs ?? TIMEOUT_MS);
    return trustOf(kept, kept.freshUntil);
  } catch (cause) {
    const kept = readKept(place);
    if (kept !== undefined && now < new Date(kept.freshUntil)) return trustOf(kept, kept.freshUntil);
    throw new AttestError('TRUST_UNAVAILABLE', `the trusted root of ${repository.mirrorUrl} cannot be had`, {
      cause,
      hint: 'check the network; --trusted-root FILE names one, --offline takes the last that was good',
    });
  }
}

function offlineTrust(kept: Kept | undefined, now: Date): SigstoreTrust {
  if (kept === undefined)
    throw new AttestError('TRUST_UNAVAILABLE', 'no trusted root was ever fetched from this instance', {
      hint: 'fetch it once while online, or name a file',
    });
  if (now < new Date(kept.validUntil)) return trustOf(kept, kept.validUntil);
  throw new AttestError('TRUST_EXPIRED', `the trusted root expired at ${kept.validUntil}`, {
    hint: 'refresh it while online, or name a file with --trusted-root',
  });
}

const trustOf = ({ trustedRoot }: Kept, until: string): SigstoreTrust => ({
  ...readSigstoreTrust(Buffer.from(trustedRoot)),
  expires: new Date(until),
});

/** Each mirror in a folder of its own, so that what one signed is never taken for another's. */
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
  const [root, ...others] = ['root', 'timestamp', 'snapshot', 'targets'].map((role) =>
    expiryOf(readFileSync(join(metadata, `${role}.json`))),
  );
  const kept = { trustedRoot, freshUntil: [root, ...others].toSorted()[0] ?? '', validUntil: root ?? '' };
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

function expiryOf(metadata: Uint8Array): string {
  const signed: unknown = Reflect.get(Object(parseStrict(metadata)?.value), 'signed');
  const expires: unknown = Reflect.get(Object(signed), 'expires');
  if (!isTime(expires)) throw new AttestError('TRUST_SHAPE', 'metadata of the trusted root say no expiry');
  return new Date(expires).toISOString();
}

const isTime = (value: unknown): value is string =>
  typeof value === 'string' && Number.isFinite(Date.parse(value));
