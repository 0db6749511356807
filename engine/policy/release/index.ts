// SPDX-License-Identifier: Apache-2.0
// What a bundle's author vouches for (release.ts: name, version, end, roots, signed), what may not come back (seen.ts), and the file
// that remembers both with the digests of references (lock.ts).
export { EMPTY_LOCK, type Lock, lockText, type Pin, readLock } from './lock.ts';
export { checkRelease, RELEASE_TYPE, type Release, releaseStatement, verifyRelease } from './release.ts';
export { admitName, admitRelease, newestOf, type SeenReleases, withReleases } from './seen.ts';
