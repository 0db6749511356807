// SPDX-License-Identifier: Apache-2.0
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { EngineError } from '../error.ts';
import { ARCHIVE_LIMITS, type ArchiveLimits } from './limits.ts';

/**
 * Unpacks one gzip stream in memory, no further than the limits allow. What follows the stream is refused: another reader might
 * take it for more of the archive.
 * @throws {EngineError} BUNDLE_ARCHIVE (no gzip, truncated, wrong checksum, trailing bytes) | BUNDLE_TOO_LARGE
 * @see https://www.rfc-editor.org/rfc/rfc1952
 */
export function gunzip(bytes: Uint8Array, name: string, limits: ArchiveLimits = ARCHIVE_LIMITS): Uint8Array {
  if (bytes.length > limits.maxBytes) throw tooLarge(name, `${bytes.length} bytes`);
  const byRatio = Math.max(limits.ratioFreeBytes, bytes.length * limits.maxRatio);
  const maxOutputLength = Math.min(limits.maxBytes, byRatio);
  const { buffer, consumed } = inflate(bytes, name, maxOutputLength);
  if (consumed !== bytes.length) throw damaged(name, 'bytes follow its end');
  return buffer;
}

function inflate(
  bytes: Uint8Array,
  name: string,
  maxOutputLength: number,
): { buffer: Uint8Array; consumed: number } {
  try {
    const answer: unknown = gunzipSync(bytes, { maxOutputLength, info: true });
    const buffer: unknown = Reflect.get(Object(answer), 'buffer');
    const engine: unknown = Reflect.get(Object(answer), 'engine');
    if (!(buffer instanceof Uint8Array)) throw new Error('no answer of the decompressor');
    return { buffer, consumed: Number(Reflect.get(Object(engine), 'bytesWritten')) };
  } catch (cause) {
    const code: unknown = Reflect.get(Object(cause), 'code');
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(name, `more than ${maxOutputLength} bytes unpacked`);
    throw damaged(name, code === 'Z_BUF_ERROR' ? 'it ends too early' : 'it is no gzip', cause);
  }
}

const tooLarge = (name: string, what: string): EngineError =>
  new EngineError('BUNDLE_TOO_LARGE', `archive ${JSON.stringify(name)} is too large: ${what}`, {
    hint: 'a bundle may unpack to 64 MiB, and to 100 times its own size',
  });

const damaged = (name: string, why: string, cause?: unknown): EngineError =>
  new EngineError('BUNDLE_ARCHIVE', `archive ${JSON.stringify(name)} is damaged: ${why}`, {
    cause,
    hint: 'a bundle is a gzip-compressed tar file; fetch or build it again',
  });

const HEADER_OS = 9;
const OS_UNKNOWN = 255;

/** Packs with no time and no system in the header: the same bytes give the same archive under the same Node.js. */
export function gzip(bytes: Uint8Array): Uint8Array {
  const packed = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  packed[HEADER_OS] = OS_UNKNOWN;
  return packed;
}
