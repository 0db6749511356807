// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer';
import type { EngineErrorCode } from '../error.ts';

/** The largest file that is read, in bytes. */
export const FILE_MAX_BYTES = 32 * 1024 * 1024;

/** Why a file is refused before any of it is parsed. */
export interface ByteFault {
  readonly code: EngineErrorCode;
  readonly message: string;
  readonly hint: string;
  /** The first byte that is wrong. */
  readonly at: number;
}

const UTF8_HINT = 'save it as UTF-8';

/** Checks size and encoding, so that neither reader sees bytes on which they could differ. */
export function byteFault(bytes: Uint8Array): ByteFault | undefined {
  if (bytes.length > FILE_MAX_BYTES)
    return {
      code: 'INPUT_TOO_LARGE',
      message: `the file has ${bytes.length} bytes; at most ${FILE_MAX_BYTES} are read`,
      hint: 'split it',
      at: 0,
    };
  if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff]))
    return wrong('the file is UTF-16 or UTF-32, not UTF-8', 0);
  const nul = bytes.indexOf(0);
  if (nul >= 0) return wrong('the file has a NUL byte: it is binary, UTF-16 or UTF-32', nul);
  if (!isUtf8(bytes)) return wrong('the file is not valid UTF-8', firstInvalid(bytes));
  return undefined;
}

const wrong = (message: string, at: number): ByteFault => ({
  code: 'INPUT_ENCODING',
  message,
  hint: UTF8_HINT,
  at,
});

const startsWith = (bytes: Uint8Array, prefix: readonly number[]): boolean =>
  prefix.every((byte, index) => bytes[index] === byte);

/** Where UTF-8 ends, by bisection. A prefix may end inside a character, so up to 3 bytes at its end may be cut off. */
function firstInvalid(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (wholeCharacters(bytes, middle) === undefined) invalid = middle;
    else valid = middle;
  }
  return wholeCharacters(bytes, valid) ?? 0;
}

/** The longest prefix that is UTF-8 and at most 3 bytes shorter than `end`. */
const wholeCharacters = (bytes: Uint8Array, end: number): number | undefined =>
  [end, end - 1, end - 2, end - 3].find((length) => length >= 0 && isUtf8(bytes.subarray(0, length)));
