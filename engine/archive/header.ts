// SPDX-License-Identifier: Apache-2.0
import { textOf } from './pax.ts';

export const BLOCK = 512;

/** One header block of a tar file. */
export interface Header {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly type: string;
}

const CHECKSUM = { start: 148, end: 156 } as const;
const NUL = 0;
const SPACE = 0x20;

/** Whether a block is all zero, as the two at the end are. */
export const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0);

/**
 * Reads a header of POSIX ustar or of GNU tar, or returns what is wrong with it. The old form without a magic is refused: nothing
 * tells its damage.
 * @see POSIX.1-2017 pax, "ustar Interchange Format"
 */
export function readHeader(block: Uint8Array): Header | string {
  const magic = Buffer.from(block.subarray(257, 265)).toString('latin1');
  if (magic !== 'ustar\x0000' && magic !== 'ustar  \0') return 'a header is no tar header';
  if (octal(block.subarray(CHECKSUM.start, CHECKSUM.end)) !== checksumOf(block))
    return 'the checksum of a header is wrong';
  const size = octal(block.subarray(124, 136));
  const name = field(block.subarray(0, 100));
  const prefix = magic === 'ustar\x0000' ? field(block.subarray(345, 500)) : '';
  if (size === undefined) return 'the size of a member is no number';
  if (name === undefined || prefix === undefined) return 'the name of a member is no UTF-8';
  const type = String.fromCharCode(block[156] ?? 0);
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, type: type === '\0' ? '0' : type };
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
export function checksumOf(block: Uint8Array): number {
  let sum = 0;
  for (const [index, byte] of block.entries())
    sum += index >= CHECKSUM.start && index < CHECKSUM.end ? SPACE : byte;
  return sum;
}

function field(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(NUL);
  return textOf(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Octal digits, ended by spaces and zero bytes. GNU's binary sizes are for members beyond 8 GiB, which no limit lets in. */
function octal(bytes: Uint8Array): number | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  const digits = /^ *([0-7]+)[ \0]*$/.exec(text)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}
