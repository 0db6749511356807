// SPDX-License-Identifier: Apache-2.0
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * The folder that a rendering may read: the one that is stated, else the Git work tree that holds `path`, else the working folder where
 * it holds `path`, else the folder of `path` itself. What lies beside it is not the author's to use.
 */
export function rootOf(path: string, stated: string | undefined): string {
  if (stated !== undefined) return resolve(stated);
  const start = realPath(path);
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) break;
  }
  const working = realPath('.');
  return isBelow(start, working) ? working : start;
}

/** A path without links, so that what is beside it is what Kustomize sees there; as it is where there is nothing. */
export const realPath = (path: string): string => (existsSync(path) ? realpathSync(path) : resolve(path));

/** Whether a path is a folder or stands somewhere in it. */
export const isBelow = (path: string, folder: string): boolean =>
  relative(folder, path) === '' || !/^\.\.(?:[/\\]|$)/.test(relative(folder, path));

/** A path as seen from the working folder, as people write it. */
export const shownPath = (path: string): string => {
  const shown = relative('.', path);
  return shown === '' ? '.' : shown;
};
