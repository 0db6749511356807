// SPDX-License-Identifier: Apache-2.0
// A log as files that any web server can serve (C2SP tlog-tiles): who mirrors them can make every proof without asking us.

import { join } from 'node:path';
import { AttestError } from '../../error.ts';
import { positionOf } from '../../log/index.ts';
import { corrupt } from '../failure.ts';
import { leafBody } from '../grow.ts';
import type { Reader, SignedCheckpoint } from '../reading/reader.ts';
import { writeFile, writeOnce } from './folder.ts';

/** Hashes of a full tile, and entries of a full bundle. */
const WIDTH = 256;
const HEIGHT = 8;
/** An entry's length is a 16-bit number. */
const MAX_ENTRY_BYTES = 65_535;

/** What was written. */
export interface Tiles {
  readonly size: number;
  /** How many files are new; full tiles that were there are left alone. */
  readonly written: number;
}

/**
 * Writes the tiles of the tree under a checkpoint into a folder, and the checkpoint last: who reads it finds all that it is about.
 * Partial tiles of earlier sizes stay, for those who still read an earlier checkpoint.
 * Rejects with {AttestError} LEDGER_CORRUPT | LEDGER_UNAVAILABLE | CHECKPOINT_UNPUBLISHED
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-tiles.md
 */
export async function writeTiles(
  reader: Reader,
  checkpoint: SignedCheckpoint,
  directory: string,
  onProgress?: (done: number, total: number) => void,
): Promise<Tiles> {
  let written = 0;
  const bundles = tilesOf(checkpoint.size);
  for (const [at, tile] of bundles.entries()) {
    const file = join(directory, 'tile', 'entries', pathOf(tile));
    if (await writeOnce(file, () => entriesOf(reader, tile))) written++;
    onProgress?.(at + 1, bundles.length);
  }
  for (let level = 0, width = checkpoint.size; width > 0; level++, width = Math.floor(width / WIDTH))
    written += await writeLevel(reader, directory, { level, width });
  writeFile(join(directory, 'checkpoint'), checkpoint.note);
  return { size: checkpoint.size, written };
}

/** A tile of a level: its index, and how much of it is there. */
interface Tile {
  readonly index: number;
  readonly width: number;
}

function tilesOf(count: number): readonly Tile[] {
  return Array.from({ length: Math.ceil(count / WIDTH) }, (_, index) => ({
    index,
    width: Math.min(WIDTH, count - index * WIDTH),
  }));
}

async function writeLevel(
  { rows }: Reader,
  directory: string,
  { level, width }: { readonly level: number; readonly width: number },
): Promise<number> {
  let written = 0;
  for (const tile of tilesOf(width)) {
    const hashes = async (): Promise<Buffer> => {
      const positions = Array.from({ length: tile.width }, (_, at) =>
        positionOf({ level: HEIGHT * level, index: tile.index * WIDTH + at }),
      );
      const nodes = await rows.nodes(positions);
      return Buffer.concat(
        positions.map((position) => nodes.get(position) ?? missing(`node ${position} of its tree`)),
      );
    };
    if (await writeOnce(join(directory, 'tile', String(level), pathOf(tile)), hashes)) written++;
  }
  return written;
}

function missing(what: string): never {
  throw corrupt(`${what} is missing`);
}

/** Entry by entry, each after its length as a big-endian 16-bit number. */
async function entriesOf({ rows }: Reader, { index, width }: Tile): Promise<Buffer> {
  const first = index * WIDTH;
  const found = await rows.entries(first, first + width);
  if (found.length !== width) missing(`an entry from ${first} on`);
  return Buffer.concat(
    found.flatMap((row) => {
      const body = leafBody(row);
      if (body.length > MAX_ENTRY_BYTES)
        throw new AttestError(
          'CHECKPOINT_UNPUBLISHED',
          `entry ${row.number} has ${body.length} bytes, more than a tile can hold`,
        );
      const length = Buffer.alloc(2);
      length.writeUInt16BE(body.length);
      return [length, body];
    }),
  );
}

/** `1234067` is `x001/x234/067`; a partial tile has its width behind it. */
export function pathOf({ index, width }: Tile): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const parts = padded.match(/\d{3}/g) ?? [];
  const path = parts.map((part, at) => (at < parts.length - 1 ? `x${part}` : part)).join('/');
  return width === WIDTH ? path : `${path}.p/${width}`;
}
