// SPDX-License-Identifier: Apache-2.0
import { JsonWriter, NotOrdinary } from '../manifest/fast/index.ts';
import { byteAt, integerEnd, isDigit, isLetter, stringEnd } from './is_canonical.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const DASH = 0x2d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;
const DEPTH_MAX = 200;

/**
 * Canonical JSON (RFC 8785) of valid JSON that lacks nothing but the order of its keys and has only spaces too many, as API servers
 * send it: in one pass over the bytes. Undefined for anything that may have another spelling, and for a key that stands twice.
 */
export function reorder(json: Uint8Array): Uint8Array | undefined {
  const copy = new Reordered(json);
  try {
    copy.value(0);
    return copy.out.take();
  } catch (error) {
    if (error instanceof NotOrdinary) return undefined;
    throw error;
  }
}

class Reordered {
  readonly out: JsonWriter;
  readonly #json: Uint8Array;
  #at = 0;

  constructor(json: Uint8Array) {
    this.#json = json;
    this.out = new JsonWriter(json.length);
  }

  value(depth: number): void {
    if (depth > DEPTH_MAX) throw new NotOrdinary();
    const byte = this.#next();
    if (byte === OPEN_BRACE) this.#object(depth);
    else if (byte === OPEN_BRACKET) this.#array(depth);
    else if (byte === QUOTE) this.#copy(stringEnd(this.#json, this.#at, false));
    else if (byte === DASH || isDigit(byte)) this.#copy(integerEnd(this.#json, this.#at));
    else this.#word();
  }

  /** The next byte that is no white space. */
  #next(): number {
    while (byteAt(this.#json, this.#at) <= SPACE) this.#at++;
    return byteAt(this.#json, this.#at);
  }

  #copy(end: number): void {
    if (end === 0) throw new NotOrdinary();
    this.out.copy(this.#json, this.#at, end);
    this.#at = end;
  }

  #object(depth: number): void {
    const base = this.out.openMapping();
    this.#at++;
    while (this.#next() !== CLOSE_BRACE) {
      if (this.#json[this.#at] === COMMA) this.#at++;
      this.#next();
      const end = stringEnd(this.#json, this.#at, true);
      if (end === 0) throw new NotOrdinary();
      this.out.key(base, this.#json, { from: this.#at + 1, to: end - 1 });
      this.#at = end;
      this.#next();
      this.#at++; // the colon
      this.value(depth + 1);
      this.out.endMember();
    }
    this.#at++;
    this.out.closeMapping(base);
  }

  #array(depth: number): void {
    this.out.byte(OPEN_BRACKET);
    this.#at++;
    while (this.#next() !== CLOSE_BRACKET) {
      if (this.#json[this.#at] === COMMA) {
        this.#at++;
        this.out.byte(COMMA);
      }
      this.value(depth + 1);
    }
    this.#at++;
    this.out.byte(CLOSE_BRACKET);
  }

  /** `true`, `false` or `null`. */
  #word(): void {
    let end = this.#at;
    while (isLetter(byteAt(this.#json, end))) end++;
    this.#copy(end === this.#at ? 0 : end);
  }
}
