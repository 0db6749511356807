// SPDX-License-Identifier: Apache-2.0
// Archives in memory: gzip within limits (gzip.ts), the headers of tar (header.ts, pax.ts), paths that stay inside (name.ts), and
// both directions over them (read.ts, write.ts). An archive is untrusted; nothing is ever written to a disk here.
export { ARCHIVE_LIMITS, type ArchiveLimits } from './limits.ts';
export { forbidden } from './name.ts';
export { type ArchiveFile, readArchive, readTar } from './read.ts';
export { writeArchive } from './write.ts';
