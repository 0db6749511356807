// SPDX-License-Identifier: Apache-2.0

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EISDIR: 'is a folder',
  ELOOP: 'too many links',
  ENOTDIR: 'a part of the path is no folder',
};

/** Why a file cannot be read, in words where there are some for the system's code (`ENOENT`). */
export const reasonOf = (code: string): string => REASONS[code] ?? code;
