// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * The folder that a rendering may read: the one that is stated, else the Git work tree that holds `path`, else the working folder where
 * it holds `path`, else the folder of `path` itself. What lies beside it is not the author's to use.
 */
export function rootOf(path: string, stated: string | undefined): string {
  if (stated !== undefined) return resolve(stated);
  const start = resolve(path);
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) break;
  }
  const working = resolve('.');
  return isBelow(start, working) ? working : start;
}

/** Whether a path is a folder or stands somewhere in it. */
export const isBelow = (path: string, folder: string): boolean =>
  relative(folder, path) === '' || !/^\.\.(?:[/\\]|$)/.test(relative(folder, path));
