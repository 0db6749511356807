// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { ProverParts } from '../../attest/image/index.ts';

/** What one environment asks about the images of an admission. */
export interface ClaimScope {
  /** Of everything below: what was proved under another one counts for nothing. */
  readonly key: string;
  readonly parts: ProverParts;
  /** `host[:port][/path]` of images that are looked at. */
  readonly registries: readonly string[];
  /** Whether an admission waits for a registry. */
  readonly isLive: boolean;
  /** SHA-256 (hex) of whom all of it is believed of. */
  readonly trustDigest: string;
}

/** What is asked in a namespace, or of what has none: the same value each time; undefined where nothing is looked for. */
export type AskedOf = (namespace: string | undefined) => Omit<ClaimScope, 'key'> | undefined;

/** Makes a scope; equal ones have the same key, so that what was prepared outlives a reload that changed nothing. */
export function claimScope(scope: Omit<ClaimScope, 'key'>): ClaimScope {
  const { parts, registries, isLive } = scope;
  const { certificates, mirrors, ...rules } = parts.access;
  // Not when the root expires: the same one that was confirmed again proves the same.
  const { trustedRootExpires: _until, ...stated } = parts;
  const all = [
    { ...stated, trustedRoot: parts.trustedRoot === undefined ? null : hash('sha256', parts.trustedRoot) },
    { ...rules, certificates: [...(certificates ?? [])], mirrors: [...(mirrors ?? [])] },
    registries,
    isLive,
  ];
  return { ...scope, key: hash('sha256', JSON.stringify(all)) };
}
