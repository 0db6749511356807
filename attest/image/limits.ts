// SPDX-License-Identifier: Apache-2.0

const MIB = 1024 * 1024;

/** What all that is attached to one image may cost. More is an error, never a part of it (cosign CVE-2023-46737, CVE-2024-29902). */
export const ATTACHMENT_LIMITS = {
  /** Pages of the list of referrers, and manifests that they name. */
  pages: 16,
  referrers: 1_024,
  /** Manifests that hold attestations or signatures, and layers in them. */
  attachments: 64,
  manifestBytes: 4 * MIB,
  layerBytes: 16 * MIB,
  totalBytes: 64 * MIB,
  /** Of one request; the caller's signal ends all of them. */
  timeoutMs: 10_000,
} as const;
