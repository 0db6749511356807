// SPDX-License-Identifier: Apache-2.0

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The text at an address up to its zero byte. @throws {TypeError} when it is not UTF-8 */
export function cString(memory: WebAssembly.Memory, address: number): string {
  const bytes = new Uint8Array(memory.buffer);
  const end = bytes.indexOf(0, address);
  return decoder.decode(bytes.subarray(address, end < 0 ? bytes.length : end));
}
