// SPDX-License-Identifier: Apache-2.0
import { hash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { meter } from '../rego/index.ts';
import type { RegoToolchain } from '../toolchain/rego.ts';
import { type CompiledPolicy, type CompileRequest, compilePolicy, digestSources } from './compile.ts';
import type { Entry } from './rule.ts';

const FORMAT = 'countersign policy cache 4\n';

/**
 * Where compiled policies are kept for speed. `userId` is the caller's; a directory of anybody else, or one that is open to
 * others, is not used: who can write a cached module decides what is allowed.
 * `toolVersion` names everything besides the sources that the module depends on (toolchain digest, product version).
 */
export interface PolicyCache {
  readonly directory: string;
  readonly userId: number | undefined;
  readonly toolVersion: string;
  /** What the directory may hold; beyond it what was used longest ago goes. 256 MiB if not stated. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 256 * 1024 * 1024;

/** Compiles, or takes the module that the same tools compiled from the same sources before. Never used for what is signed. */
export async function compileCached(
  request: CompileRequest,
  openToolchain: () => RegoToolchain,
  cache: PolicyCache | undefined,
): Promise<CompiledPolicy> {
  const file = cache === undefined ? undefined : cacheFile(request, cache);
  const found = file === undefined ? undefined : readCached(file, cache?.userId);
  if (found !== undefined) return found;
  const compiled = await compilePolicy(request, openToolchain());
  if (file === undefined) return compiled;
  const metered = { ...compiled, metered: meter(compiled.wasm) };
  writeCached(file, metered);
  evict(dirname(file), cache?.maxBytes ?? MAX_BYTES);
  return metered;
}

/** The file of this request, or undefined where the directory cannot be trusted or made. */
function cacheFile(request: CompileRequest, cache: PolicyCache): string | undefined {
  try {
    makeFolder(cache.directory);
    const { uid, mode } = statSync(cache.directory);
    // Closing what was open would not take out what was put there before, and a repository's folders are never made 0700.
    if (cache.userId !== undefined && (uid !== cache.userId || (mode & 0o077) !== 0)) return undefined;
  } catch {
    return undefined; // no cache is slower, never different
  }
  const key = JSON.stringify([
    cache.toolVersion,
    digestSources(request.sources),
    request.namespaces,
    request.codes ?? null,
  ]);
  return join(cache.directory, `${hash('sha256', key, 'hex')}.policy`);
}

/** One by one: Node's own recursive call never returns where a folder cannot be made, as below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(path)) throw error; // another process may have made it
  }
}

interface Meta {
  readonly entries: readonly Entry[];
  readonly paths: readonly string[];
  readonly sources: string;
  /** Bytes of the module; what follows it is the metered one. */
  readonly size: number;
}

const isMeta = (value: unknown): value is Meta =>
  typeof value === 'object' &&
  value !== null &&
  'entries' in value &&
  Array.isArray(value.entries) &&
  'paths' in value &&
  Array.isArray(value.paths) &&
  'sources' in value &&
  'size' in value;

/**
 * File: format line, checksum, length of the JSON part, JSON part, both modules. Anything else is compiled anew, and so is a file that is
 * another user's or open to others: it was not made here.
 */
function readCached(file: string, userId: number | undefined): CompiledPolicy | undefined {
  try {
    const bytes = readOwn(file, userId);
    if (bytes?.toString('latin1', 0, FORMAT.length) !== FORMAT) return undefined;
    const body = bytes.subarray(FORMAT.length + 64);
    if (checksum(file, body) !== bytes.toString('latin1', FORMAT.length, FORMAT.length + 64))
      return undefined;
    const modules = 4 + body.readUInt32BE(0);
    const meta: unknown = JSON.parse(body.toString('utf8', 4, modules));
    if (!isMeta(meta)) return undefined;
    const { entries, paths, sources, size } = meta;
    return {
      wasm: body.subarray(modules, modules + size),
      metered: body.subarray(modules + size),
      entries,
      paths,
      sources,
    };
  } catch {
    return undefined; // missing or damaged: compile
  }
}

function readOwn(file: string, userId: number | undefined): Buffer | undefined {
  const descriptor = openSync(file, 'r');
  try {
    const { uid, mode } = fstatSync(descriptor);
    const isOwn = userId === undefined || (uid === userId && (mode & 0o077) === 0);
    return isOwn ? readFileSync(descriptor) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** Over the file's name too, which is that of the request: one policy's file put in another's place is not that policy. */
const checksum = (file: string, body: Uint8Array): string =>
  hash('sha256', Buffer.concat([Buffer.from(basename(file)), body]), 'hex');

function writeCached(
  file: string,
  { wasm, metered, entries, paths, sources }: CompiledPolicy & { readonly metered: Uint8Array },
): void {
  const facts: Meta = { entries, paths, sources, size: wasm.length };
  const meta = Buffer.from(JSON.stringify(facts));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(meta.length);
  const body = Buffer.concat([size, meta, wasm, metered]);
  const temporary = `${file}.${randomUUID()}`;
  try {
    writeFileSync(temporary, Buffer.concat([Buffer.from(FORMAT + checksum(file, body), 'latin1'), body]), {
      mode: 0o600,
    });
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true }); // a full disk costs the cache, not the answer
  }
}

/** Takes away what was used longest ago, and what a write that was cut off left behind, until the rest is small enough. */
function evict(directory: string, maxBytes: number): void {
  try {
    const files = readdirSync(directory)
      .filter((name) => /\.policy(?:\.[0-9a-f-]{36})?$/.test(name))
      .map((name) => ({ file: join(directory, name), ...statOf(join(directory, name)) }))
      .sort((a, b) => b.usedMs - a.usedMs);
    let bytes = 0;
    for (const { file, size } of files) {
      bytes += size;
      if (bytes > maxBytes) rmSync(file, { force: true });
    }
  } catch {
    // a cache that is too large costs the disk, not the answer
  }
}

/** When it was last read, as far as the file system says, or written. */
function statOf(file: string): { readonly usedMs: number; readonly size: number } {
  const found = statSync(file, { throwIfNoEntry: false });
  return { usedMs: Math.max(found?.atimeMs ?? 0, found?.mtimeMs ?? 0), size: found?.size ?? 0 };
}
