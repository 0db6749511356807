// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';

const MEMORY_SECTION = 5;
const HEADER_BYTES = 8;
export const PAGE_BYTES = 65_536;

/**
 * The module with a maximum for its memory: Go's linker states none, so a template that prints without end would take all that the
 * machine has. A request for more is refused by the engine, and Go ends with "out of memory".
 * @see https://webassembly.github.io/spec/core/binary/modules.html#memory-section
 */
export function limitMemory(module: Uint8Array, maxBytes: number): Uint8Array {
  const section = memorySection(module);
  const at = { position: section.content };
  const count = unsigned(module, at);
  const flags = module[at.position++];
  const min = unsigned(module, at);
  const maxPages = Math.floor(maxBytes / PAGE_BYTES);
  if (count !== 1 || (flags !== 0 && flags !== 1) || min > maxPages) throw unknownForm();
  const content = [1, 1, ...leb(min), ...leb(maxPages)];
  return Buffer.concat([
    module.subarray(0, section.start),
    Uint8Array.from([MEMORY_SECTION, ...leb(content.length), ...content]),
    module.subarray(section.end),
  ]);
}

interface Section {
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

function memorySection(module: Uint8Array): Section {
  const at = { position: HEADER_BYTES };
  while (at.position < module.length) {
    const start = at.position;
    const id = module[at.position++];
    const size = unsigned(module, at);
    const content = at.position;
    if (id === MEMORY_SECTION) return { start, content, end: content + size };
    at.position += size;
  }
  throw unknownForm();
}

function unsigned(bytes: Uint8Array, at: { position: number }): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at.position++];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw unknownForm();
}

function leb(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [low] : [low | 0x80, ...leb(Math.floor(value / 128))];
}

const unknownForm = (): EngineError =>
  new EngineError('TOOLCHAIN_FAILED', 'the program "render" has a memory of an unknown form');
