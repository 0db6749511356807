// SPDX-License-Identifier: Apache-2.0
import type { Area } from './area.ts';

/** What the module's parser made of one document: a stretch of memory, freed when nothing in it is used any more. */
export interface Segment {
  readonly address: number;
  readonly bytes: number;
  uses: number;
}

/** A value inside a segment. */
export interface Leaf {
  readonly value: number;
  readonly segment: Segment;
}

export type Node = Leaf | Directory;

interface Entry {
  readonly name: Uint8Array;
  readonly hash: number;
  /** Of the element; its key's string stands behind it, and the string's bytes behind that. */
  readonly address: number;
  node: Node;
  /** The next one in its bucket, and the address of it that memory has. */
  next: Entry | undefined;
  linked: number;
}

// How OPA's evaluator lays out an object: value.h and value.c of its runtime. `layout.ts` holds a module to it.
export const OBJECT = { type: 6, buckets: 4, size: 8, length: 12, bytes: 16 } as const;
export const ELEMENT = { key: 0, value: 4, next: 8, bytes: 12 } as const;
export const STRING = { type: 4, length: 4, text: 8, bytes: 12 } as const;
const FIRST_BUCKETS = 8;
const LOAD_FACTOR = 0.7;
const POINTER_BYTES = 4;

/**
 * An object with string keys that is changed in place. At every moment it lies as the module's parser would lay out the same
 * members afresh: the number of buckets follows from the number of members, and a bucket's members are in order. So an evaluation
 * sees them in the same order and takes the same steps, whatever the history; OPA's own `opa_value_remove_path` leaves a table as
 * large as it ever was, and arrays made from it come out in another order.
 */
export class Directory {
  /** Address of the object. */
  readonly value: number;
  readonly #area: Area;
  readonly #entries = new Map<string, Entry>();
  #buckets: (Entry | undefined)[] = [];
  #table: number;
  #tableSize: number;

  constructor(area: Area, members: readonly (readonly [name: Uint8Array, leaf: Leaf])[] = []) {
    this.#area = area;
    this.value = area.take(OBJECT.bytes);
    this.#tableSize = bucketsFor(members.length);
    this.#table = area.take(this.#tableSize * POINTER_BYTES);
    area.write32(this.value, OBJECT.type);
    for (const [name, leaf] of members) this.#entries.set(keyOf(name), this.#element(name, leaf));
    this.#distribute();
  }

  get(name: Uint8Array): Node | undefined {
    return this.#entries.get(keyOf(name))?.node;
  }

  /** Room that putting one more name can take, at most. */
  roomFor(name: Uint8Array): number {
    return 2 * (ELEMENT.bytes + STRING.bytes + name.length) + 4 * POINTER_BYTES * this.#buckets.length;
  }

  put(name: Uint8Array, node: Node): void {
    const key = keyOf(name);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.node = node;
      this.#area.write32(known.address + ELEMENT.value, node.value);
      return;
    }
    const entry = this.#element(name, node);
    this.#entries.set(key, entry);
    if (bucketsFor(this.#entries.size) !== this.#buckets.length) this.#grow(entry);
    else {
      this.#insert(entry);
      this.#link(entry.hash % this.#buckets.length);
    }
  }

  remove(name: Uint8Array): void {
    const key = keyOf(name);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    if (bucketsFor(this.#entries.size) !== this.#buckets.length) this.#distribute();
    else {
      this.#unlink(entry);
      this.#link(entry.hash % this.#buckets.length);
    }
    this.#area.give(entry.address, ELEMENT.bytes + STRING.bytes + entry.name.length);
  }

  /** Gives everything back, with all that hangs below. */
  free(): void {
    for (const { address, name, node } of this.#entries.values()) {
      this.#area.give(address, ELEMENT.bytes + STRING.bytes + name.length);
      release(this.#area, node);
    }
    this.#area.give(this.#table, this.#tableSize * POINTER_BYTES);
    this.#area.give(this.value, OBJECT.bytes);
  }

  /** Into its bucket, before the first whose name is greater. */
  #insert(entry: Entry): void {
    const index = entry.hash % this.#buckets.length;
    let before: Entry | undefined;
    let after = this.#buckets[index];
    while (after !== undefined && Buffer.compare(after.name, entry.name) < 0) {
      before = after;
      after = after.next;
    }
    entry.next = after;
    if (before === undefined) this.#buckets[index] = entry;
    else before.next = entry;
  }

  #unlink(entry: Entry): void {
    const index = entry.hash % this.#buckets.length;
    let before = this.#buckets[index];
    if (before === entry) this.#buckets[index] = entry.next;
    while (before !== undefined && before.next !== entry) before = before.next;
    if (before !== undefined) before.next = entry.next;
  }

  #element(name: Uint8Array, node: Node): Entry {
    const area = this.#area;
    const address = area.take(ELEMENT.bytes + STRING.bytes + name.length);
    const key = address + ELEMENT.bytes;
    area.write32(address + ELEMENT.key, key);
    area.write32(address + ELEMENT.value, node.value);
    area.write32(key, STRING.type);
    area.write32(key + STRING.length, name.length);
    area.write32(key + STRING.text, key + STRING.bytes);
    area.write(key + STRING.bytes, name);
    area.write32(address + ELEMENT.next, 0);
    return { name, hash: hashOf(name), address, node, next: undefined, linked: 0 };
  }

  /**
   * One member more than the table holds: twice as many buckets. Each bucket's members go to two, in the order that they have, so
   * nothing is compared; all the same this one step costs as much as there are members, since memory must show the larger table at once.
   */
  #grow(entry: Entry): void {
    const half = this.#buckets.length;
    const grown = this.#buckets.concat(this.#buckets);
    for (const [index, first] of this.#buckets.entries()) {
      const { low, high } = split(first, half);
      grown[index] = low;
      grown[index + half] = high;
    }
    this.#buckets = grown;
    this.#insert(entry);
    this.#show();
  }

  /** Lays all members out anew over as many buckets as their number asks for. */
  #distribute(): void {
    this.#buckets = Array.from({ length: bucketsFor(this.#entries.size) }, () => undefined);
    for (const entry of this.#entries.values()) this.#insert(entry);
    this.#show();
  }

  /** Writes the whole table. One that is too large is used in part. */
  #show(): void {
    const size = this.#buckets.length;
    if (size > this.#tableSize) {
      this.#area.give(this.#table, this.#tableSize * POINTER_BYTES);
      this.#table = this.#area.take(size * POINTER_BYTES);
      this.#tableSize = size;
    }
    for (const entry of this.#entries.values()) this.#linkNext(entry);
    const heads = Buffer.alloc(size * POINTER_BYTES);
    for (const [index, entry] of this.#buckets.entries())
      heads.writeUInt32LE(entry?.address ?? 0, index * POINTER_BYTES);
    this.#area.write(this.#table, heads);
    this.#area.write32(this.value + OBJECT.buckets, this.#table);
    this.#area.write32(this.value + OBJECT.size, size);
    this.#area.write32(this.value + OBJECT.length, this.#entries.size);
  }

  #link(index: number): void {
    const first = this.#buckets[index];
    this.#area.write32(this.#table + index * POINTER_BYTES, first?.address ?? 0);
    for (let entry = first; entry !== undefined; entry = entry.next) this.#linkNext(entry);
    this.#area.write32(this.value + OBJECT.length, this.#entries.size);
  }

  #linkNext(entry: Entry): void {
    const next = entry.next?.address ?? 0;
    if (entry.linked === next) return;
    entry.linked = next;
    this.#area.write32(entry.address + ELEMENT.next, next);
  }
}

/** A bucket's members by one bit of their hashes, each part in the order that they had. */
function split(
  first: Entry | undefined,
  bit: number,
): { readonly low: Entry | undefined; readonly high: Entry | undefined } {
  const low: Pick<Entry, 'next'> = { next: undefined };
  const high: Pick<Entry, 'next'> = { next: undefined };
  let lowEnd = low;
  let highEnd = high;
  for (let entry = first; entry !== undefined; entry = entry.next)
    if ((entry.hash & bit) === 0) {
      lowEnd.next = entry;
      lowEnd = entry;
    } else {
      highEnd.next = entry;
      highEnd = entry;
    }
  lowEnd.next = undefined;
  highEnd.next = undefined;
  return { low: low.next, high: high.next };
}

/** A node is not used any more. */
export function release(area: Area, node: Node): void {
  if (node instanceof Directory) {
    node.free();
    return;
  }
  node.segment.uses--;
  if (node.segment.uses === 0) area.give(node.segment.address, node.segment.bytes);
}

/** Bytes as a Map's key, whatever they are. */
const keyOf = (name: Uint8Array): string =>
  Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');

function bucketsFor(members: number): number {
  let size = FIRST_BUCKETS;
  while (members > size * LOAD_FACTOR) size *= 2;
  return size;
}

/** FNV-1 over 32 bits, with which the evaluator spreads strings. */
function hashOf(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of name) hash = Math.imul(hash, 0x01000193) ^ byte;
  return hash >>> 0;
}
