// SPDX-License-Identifier: Apache-2.0

/** The tag of a text. */
export const UTF8_STRING = 0x0c;

/** One value in DER: its tag byte and its content. */
export interface Tagged {
  readonly tag: number;
  readonly content: Buffer;
}

/** Reads the one value that these bytes are, with a short or a long length, or undefined. */
export function readDer(bytes: Uint8Array): Tagged | undefined {
  const values = readAll(bytes);
  return values?.length === 1 ? values[0] : undefined;
}

/** Reads the values that stand one after the other, with nothing left over, or undefined. */
export function readAll(bytes: Uint8Array): Tagged[] | undefined {
  const values: Tagged[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, first] = [bytes[at], bytes[at + 1]];
    if (tag === undefined || first === undefined) return undefined;
    // 0x81 and 0x82 begin a length of one and of two bytes; nothing that is read here is longer.
    const more = first < 0x80 ? 0 : first - 0x80;
    if (more > 2 || first === 0x80) return undefined;
    const start = at + 2 + more;
    const length = more === 0 ? first : Buffer.from(bytes.subarray(at + 2, start)).readUIntBE(0, more);
    if (start + length > bytes.length) return undefined;
    values.push({ tag, content: Buffer.from(bytes.subarray(start, start + length)) });
    at = start + length;
  }
  return values;
}
