// SPDX-License-Identifier: Apache-2.0
// Folders of signed statements. A lock or a revocation that is passed over lets something through, so nothing in them is.
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { EngineError } from '../../engine/index.ts';
import type { StatementFile } from '../../engine/people/index.ts';
import { codeOf } from '../cause.ts';
import { readSource } from '../files.ts';

const MAX_FILES = 10_000;
const NAMED = /\.json$/i;
/** White space, however much, and a byte order mark may stand before it. */
const BEGINS = /^\ufeff?\s*\{/;

/**
 * The files of a folder and of the folders in it that may hold what somebody signed: those named `.json`, in any case, and whatever
 * else begins as JSON does. Links are followed while they stay inside; one that leads out, a pipe, or what cannot be read is an error.
 * Of what is there only `.git` is left out, and a text that is no JSON.
 * @throws {EngineError} INPUT_UNREADABLE | INPUT_TOO_LARGE
 */
export function statementFiles(folder: string, isOwn: boolean): readonly StatementFile[] {
  const root = attempt(folder, () => realpathSync(folder));
  const paths = pathsIn(folder, root);
  if (paths.length > MAX_FILES)
    throw new EngineError(
      'INPUT_TOO_LARGE',
      `${JSON.stringify(folder)} holds ${paths.length} statements, more than ${MAX_FILES}`,
      { hint: 'move those that have ended elsewhere' },
    );
  const seen = new Set<string>();
  return paths.flatMap((path): StatementFile[] => {
    // In a mounted ConfigMap each file is there twice, as itself and by a link.
    const real = attempt(path, () => realpathSync(path));
    if (seen.has(real)) return [];
    seen.add(real);
    const { name, bytes } = readSource(path);
    // All of it is looked at: where only the start is, a revocation could stand behind blanks.
    const isStatement = NAMED.test(path) || BEGINS.test(Buffer.from(bytes).toString('utf8'));
    return isStatement ? [{ name, bytes, isOwn }] : [];
  });
}

function pathsIn(folder: string, root: string): string[] {
  const items = attempt(folder, () => readdirSync(folder, { withFileTypes: true }));
  return items
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .flatMap((item) => {
      const path = join(folder, item.name);
      if (item.isDirectory()) return item.name === '.git' ? [] : pathsIn(path, root);
      if (item.isFile()) return [path];
      return item.isSymbolicLink() ? linked(path, root) : refuse(path, 'it is no file');
    });
}

/** A folder inside is read where it stands; below `.git` nothing is. */
function linked(path: string, root: string): string[] {
  const real = attempt(path, () => realpathSync(path));
  if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep))
    return refuse(path, 'the link leads out of the folder');
  const target = attempt(path, () => statSync(path));
  if (target.isDirectory())
    return relative(root, real).split(sep).includes('.git')
      ? refuse(path, 'the link leads to what is below .git')
      : [];
  return target.isFile() ? [path] : refuse(path, 'it is no file');
}

function refuse(path: string, reason: string): never {
  throw new EngineError('INPUT_UNREADABLE', `cannot read the statement ${JSON.stringify(path)}: ${reason}`, {
    hint: 'put the file itself there, or take it away where you know what it was',
  });
}

/** A lock or a revocation may have been in it: what is not there cannot be taken for nothing signed. */
function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new EngineError(
      'INPUT_UNREADABLE',
      `cannot read the statements in ${JSON.stringify(path)}: ${codeOf(cause)}`,
      { cause, hint: 'make the folder, even if it is empty, or name the right one' },
    );
  }
}
