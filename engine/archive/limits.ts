// SPDX-License-Identifier: Apache-2.0

const MIB = 1024 * 1024;

/** What an archive may cost; sizes are in bytes. */
export interface ArchiveLimits {
  /** Of the archive as it comes, and of all that it unpacks to. */
  readonly maxBytes: number;
  /** Headers, those of folders and of long names included. */
  readonly maxEntries: number;
  /** Bytes out for each byte in; what unpacks to less than `ratioFreeBytes` may be as dense as it likes. */
  readonly maxRatio: number;
  /** A small archive is mostly padding, which compresses a hundredfold. */
  readonly ratioFreeBytes: number;
  readonly maxNameBytes: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  maxBytes: 64 * MIB,
  maxEntries: 10_000,
  maxRatio: 100,
  ratioFreeBytes: MIB,
  maxNameBytes: 1_024,
};
