// SPDX-License-Identifier: Apache-2.0

export const PAGE_BYTES = 65_536;
/** A string with a byte order mark keeps it. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A module's memory, read and written in place. */
export interface PolicyMemory {
  readonly object: WebAssembly.Memory;
  /** Its bytes; asked for each time, since growing, even by nothing, takes the old view away. */
  bytes(): Uint8Array;
}

/** Starts at its maximum: OPA keeps the top of its heap in memory, so that a rewound instance would grow again each time. */
export function newMemory(pages: number): PolicyMemory {
  const object = new WebAssembly.Memory({ initial: pages, maximum: pages });
  let view = new Uint8Array(object.buffer);
  return {
    object,
    bytes: () => {
      if (view.length === 0) view = new Uint8Array(object.buffer);
      return view;
    },
  };
}

/** Pages for a number of bytes. */
export const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES);

/** Where the string at an address ends: at its zero byte. */
export function endOf(bytes: Uint8Array, address: number): number {
  const end = bytes.indexOf(0, address);
  return end < 0 ? bytes.length : end;
}

/** @throws {TypeError} when it is not UTF-8 */
export const textAt = (bytes: Uint8Array, address: number, end = endOf(bytes, address)): string =>
  decoder.decode(bytes.subarray(address, end));
