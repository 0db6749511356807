// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from 'node:fs';
import { EngineError } from '../../../engine/index.ts';
import { codeOf } from '../../cause.ts';
import type { Io } from '../../io.ts';
import { isBundle, reserve } from '../../seal.ts';

const MIB = 1024 * 1024;
const MAX_BYTES = 1024 * MIB;

/** Reads a file that is signed, whole. @throws {EngineError} INPUT_UNREADABLE | INPUT_TOO_LARGE */
export function readArtefact(file: string): Buffer {
  try {
    const status = statSync(file);
    if (!status.isFile()) throw Object.assign(new Error(), { code: 'it is no file' });
    if (status.size > MAX_BYTES)
      throw new EngineError(
        'INPUT_TOO_LARGE',
        `${JSON.stringify(file)} is larger than ${MAX_BYTES / MIB} MiB`,
        {
          hint: 'sign a file of its digests: sha256sum writes one',
        },
      );
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError('INPUT_UNREADABLE', `cannot read ${JSON.stringify(file)}: ${codeOf(cause)}`, {
      cause,
      hint: 'check the path and that this user may read it',
    });
  }
}

/**
 * Makes a bundle and writes it, to a file or as the answer. A file that cannot be written is found out before anything is signed.
 * @throws {AttestError} RECORD_UNWRITABLE, and what `make` does
 */
export async function writeBundle<T extends object>(
  file: string | undefined,
  make: () => Promise<T>,
  io: Io,
): Promise<T> {
  if (file === undefined) {
    const bundle = await make();
    io.out(`${JSON.stringify(bundle)}\n`);
    return bundle;
  }
  const place = reserve(file, isBundle);
  try {
    const bundle = await make();
    place.write(`${JSON.stringify(bundle)}\n`);
    return bundle;
  } finally {
    place.drop();
  }
}
