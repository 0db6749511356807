// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import type { Release } from './release.ts';

/** The newest release of each name that was ever used. */
export type SeenReleases = ReadonlyMap<string, { readonly version: number; readonly digest: string }>;

/**
 * Refuses a release that is older than one seen before, that is another bundle of the same version, or that has expired: an old
 * signature stays valid for ever, and whoever holds a registry could serve it (notation CVE-2024-23332).
 * @param allowed digests (`sha256:…`) that a person has allowed nevertheless
 * @throws {EngineError} BUNDLE_ROLLBACK | BUNDLE_EXPIRED
 */
export function admitRelease(
  release: Release,
  seen: SeenReleases,
  { at, allowed }: { readonly at: Date; readonly allowed: readonly string[] },
): void {
  if (allowed.includes(release.digest)) return;
  const { name, version, expires, digest } = release;
  const hint = `to use it nevertheless: --allow-bundle ${digest}`;
  const newest = seen.get(name);
  if (newest !== undefined && version < newest.version)
    throw new EngineError(
      'BUNDLE_ROLLBACK',
      `bundle ${JSON.stringify(name)} is version ${version}, older than version ${newest.version}, which was seen before`,
      { hint },
    );
  if (newest !== undefined && version === newest.version && digest !== newest.digest)
    throw new EngineError(
      'BUNDLE_ROLLBACK',
      `bundle ${JSON.stringify(name)} is another than the one that was version ${version} before`,
      { hint },
    );
  if (!(at.getTime() < Date.parse(expires)))
    throw new EngineError(
      'BUNDLE_EXPIRED',
      `bundle ${JSON.stringify(name)} version ${version} expired at ${expires}`,
      {
        hint,
      },
    );
}

/** Of two memories the newer of each name. */
export function newestOf(a: SeenReleases, b: SeenReleases): SeenReleases {
  const all = new Map(a);
  for (const [name, newest] of b) if (newest.version > (all.get(name)?.version ?? 0)) all.set(name, newest);
  return all;
}

/** With these releases seen; the highest version of each name stays. */
export function withReleases(seen: SeenReleases, releases: readonly Release[]): SeenReleases {
  return releases.reduce<SeenReleases>(
    (all, { name, version, digest }) => newestOf(all, new Map([[name, { version, digest }]])),
    seen,
  );
}

/**
 * Refuses a release of another name under a reference that stood for one before: the same author signs several bundles, and a
 * registry could serve the mildest of them.
 * @throws {EngineError} BUNDLE_ROLLBACK
 */
export function admitName(
  reference: string,
  known: string | undefined,
  { release, digest, allowed }: { release?: Release; digest: string; allowed: readonly string[] },
): void {
  if (known === undefined || known === release?.name || allowed.includes(digest)) return;
  throw new EngineError(
    'BUNDLE_ROLLBACK',
    `${JSON.stringify(reference)} was the release ${JSON.stringify(known)} and is ${release === undefined ? 'none' : JSON.stringify(release.name)} now`,
    { hint: `to use it nevertheless: --allow-bundle ${digest}` },
  );
}
