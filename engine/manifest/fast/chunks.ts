// SPDX-License-Identifier: Apache-2.0
import type { YamlSection } from '../../toolchain/yaml.ts';
import { writeDocument } from './block.ts';
import { CHAR, leave, NotOrdinary, type Scan } from './scan.ts';
import { JsonWriter } from './writer.ts';

const SEPARATOR_BYTES = 3;

/** The sections of a file, as the reader gives them; undefined when any of it is not ordinary. `bytes` must be UTF-8. */
export function readFast(bytes: Uint8Array): readonly YamlSection[] | undefined {
  if (!isOrdinary(bytes)) return undefined;
  try {
    return new File(bytes).read();
  } catch (error) {
    if (error instanceof NotOrdinary) return undefined;
    throw error;
  }
}

/** A section whose JSON still stands in the writer. */
interface Written extends Omit<YamlSection, 'json'> {
  readonly from: number;
  readonly to: number;
}

/** One file. It is split as the reader splits it: at each line that begins with `---`, whatever that stands in. */
class File {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  readonly #out: JsonWriter;
  readonly #sections: Written[] = [];
  #line = 1;
  #lineAt = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#out = new JsonWriter(bytes.length);
  }

  read(): readonly YamlSection[] {
    const { length } = this.#bytes;
    let start = 0;
    for (let at = this.#nextSeparator(0); at >= 0; ) {
      const after = this.#separatorEnd(at);
      // A separator before which there is nothing belongs to the document after it.
      if (at > start) {
        this.#section(start, at);
        start = after;
      }
      at = this.#nextSeparator(after);
    }
    if (start < length) this.#section(start, length);
    const json = this.#out.take();
    return this.#sections.map(({ from, to, ...section }) => ({ json: json.subarray(from, to), ...section }));
  }

  /** `at` is the beginning of a line. */
  #nextSeparator(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] === CHAR.dash && bytes[at + 1] === CHAR.dash && bytes[at + 2] === CHAR.dash) return at;
    const found = this.#buffer.indexOf('\n---', at, 'latin1');
    return found < 0 ? -1 : found + 1;
  }

  /** The byte behind the separator's line; nothing but spaces and a comment may follow it. */
  #separatorEnd(separator: number): number {
    const bytes = this.#bytes;
    let at = separator + SEPARATOR_BYTES;
    while (bytes[at] === CHAR.space) at++;
    const isBare = at >= bytes.length || bytes[at] === CHAR.newline;
    const isComment = bytes[at] === CHAR.hash && bytes[at - 1] === CHAR.space;
    if (!isBare && !isComment) leave();
    const newline = bytes.indexOf(CHAR.newline, at);
    return newline < 0 ? bytes.length : newline + 1;
  }

  #section(start: number, end: number): void {
    const hasSeparator = this.#nextSeparator(start) === start;
    const from = this.#out.length;
    const scan: Scan = {
      bytes: this.#bytes,
      end,
      out: this.#out,
      tree: undefined,
      at: hasSeparator ? Math.min(this.#separatorEnd(start), end) : start,
      lineStart: start,
      indent: 0,
      depth: 0,
    };
    const content = { at: start };
    if (!writeDocument(scan, content)) return;
    this.#sections.push({ from, to: this.#out.length, startLine: this.#lineOf(content.at), start, end });
  }

  /** The 1-based line of a byte; asked for in ascending order. */
  #lineOf(at: number): number {
    for (let index = this.#lineAt; index < at; index++) if (this.#bytes[index] === CHAR.newline) this.#line++;
    this.#lineAt = at;
    return this.#line;
  }
}

const FINE = 0;
const REFUSED = 1;
/** The first byte of characters of which some are refused. */
const C2 = 2;
const E2 = 3;

const CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x09 || byte === 0x0a) return FINE;
  if (byte < 0x20 || byte === 0x7f || byte === 0xef) return REFUSED; // controls, DEL; U+F000 to U+FFFF
  if (byte === 0xc2) return C2;
  return byte === 0xe2 ? E2 : FINE;
});

/**
 * Whether every character is one that no reader of YAML treats in its own way. Not ordinary are controls but tab and newline (so
 * CR too), U+007F to U+009F (NEL is a line break in YAML 1.1), U+2000 to U+203F (LS and PS are), and U+F000 to U+FFFF (the
 * byte order mark, non-characters). `bytes` must be UTF-8.
 */
export function isOrdinary(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const kind = CLASS[bytes[at] ?? 0];
    if (kind === FINE) continue;
    const next = bytes[at + 1] ?? 0;
    if (kind === C2 && next >= 0xa0) continue;
    if (kind === E2 && next !== 0x80) continue;
    // Dashes and quotation marks of ordinary prose: U+2010 to U+2026.
    if (kind === E2 && (bytes[at + 2] ?? 0) >= 0x90 && (bytes[at + 2] ?? 0) <= 0xa6) continue;
    return false;
  }
  return true;
}
