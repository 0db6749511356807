// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';

/** A part of an output module: bytes of the input, or numbers below 256. */
export type Bytes = Uint8Array | readonly number[];

/** The module cannot be given limits, so it is not run. */
export function refuse(why: string): never {
  throw new EngineError('POLICY_MODULE', `the policy's module cannot be limited: ${why}`);
}

/** Reads the binary format; every read is bounded. @see https://webassembly.github.io/spec/core/binary/ */
export class Reader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  byte(): number {
    const value = this.position < this.end ? this.bytes[this.position] : undefined;
    if (value === undefined) return refuse('unexpected end');
    this.position++;
    return value;
  }

  /** An unsigned LEB128 number of at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value < 2 ** 32 ? value : refuse('bad LEB128');
    }
    return refuse('bad LEB128');
  }

  /** Steps over a LEB128 number of at most `max` bytes. */
  skipLeb(max: number): void {
    for (let index = 0; index < max; index++) if (this.byte() < 0x80) return;
    refuse('bad LEB128');
  }

  skip(count: number): void {
    this.position += count;
    if (this.position > this.end) refuse('unexpected end');
  }

  list<T>(read: (reader: Reader) => T): T[] {
    return Array.from({ length: this.u32() }, () => read(this));
  }

  name(): string {
    const length = this.u32();
    const start = this.position;
    this.skip(length);
    return Buffer.from(this.bytes.subarray(start, this.position)).toString('utf8');
  }
}

export function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    out.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return out;
}

export function signed(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...out, low];
    out.push(low | 0x80);
  }
}

export function concat(parts: readonly Bytes[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A section with its id and size. */
export function section(id: number, parts: readonly Bytes[]): Uint8Array {
  const body = concat(parts);
  return concat([[id, ...unsigned(body.length)], body]);
}
