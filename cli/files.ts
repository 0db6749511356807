// SPDX-License-Identifier: Apache-2.0

import { hash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { EngineError, type Source } from '../engine/index.ts';
import { reasonOf } from '../engine/unreadable.ts';
import { codeOf } from './cause.ts';
import type { Io } from './io.ts';

const MANIFEST = /\.(?:ya?ml|json)$/i;
const MAX_BYTES = 32 * 1024 * 1024;
/** Of so many bytes of manifests the files are kept; those after them are read when they are asked for, each time. */
const KEEP_BYTES = 8 * 1024 * 1024;
/** What a file costs beside its bytes. */
const FILE_COSTS = 512;
const CHUNK_BYTES = 256 * 1024;
/** Files of the system's own that say they are empty are read by this much. */
const SMALL_BYTES = 4096;

/**
 * Reads the manifests at these paths: files as named, folders recursively in order of their names (`.yaml .yml .json`), `-` from
 * standard input. Links inside a folder are followed while they stay inside it, as kubectl follows them; what kubectl would
 * read and we do not is an error, never left out. Beyond 8 MiB a file is read when its bytes are asked for, and again the next time:
 * one that is another then is an error.
 * @throws {EngineError} INPUT_UNREADABLE | INPUT_EMPTY | INPUT_TOO_LARGE
 */
export async function readManifests(paths: readonly string[], io: Io): Promise<readonly Source[]> {
  const sources: Source[] = [];
  const seen = new Set<string>();
  const open = opener();
  for (const path of paths) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (path === '-') sources.push({ name: '-', bytes: await io.stdin() });
    else for (const file of filesAt(path)) sources.push(open(file));
  }
  return sources;
}

function opener(): (path: string) => Source {
  const shelf: Shelf = {};
  let size = 0;
  return (path) => {
    const status = attempt(path, () => statSync(path));
    size += status.size + FILE_COSTS;
    return status.isFile() && size > KEEP_BYTES ? readLater(path, status.size, shelf) : readSource(path);
  };
}

/** The one file whose bytes are at hand. */
interface Shelf {
  last?: { readonly name: string; readonly bytes: Uint8Array };
}

function readLater(name: string, size: number, shelf: Shelf): Source {
  if (size > MAX_BYTES) throw tooLarge(name);
  let digest: string | undefined;
  return {
    name,
    get bytes() {
      if (shelf.last?.name === name) return shelf.last.bytes;
      const { bytes } = readSource(name);
      const now = hash('sha256', bytes, 'base64');
      digest ??= now;
      // What was judged would not be what was read.
      if (digest !== now) throw unread(name, 'it changed while it was read', 'run again');
      shelf.last = { name, bytes };
      return bytes;
    },
  };
}

function filesAt(path: string): readonly string[] {
  if (!attempt(path, () => statSync(path)).isDirectory()) return [path];
  const files = listFolder(
    path,
    attempt(path, () => realpathSync(path)),
  );
  if (files.length > 0) return onceEach(files);
  throw new EngineError('INPUT_EMPTY', `no .yaml, .yml or .json file in ${JSON.stringify(path)}`, {
    hint: 'name a folder or file that holds manifests',
  });
}

/** In a mounted ConfigMap each file is there twice, as itself and by a link. */
function onceEach(files: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return files.filter((file) => {
    const real = attempt(file, () => realpathSync(file));
    return !seen.has(real) && seen.add(real);
  });
}

function listFolder(folder: string, root: string): string[] {
  const items = attempt(folder, () => readdirSync(folder, { withFileTypes: true }));
  return items
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .flatMap((item) => {
      const path = join(folder, item.name);
      if (item.isDirectory()) return listFolder(path, root);
      if (item.isSymbolicLink()) return linkedFile(path, root);
      if (!MANIFEST.test(item.name)) return [];
      if (!item.isFile()) throw unread(path, 'it is no file', 'a pipe or device in a folder is not read');
      return [path];
    });
}

/** The file that a link stands for; a folder inside is read where it stands. */
function linkedFile(path: string, root: string): string[] {
  const target = attempt(path, () => statSync(path, { throwIfNoEntry: false }));
  if (!MANIFEST.test(path) && !target?.isDirectory()) return [];
  const real = attempt(path, () => realpathSync(path));
  const isInside = real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
  if (!isInside)
    throw unread(path, 'the link leads out of the folder', 'name what it leads to as a path of its own');
  if (target?.isDirectory()) return [];
  if (!target?.isFile()) throw unread(path, 'it is no file', 'a pipe or device in a folder is not read');
  return [path];
}

/**
 * Reads one file whole; a pipe that a shell opened (`<(helm template …)`) up to the same size. A device never, nor a named pipe: until
 * somebody writes to it, which may be never, it can only be waited for.
 */
export function readSource(path: string): Source {
  const status = attempt(path, () => statSync(path));
  if (status.isFile() && status.size > MAX_BYTES) throw tooLarge(path);
  if (!status.isFile() && !status.isFIFO() && !status.isDirectory())
    throw unread(path, 'it is no file', 'name a file, a folder, or - for standard input');
  if (status.isFIFO() && !isOpened(path))
    throw unread(path, 'it is a named pipe', 'hand it over as standard input: countersign check - < PIPE');
  // One byte more than it has tells that it has no more.
  const expected = status.isFile() ? Math.max(status.size + 1, SMALL_BYTES) : CHUNK_BYTES;
  return { name: path, bytes: attempt(path, () => readUpTo(path, expected)) };
}

/** Whether a path is a descriptor that somebody opened: a link below /proc, or /dev/fd itself. */
const isOpened = (path: string): boolean => path.startsWith('/dev/fd/') || !lstatSync(path).isFIFO();

function readUpTo(path: string, expected: number): Uint8Array {
  const descriptor = openSync(path, 'r');
  try {
    const full: Buffer[] = [];
    let chunk = Buffer.alloc(expected);
    for (let size = 0, at = 0; ; ) {
      const count = readSync(descriptor, chunk, { offset: at });
      if (count === 0) {
        // A small text keeps no large chunk.
        const rest = at * 2 < chunk.length ? Buffer.from(chunk.subarray(0, at)) : chunk.subarray(0, at);
        return full.length === 0 ? rest : Buffer.concat([...full, rest]);
      }
      size += count;
      at += count;
      if (size > MAX_BYTES) throw tooLarge(path);
      if (at < chunk.length) continue;
      full.push(chunk);
      chunk = Buffer.alloc(CHUNK_BYTES);
      at = 0;
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes whole or not at all, in one step: what fails leaves the file as it was, or none. Its folder must be writable, since the text
 * is written under another name beside it. A file that is there keeps its mode, and a link stays one, also where it leads to nothing yet; a device or a pipe is written to, and not replaced.
 * @throws what the system says
 */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) {
    writeFileSync(path, content);
    return;
  }
  const target = there === undefined ? missingFile(path) : realpathSync(path);
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, content, { flag: 'wx', flush: true, mode: there?.mode ?? 0o666 });
    // The umask has taken from it.
    if (there !== undefined) chmodSync(temporary, there.mode);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Where a file is to be made that is not there yet: past each link, seen from the folder that the link is really in. */
function missingFile(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path;
  return missingFile(resolve(realpathSync(dirname(path)), readlinkSync(path)));
}

/** All of a stream, as long as it is no more than a file may be. @throws {EngineError} INPUT_TOO_LARGE */
export async function readStream(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    size += chunk.length;
    if (size > MAX_BYTES) throw tooLarge('-');
  }
  return Buffer.concat(chunks);
}

const tooLarge = (path: string): EngineError =>
  new EngineError('INPUT_TOO_LARGE', `${JSON.stringify(path)} is larger than 32 MiB`, {
    hint: 'split the file',
  });

const unread = (path: string, reason: string, hint: string): EngineError =>
  new EngineError('INPUT_UNREADABLE', `cannot read ${JSON.stringify(path)}: ${reason}`, { hint });

function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    const code = codeOf(cause);
    throw new EngineError('INPUT_UNREADABLE', `cannot read ${JSON.stringify(path)}: ${reasonOf(code)}`, {
      cause,
      hint: 'check the path and that this user may read it',
    });
  }
}

const HALF = /\\u[dD][89a-fA-F]/;

/**
 * Refuses JSON that writes half a character, which is no text: Go takes another character for it, and what is judged would not be
 * what was written. Anything else is for its reader to judge.
 * @throws {EngineError} INPUT_ENCODING
 */
export function refuseHalves({ name, bytes }: Source): void {
  const text = Buffer.from(bytes).toString('utf8');
  if (!HALF.test(text)) return;
  const isText = (value: unknown): boolean => typeof value !== 'string' || value.isWellFormed();
  let isWhole = true;
  try {
    JSON.parse(text, (key, value: unknown) => {
      isWhole &&= isText(key) && isText(value);
      return value;
    });
  } catch {
    return; // no JSON
  }
  if (isWhole) return;
  throw new EngineError('INPUT_ENCODING', `${JSON.stringify(name)} holds a lone surrogate`, {
    hint: 'half a character is no text: another reader would take it for something else',
  });
}
