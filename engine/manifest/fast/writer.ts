// SPDX-License-Identifier: Apache-2.0
import { CHAR, leave } from './scan.ts';

/** An input byte becomes three bytes of JSON at most: `a:` on a line of its own is `"a":null,`. */
const MAX_GROWTH = 3;
const ROOM = 64;
/** Below this a loop is quicker than a call that copies. */
const SHORT_BYTES = 48;

let shared = new Uint8Array(0);
let scratch = new Uint8Array(0);

/**
 * JSON text in the making, members in the order of their keys. The buffer is shared by all writers of the process, one after the
 * other: what is kept of it is copied out.
 */
export class JsonWriter {
  #out: Uint8Array;
  #at = 0;
  /** For each member of each open mapping: where it begins, where its key ends, where it ends. */
  readonly #members: number[] = [];

  constructor(inputBytes: number) {
    const size = inputBytes * MAX_GROWTH + ROOM;
    if (shared.length < size) shared = new Uint8Array(size);
    this.#out = shared;
  }

  get length(): number {
    return this.#at;
  }

  /** A copy of all that was written. A write beyond the end would be lost without a sound, so the length is proof. */
  take(): Uint8Array {
    if (this.#at > this.#out.length) leave();
    return this.#out.slice(0, this.#at);
  }

  byte(byte: number): void {
    this.#out[this.#at++] = byte;
  }

  ascii(text: string): void {
    for (let index = 0; index < text.length; index++) this.#out[this.#at++] = text.charCodeAt(index);
  }

  /** Bytes as they are. */
  copy(bytes: Uint8Array, from: number, to: number): void {
    this.#at = copyBytes(bytes, { from, to }, this.#out, this.#at);
  }

  /** Bytes of a string's content: what JSON writes with a backslash gets one. */
  escape(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === CHAR.newline) this.ascii('\\n');
      else if (byte === CHAR.tab) this.ascii('\\t');
      else {
        if (byte === CHAR.quote || byte === CHAR.backslash) this.byte(CHAR.backslash);
        this.byte(byte);
      }
    }
  }

  openMapping(): number {
    this.byte(CHAR.openBrace);
    return this.#members.length;
  }

  /** Begins a member with its key, whose bytes need no escape. */
  key(base: number, bytes: Uint8Array, { from, to }: Range): void {
    if (this.#members.length > base) this.byte(CHAR.comma);
    this.#members.push(this.#at);
    this.byte(CHAR.quote);
    this.copy(bytes, from, to);
    this.#members.push(this.#at);
    this.byte(CHAR.quote);
    this.byte(CHAR.colon);
  }

  endMember(): void {
    this.#members.push(this.#at);
  }

  /** Ends the mapping; its members are put in order of their keys, bytewise. Leaves when a key stands twice. */
  closeMapping(base: number): void {
    if (!this.#isOrdered(base)) this.#order(base);
    this.#members.length = base;
    this.byte(CHAR.closeBrace);
  }

  #isOrdered(base: number): boolean {
    for (let member = base + 3; member < this.#members.length; member += 3) {
      if (this.#compare(member - 3, member) >= 0) return false;
    }
    return true;
  }

  /** Compares the keys of two members. */
  #compare(left: number, right: number): number {
    const [leftAt, leftEnd] = [this.#members[left] ?? 0, this.#members[left + 1] ?? 0];
    const [rightAt, rightEnd] = [this.#members[right] ?? 0, this.#members[right + 1] ?? 0];
    const length = Math.min(leftEnd - leftAt, rightEnd - rightAt);
    for (let offset = 1; offset < length; offset++) {
      const difference = (this.#out[leftAt + offset] ?? 0) - (this.#out[rightAt + offset] ?? 0);
      if (difference !== 0) return difference;
    }
    return leftEnd - leftAt - (rightEnd - rightAt);
  }

  #order(base: number): void {
    const members = this.#members;
    const order: number[] = [];
    for (let member = base; member < members.length; member += 3) order.push(member);
    order.sort((left, right) => this.#compare(left, right));
    for (let index = 1; index < order.length; index++) {
      if (this.#compare(order[index - 1] ?? 0, order[index] ?? 0) === 0) leave();
    }
    const start = members[base] ?? 0;
    const size = this.#at - start;
    if (scratch.length < size) scratch = new Uint8Array(size * 2);
    copyBytes(this.#out, { from: start, to: this.#at }, scratch, 0);
    let to = start;
    for (const member of order) {
      if (to > start) this.#out[to++] = CHAR.comma;
      const from = (members[member] ?? 0) - start;
      to = copyBytes(scratch, { from, to: (members[member + 2] ?? 0) - start }, this.#out, to);
    }
  }
}

/** A range of bytes. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Copies and returns where the copy ends. */
function copyBytes(source: Uint8Array, { from, to }: Range, target: Uint8Array, at: number): number {
  if (to - from > SHORT_BYTES) {
    target.set(source.subarray(from, to), at);
    return at + to - from;
  }
  let end = at;
  for (let index = from; index < to; index++) target[end++] = source[index] ?? 0;
  return end;
}
