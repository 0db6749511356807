// SPDX-License-Identifier: Apache-2.0

/** How a member is to differ from a plain file. */
export interface Odd {
  readonly type?: string;
  readonly magic?: string;
  readonly prefix?: string;
  readonly link?: string;
  readonly size?: number;
  readonly rawSize?: Buffer;
  readonly checksum?: string;
}

/** The two blocks of zeros that end an archive. */
export const END = Buffer.alloc(1024);

/** A tar file of these blocks. */
export const tar = (...blocks: readonly Uint8Array[]): Buffer => Buffer.concat([...blocks, END]);

/** One member with its content, as odd as a test wants it. */
export function member(name: string | Buffer, content: string, odd: Odd = {}): Buffer {
  const body = Buffer.from(content);
  const block = Buffer.alloc(512);
  Buffer.from(name).copy(block, 0, 0, 100);
  block.write('0000644\0', 100);
  const size = odd.rawSize ?? Buffer.from(`${(odd.size ?? body.length).toString(8).padStart(11, '0')}\0`);
  size.copy(block, 124);
  block.write(odd.type ?? '0', 156);
  block.write(odd.link ?? '', 157);
  block.write(odd.magic ?? 'ustar\x0000', 257, 'latin1');
  block.write(odd.prefix ?? '', 345);
  block.write('        ', 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(odd.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

/** An extended header with these records. */
export function pax(
  records: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
  type = 'x',
): Buffer {
  const entries = Array.isArray(records) ? records : Object.entries(records);
  return member('PaxHeader', entries.map(([key, value]) => record(key, value)).join(''), { type });
}

function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (String(length).length + Buffer.byteLength(rest) !== length) length++;
  return `${length}${rest}`;
}
