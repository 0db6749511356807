// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { EngineError, type Source } from '../engine/index.ts';
import { codeOf } from './cause.ts';
import type { Io } from './io.ts';

const MANIFEST = /\.(?:ya?ml|json)$/i;
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Reads the manifests at these paths: files as named, folders recursively in order of their names (`.yaml .yml .json`), `-` from
 * standard input. Links inside a folder are followed only while they stay inside it.
 * @throws {EngineError} INPUT_UNREADABLE | INPUT_EMPTY | INPUT_TOO_LARGE
 */
export async function readManifests(paths: readonly string[], io: Io): Promise<readonly Source[]> {
  const sources: Source[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    if (seen.has(path)) continue;
    seen.add(path);
    sources.push(...(path === '-' ? [{ name: '-', bytes: await io.stdin() }] : readPath(path)));
  }
  return sources;
}

function readPath(path: string): readonly Source[] {
  if (!isDirectory(path)) return [readSource(path)];
  const files = listFolder(path, realpathSync(path));
  if (files.length > 0) return files.map(readSource);
  throw new EngineError('INPUT_EMPTY', `no .yaml, .yml or .json file in ${JSON.stringify(path)}`, {
    hint: 'name a folder or file that holds manifests',
  });
}

function listFolder(folder: string, root: string): string[] {
  const items = attempt(folder, () => readdirSync(folder, { withFileTypes: true }));
  return items
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .flatMap((item) => {
      const path = join(folder, item.name);
      if (item.isDirectory()) return listFolder(path, root);
      if (!MANIFEST.test(item.name)) return [];
      return item.isSymbolicLink() && !linkStaysInside(path, root) ? [] : [path];
    });
}

/** A link to a file inside the folder counts as that file; one that leaves it, or leads to a folder, is not followed. */
function linkStaysInside(path: string, root: string): boolean {
  const target = attempt(path, () => realpathSync(path));
  return target.startsWith(root + sep) && !isDirectory(target);
}

const isDirectory = (path: string): boolean => attempt(path, () => statSync(path)).isDirectory();

/** Reads one file whole. */
export function readSource(path: string): Source {
  if (attempt(path, () => statSync(path)).size > MAX_BYTES) {
    throw new EngineError('INPUT_TOO_LARGE', `${JSON.stringify(path)} is larger than 32 MiB`, {
      hint: 'split the file',
    });
  }
  return { name: path, bytes: attempt(path, () => readFileSync(path)) };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EISDIR: 'is a folder',
  ELOOP: 'too many links',
  ENOTDIR: 'a part of the path is no folder',
};

function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const code = codeOf(cause);
    throw new EngineError(
      'INPUT_UNREADABLE',
      `cannot read ${JSON.stringify(path)}: ${REASONS[code] ?? code}`,
      { cause, hint: 'check the path and that this user may read it' },
    );
  }
}
