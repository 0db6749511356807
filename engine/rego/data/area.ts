// SPDX-License-Identifier: Apache-2.0

/** What is written is noted by pages of this size. */
const PAGE_BYTES = 4_096;
const SMALLEST_BYTES = 16;

/** A module's memory, asked for each time. */
export type Memory = () => Uint8Array;

/** A stretch of a module's memory, handed out in pieces; a piece that is given back is handed out again. */
export class Area {
  /** Address of the first byte. */
  readonly start: number;
  readonly #free = new Map<number, number[]>();
  readonly #changed = new Set<number>();
  #memory: Memory;
  #view: DataView;
  #end: number;
  #top: number;

  constructor(memory: Memory, start: number, capacity: number) {
    this.start = start;
    this.#top = start;
    this.#end = start + capacity;
    this.#memory = memory;
    this.#view = viewOf(memory());
  }

  /** Address behind the last byte that was ever handed out. */
  get top(): number {
    return this.#top;
  }

  /** Goes on in another memory, which holds the same bytes up to `top`. */
  move(memory: Memory, capacity: number): void {
    this.#memory = memory;
    this.#view = viewOf(memory());
    this.#end = this.start + capacity;
  }

  has(bytes: number): boolean {
    return this.#top + bytes <= this.#end;
  }

  /** A piece that was given back, if one of this size was. */
  reuse(bytes: number): number | undefined {
    return this.#free.get(classOf(bytes))?.pop();
  }

  /** A piece. Room is asked for before, so that no change is left half done. */
  take(bytes: number): number {
    const reused = this.reuse(bytes);
    if (reused !== undefined) return reused;
    const address = this.#top;
    this.#top += classOf(bytes);
    if (this.#top > this.#end) throw new RangeError('the data area is full');
    return address;
  }

  give(address: number, bytes: number): void {
    const size = classOf(bytes);
    const same = this.#free.get(size);
    if (same === undefined) this.#free.set(size, [address]);
    else same.push(address);
  }

  read8(address: number): number {
    return this.#here().getUint8(address);
  }

  read32(address: number): number {
    return this.#here().getUint32(address, true);
  }

  /** @throws {RangeError} outside of memory */
  read(address: number, bytes: number): Uint8Array {
    return new Uint8Array(this.#here().buffer, address, bytes).slice();
  }

  write32(address: number, value: number): void {
    this.#here().setUint32(address, value, true);
    this.note(address, 4);
  }

  write(address: number, bytes: Uint8Array): void {
    this.#memory().set(bytes, address);
    this.note(address, bytes.length);
  }

  /** Notes what the module itself wrote. */
  note(address: number, bytes: number): void {
    const last = Math.floor((address + bytes - 1) / PAGE_BYTES);
    for (let page = Math.floor(address / PAGE_BYTES); page <= last; page++) this.#changed.add(page);
  }

  /** Copies what was written since the last time, or everything. */
  copyTo(memory: Uint8Array, isNew: boolean): void {
    const from = this.#memory();
    if (isNew) memory.set(from.subarray(this.start, this.#top), this.start);
    else
      for (const page of this.#changed) {
        const start = Math.max(page * PAGE_BYTES, this.start);
        memory.set(from.subarray(start, Math.min((page + 1) * PAGE_BYTES, this.#top)), start);
      }
    this.#changed.clear();
  }

  /** A module that grows its memory, even by nothing, takes the old view away. */
  #here(): DataView {
    if (this.#view.buffer.byteLength === 0) this.#view = viewOf(this.#memory());
    return this.#view;
  }
}

const viewOf = (memory: Uint8Array): DataView =>
  new DataView(memory.buffer, memory.byteOffset, memory.byteLength);

/** The size that is set aside: four steps for each doubling, so that pieces of nearly one size can follow each other. */
export function classOf(bytes: number): number {
  const step = Math.max(SMALLEST_BYTES, 2 ** (29 - Math.clz32(Math.max(bytes - 1, 1))));
  return Math.ceil(bytes / step) * step;
}
