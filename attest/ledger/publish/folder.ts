// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AttestError } from '../../error.ts';

/** Writes a file whole: who reads it meanwhile has the one before. @throws {AttestError} CHECKPOINT_UNPUBLISHED */
export function writeFile(file: string, bytes: string | Uint8Array): void {
  const temporary = `${file}.new`;
  try {
    makeFolder(dirname(file));
    writeFileSync(temporary, bytes, { flush: true });
    renameSync(temporary, file);
  } catch (cause) {
    const code: unknown = Reflect.get(Object(cause), 'code');
    throw new AttestError('CHECKPOINT_UNPUBLISHED', `cannot write ${JSON.stringify(file)}: ${String(code)}`, {
      hint: 'check that the folder can be written and has room',
      cause,
    });
  }
}

/** Writes a file that never changes, unless it is there; resolves with whether it is new. Rejects as its content does, or as `writeFile` */
export async function writeOnce(file: string, content: () => Promise<Uint8Array>): Promise<boolean> {
  if (existsSync(file)) return false;
  writeFile(file, await content());
  return true;
}

/** One by one and not `recursive`: Node's own call never returns where a folder cannot be made, as below /proc. */
function makeFolder(directory: string): void {
  if (existsSync(directory)) return;
  if (dirname(directory) !== directory) makeFolder(dirname(directory));
  try {
    mkdirSync(directory);
  } catch (cause) {
    if (!existsSync(directory)) throw cause; // another process may have made it
  }
}
