// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { EngineError } from '../error.ts';

/** Loaded with the first program: most runs need none. */
const load = createRequire(import.meta.url);

/** The Go programs that are built and shipped; the source of each is in `programs/<name>`. */
export type ProgramName = 'kube' | 'rego' | 'render' | 'yaml';

/** What `<name>.json` says of `<name>.wasm.zst`; `scripts/wasm.ts` writes it. */
export interface ProgramManifest {
  readonly name: string;
  /** Go's version, `go1.26.8`. */
  readonly go: string;
  readonly target: string;
  readonly modules: readonly { readonly path: string; readonly version: string }[];
  /** SHA-256, hex, over the program's sources. */
  readonly sourceDigest: string;
  /** SHA-256, hex, of the module before compression. */
  readonly wasmDigest: string;
  /** Bytes of the module before compression. */
  readonly size: number;
}

/** Less is not taken. */
const SMALLEST_CHUNK = 64;
const REINSTALL = 'reinstall countersign: a file of its own is missing or was changed';

/**
 * Reads a program's module and checks it against its manifest before anything compiles it.
 *
 * @throws {EngineError} TOOLCHAIN_FAILED: not there; TOOLCHAIN_DIGEST: not the bytes that its manifest names
 */
export function readArtefact(directory: string, name: ProgramName): Uint8Array {
  const manifest = parseManifest(readOwn(join(directory, `${name}.json`)), name);
  const bytes = unpack(readOwn(join(directory, `${name}.wasm.zst`)), manifest);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== manifest.wasmDigest) throw changed(name);
  return bytes;
}

function readOwn(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new EngineError('TOOLCHAIN_FAILED', `cannot read ${JSON.stringify(path)}`, {
      hint: REINSTALL,
      cause,
    });
  }
}

function parseManifest(
  bytes: Uint8Array,
  name: ProgramName,
): { wasmDigest: string; size: number; name: string } {
  try {
    const { wasmDigest, size }: Record<string, unknown> = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof wasmDigest === 'string' && typeof size === 'number') return { wasmDigest, size, name };
  } catch (cause) {
    throw changed(name, cause);
  }
  throw changed(name);
}

/**
 * The manifest's size bounds the output, so a changed file cannot fill the memory before its digest is known. In one piece: joining
 * pieces takes longer than unpacking them.
 */
function unpack(packed: Uint8Array, manifest: { size: number; name: string }): Uint8Array {
  try {
    const { zstdDecompressSync }: typeof import('node:zlib') = load('node:zlib');
    const { size } = manifest;
    return zstdDecompressSync(packed, { maxOutputLength: size, chunkSize: Math.max(size, SMALLEST_CHUNK) });
  } catch (cause) {
    throw changed(manifest.name, cause);
  }
}

function changed(name: string, cause?: unknown): EngineError {
  return new EngineError('TOOLCHAIN_DIGEST', `the program "${name}" is not the one its manifest names`, {
    hint: REINSTALL,
    cause,
  });
}
