// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import { gzip } from './gzip.ts';
import { BLOCK, checksumOf } from './header.ts';
import { ARCHIVE_LIMITS } from './limits.ts';
import { memberPath } from './name.ts';
import type { ArchiveFile } from './read.ts';

/**
 * Packs files into a `.tar.gz` whose bytes depend on paths and contents alone: ordered by path, no times, no owners. A path longer
 * than ustar's hundred bytes gets a pax header.
 * @throws {EngineError} BUNDLE_ENTRY | BUNDLE_TOO_LARGE for what no reader of ours would take
 */
export function writeArchive(files: readonly ArchiveFile[], name: string): Uint8Array {
  const ordered = [...files].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const blocks = ordered.flatMap((file) => {
    memberPath(name, file.path, ARCHIVE_LIMITS);
    return member(file);
  });
  const tar = Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
  if (tar.length > ARCHIVE_LIMITS.maxBytes || files.length > ARCHIVE_LIMITS.maxEntries / 2)
    throw new EngineError(
      'BUNDLE_TOO_LARGE',
      `${JSON.stringify(name)} would be too large: ${tar.length} bytes`,
    );
  return gzip(tar);
}

const NAME_BYTES = 100;

function member({ path, bytes }: ArchiveFile): Uint8Array[] {
  const isLong = Buffer.byteLength(path) > NAME_BYTES;
  const extended = isLong ? paxRecord('path', path) : undefined;
  return [
    ...(extended === undefined ? [] : [header('PaxHeader', extended.length, 'x'), padded(extended)]),
    header(isLong ? 'long-name' : path, bytes.length, '0'),
    padded(bytes),
  ];
}

/** The length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (String(length).length + bytes !== length) length = bytes + String(length).length;
  return Buffer.from(`${length}${rest}`);
}

function header(name: string, size: number, type: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, NAME_BYTES, 'utf8');
  block.write(`0000644\0${'0000000\0'.repeat(2)}`, 100, 'latin1');
  block.write(`${size.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function padded(bytes: Uint8Array): Uint8Array {
  const padding = (BLOCK - (bytes.length % BLOCK)) % BLOCK;
  return padding === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(padding)]);
}
