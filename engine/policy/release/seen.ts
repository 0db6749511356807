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

/** With these releases seen; the highest version of each name stays. */
export function withReleases(seen: SeenReleases, releases: readonly Release[]): SeenReleases {
  const all = new Map(seen);
  for (const { name, version, digest } of releases)
    if (version > (all.get(name)?.version ?? 0)) all.set(name, { version, digest });
  return all;
}
