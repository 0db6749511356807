// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHIVE_LIMITS, type ArchiveFile, forbidden } from '../../archive/index.ts';
import { EngineError } from '../../error.ts';

/**
 * Reads a folder as a bundle, within the limits of an archive. Hidden folders (`.git`) and `node_modules` are no part of it; a link
 * is refused, as it is in an archive.
 * @throws {EngineError} POLICY_UNREADABLE | BUNDLE_ENTRY | BUNDLE_TOO_LARGE
 */
export function readFolder(folder: string): readonly ArchiveFile[] {
  const files: ArchiveFile[] = [];
  let bytes = 0;
  for (const path of listFiles(folder)) {
    const file = join(folder, ...path.split('/'));
    bytes += attempt(file, () => statSync(file)).size;
    if (bytes > ARCHIVE_LIMITS.maxBytes) throw tooLarge(folder, 'more than 64 MiB');
    files.push({ path, bytes: attempt(file, () => readFileSync(file)) });
  }
  return files;
}

function listFiles(folder: string): readonly string[] {
  const found: string[] = [];
  let entries = 0;
  const walk = (directory: string, prefix: string): void => {
    for (const item of attempt(directory, () => readdirSync(directory, { withFileTypes: true }))) {
      if (++entries > ARCHIVE_LIMITS.maxEntries)
        throw tooLarge(folder, `more than ${ARCHIVE_LIMITS.maxEntries} entries`);
      const path = `${prefix}${item.name}`;
      if (item.isFile()) found.push(path);
      else if (!item.isDirectory()) throw forbidden(folder, path, 'it is a link or no file');
      else if (!item.name.startsWith('.') && item.name !== 'node_modules')
        walk(join(directory, item.name), `${path}/`);
    }
  };
  walk(folder, '');
  return found.sort();
}

const tooLarge = (folder: string, what: string): EngineError =>
  new EngineError('BUNDLE_TOO_LARGE', `bundle ${JSON.stringify(folder)} is too large: ${what}`);

/** Reads one file that may be an archive. @throws {EngineError} POLICY_UNREADABLE | BUNDLE_TOO_LARGE */
export function readArchiveFile(path: string): Uint8Array {
  if (attempt(path, () => statSync(path)).size > ARCHIVE_LIMITS.maxBytes)
    throw tooLarge(path, 'more than 64 MiB');
  return attempt(path, () => readFileSync(path));
}

function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const code: unknown = Reflect.get(Object(cause), 'code');
    const why = code === 'ENOENT' ? 'no such file or folder' : String(code);
    throw new EngineError('POLICY_UNREADABLE', `cannot read policy ${JSON.stringify(path)}: ${why}`, {
      cause,
      hint: 'check the path, and that this user may read it',
    });
  }
}
