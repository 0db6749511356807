// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { join, sep } from 'node:path';
import { EngineError } from '../error.ts';
import { reasonOf } from '../unreadable.ts';
import type { Part } from './program.ts';
import { shownPath } from './root.ts';

const MIB = 1024 * 1024;
const MAX_BYTES = 64 * MIB;
const MAX_FILES = 10_000;
const CHUNK_BYTES = 256 * 1024;

/** What of one rendering is read from the disk: bounded in number and size, and nothing outside of `boundary`. */
export interface Reading {
  /** The real path of the folder that nothing leads out of. */
  readonly boundary: string;
  /** What stands at a path; links count as what they lead to. @throws {EngineError} INPUT_UNREADABLE where that is outside */
  kindOf(path: string): 'file' | 'folder' | undefined;
  /** @throws {EngineError} INPUT_UNREADABLE | INPUT_TOO_LARGE */
  file(path: string): Uint8Array;
  /** Every file below a folder, with paths relative to it, ordered as Helm walks: by name, folder after folder. */
  folder(path: string): readonly Part[];
}

/** Opens a reading inside a folder. @throws {EngineError} INPUT_UNREADABLE */
export function openReading(folder: string): Reading {
  const boundary = attempt(folder, () => realpathSync(folder));
  const spent = { files: 0, bytes: 0 };
  const file = (path: string): Uint8Array => {
    spent.files++;
    if (spent.files > MAX_FILES) throw tooLarge(folder, `more than ${MAX_FILES} files`);
    const bytes = attempt(path, () => readWhole(path, inside(path, boundary), MAX_BYTES - spent.bytes));
    spent.bytes += bytes.length;
    return bytes;
  };
  return {
    boundary,
    file,
    kindOf: (path) => {
      const status = attempt(path, () => statSync(path, { throwIfNoEntry: false }));
      if (status === undefined) return undefined;
      inside(path, boundary);
      return status.isDirectory() ? 'folder' : 'file';
    },
    folder: (path) =>
      list(path, '', [], { boundary, top: folder, left: () => MAX_FILES - spent.files }).map((name) => ({
        path: name,
        bytes: file(join(path, name)),
      })),
  };
}

/** The real path of what is at `path`. */
function inside(path: string, boundary: string): string {
  const real = attempt(path, () => realpathSync(path));
  if (real === boundary || real.startsWith(boundary.endsWith(sep) ? boundary : boundary + sep)) return real;
  throw unreadable(path, 'it leads out of the folder that may be read', {
    hint: `only what is below ${JSON.stringify(shownPath(boundary))} is read: move the file there, or name a folder above both with --root`,
  });
}

interface Walk {
  readonly boundary: string;
  readonly top: string;
  readonly left: () => number;
}

/** The names of all files below, joined by `/`. `above` are the real folders on the way, so that no link goes in a circle. */
function list(folder: string, prefix: string, above: readonly string[], walk: Walk): string[] {
  const real = inside(folder, walk.boundary);
  if (above.includes(real)) throw unreadable(folder, 'its links lead in a circle');
  const names: string[] = [];
  const items = attempt(folder, () => readdirSync(folder, { withFileTypes: true }));
  if (items.length > MAX_FILES) throw tooLarge(folder, `more than ${MAX_FILES} files`);
  for (const item of items.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))) {
    // Where a chart is a repository of its own, its history is none of it.
    if (item.name === '.git') continue;
    const path = join(folder, item.name);
    const kind = item.isSymbolicLink() ? attempt(path, () => statSync(path)) : item;
    if (item.isSymbolicLink()) inside(path, walk.boundary);
    if (kind.isDirectory()) names.push(...list(path, `${prefix}${item.name}/`, [...above, real], walk));
    else if (kind.isFile()) names.push(`${prefix}${item.name}`);
    else
      throw unreadable(path, 'it is no file', { hint: 'a pipe, socket or device in a folder is not read' });
    if (names.length > walk.left()) throw tooLarge(walk.top, `more than ${MAX_FILES} files`);
  }
  return names;
}

/**
 * All bytes of a file, which may not change meanwhile: half of the old and half of the new is neither. Opened without waiting, since a
 * pipe may stand where a file stood a moment ago.
 */
function readWhole(path: string, real: string, maxBytes: number): Uint8Array {
  const descriptor = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const before = fstatSync(descriptor, { bigint: true });
    if (!before.isFile())
      throw unreadable(path, 'it is no file', { hint: 'a pipe, socket or device is not read' });
    const bytes = readUpTo(descriptor, path, maxBytes);
    const after = fstatSync(descriptor, { bigint: true });
    if (before.mtimeNs !== after.mtimeNs || after.size !== BigInt(bytes.length))
      throw unreadable(path, 'it changed while it was read', { hint: 'try again once nobody writes to it' });
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

function readUpTo(descriptor: number, path: string, maxBytes: number): Uint8Array {
  const chunks: Buffer[] = [];
  for (let size = 0; ; ) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const count = readSync(descriptor, chunk);
    if (count === 0) return Buffer.concat(chunks);
    size += count;
    if (size > maxBytes) throw tooLarge(path, `all files together have more than ${MAX_BYTES / MIB} MiB`);
    chunks.push(chunk.subarray(0, count));
  }
}

const tooLarge = (path: string, why: string): EngineError =>
  new EngineError('INPUT_TOO_LARGE', `${JSON.stringify(shownPath(path))} is too large: ${why}`, {
    hint: 'name the folder of one chart or one overlay',
  });

const unreadable = (
  path: string,
  reason: string,
  detail: { readonly hint?: string; readonly cause?: unknown } = {},
): EngineError =>
  new EngineError('INPUT_UNREADABLE', `cannot read ${JSON.stringify(shownPath(path))}: ${reason}`, detail);

function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    const code = String(Reflect.get(Object(cause), 'code'));
    throw unreadable(path, reasonOf(code), {
      cause,
      hint: 'check the path and that this user may read it',
    });
  }
}
