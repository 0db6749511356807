// SPDX-License-Identifier: Apache-2.0
import { type Dirent, existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { EngineError } from '../error.ts';
import type { RegoSource } from '../toolchain/rego.ts';

const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 10_000;

/**
 * Reads every `.rego` file of a file or folder, recursively, ordered by path. Links to files inside the folder are followed, as in a
 * mounted ConfigMap; any other link is an error, since leaving a rule out would weaken the policy. Names are as the user gave them.
 * @throws {EngineError} POLICY_UNREADABLE | POLICY_EMPTY
 */
export function readRegoSources(path: string): readonly RegoSource[] {
  const files = listFiles(path).filter((file) => file.endsWith('.rego'));
  if (files.length === 0) {
    throw new EngineError('POLICY_EMPTY', `no .rego file in ${JSON.stringify(path)}`, {
      hint: 'name a folder that holds Rego files, or a .rego file',
    });
  }
  return files.map((file) => ({ file, text: readText(file) }));
}

/** Sources without tests, which a policy does not need to decide. */
export function withoutTests(sources: readonly RegoSource[]): readonly RegoSource[] {
  return sources.filter((source) => !source.file.endsWith('_test.rego'));
}

/** The version of Rego that files are in where nothing else says so: a bundle's manifest does, and `import rego.v1` does to OPA. */
export type RegoVersion = 'v0' | 'v1';

/** Sources in the version that was named for them, but for those whose own is stated. */
export function inVersion(
  sources: readonly RegoSource[],
  version: RegoVersion | undefined,
): readonly RegoSource[] {
  if (version !== 'v0') return sources;
  return sources.map((source) => (source.v0 === undefined ? { ...source, v0: true } : source));
}

/**
 * Whether a path is a bundle rather than a file or folder of Rego: an archive by its name, a compiled module, or a folder that says
 * of itself what it owns or who signed it.
 */
export function isBundlePath(path: string): boolean {
  return (
    /\.(?:tar\.gz|tgz|wasm)$/i.test(path) ||
    ['.manifest', '.signatures.json'].some((name) => existsSync(join(path, name)))
  );
}

function listFiles(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return onceEach(walk(path, [], realpathSync(path)).sort());
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function walk(directory: string, found: string[], root: string): string[] {
  for (const item of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, item.name);
    if (item.name.includes('\ufffd') && !existsSync(path))
      throw new EngineError('POLICY_UNREADABLE', `the name of ${JSON.stringify(path)} is not UTF-8`);
    if (item.isDirectory() && !isLeftOut(item.name)) walk(path, found, root);
    if (item.isFile() || isLinkedFile(item, path, root)) found.push(path);
    else if (item.name.endsWith('.rego') && !item.isDirectory() && !item.isSymbolicLink())
      throw new EngineError('POLICY_UNREADABLE', `${JSON.stringify(path)} is no file`);
    if (found.length > MAX_FILES)
      throw new EngineError(
        'POLICY_UNREADABLE',
        `more than ${MAX_FILES} files below ${JSON.stringify(directory)}`,
      );
  }
  return found;
}

/** Whether a link is a file to be read. Names that begin with a dot are left out as folders are, a ConfigMap's `..data` among them. */
function isLinkedFile(item: Dirent, path: string, root: string): boolean {
  if (!item.isSymbolicLink() || isLeftOut(item.name)) return false;
  const target = statSync(path, { throwIfNoEntry: false });
  if (!item.name.endsWith('.rego') && !target?.isDirectory()) return false;
  const inside = relative(root, realpathSync(path)).split(sep);
  if (target?.isFile() && inside[0] !== '..') return true;
  // A folder that is read where it stands.
  if (target?.isDirectory() && !inside.some(isLeftOut)) return false;
  throw new EngineError('POLICY_UNREADABLE', `the link ${JSON.stringify(path)} is not followed`, {
    hint: 'only links to files inside the folder are followed: name what it leads to as a path of its own',
  });
}

const isLeftOut = (name: string): boolean => name.startsWith('.') || name === 'node_modules';

/** A file and links to it are read once. */
function onceEach(files: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return files.filter((file) => {
    const real = realpathSync(file);
    return !seen.has(real) && seen.add(real);
  });
}

function readText(file: string): string {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
  if (content.length > MAX_FILE_BYTES)
    throw new EngineError('POLICY_UNREADABLE', `${JSON.stringify(file)} is larger than 4 MiB`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `${JSON.stringify(file)} is not UTF-8 text`, { cause });
  }
}

function unreadable(path: string, cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  const missing = codeOf(cause) === 'ENOENT';
  return new EngineError(
    'POLICY_UNREADABLE',
    `cannot read policy ${JSON.stringify(path)}: ${missing ? 'no such file or folder' : codeOf(cause)}`,
    {
      cause,
      hint: missing ? 'check the path given to --policy' : 'check that the file can be read by this user',
    },
  );
}

/** Node's code of a failed call, such as ENOENT. */
function codeOf(cause: unknown): string {
  const code: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'code') : undefined;
  return typeof code === 'string' ? code : 'unreadable';
}
