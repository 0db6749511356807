// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { EngineError } from '../../engine/index.ts';
import { EMPTY_LOCK, type Lock, lockText, readLock } from '../../engine/policy/release/index.ts';
import { codeOf } from '../cause.ts';

/** The lock file, or an empty one where there is none. @throws {EngineError} LOCK_SHAPE, also where it cannot be read */
export function loadLock(file: string): Lock {
  if (!existsSync(file)) return EMPTY_LOCK;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new EngineError('LOCK_SHAPE', `cannot read ${JSON.stringify(file)}: ${codeOf(cause)}`, { cause });
  }
  return readLock(text, file);
}

/** Writes the lock file whole or not at all. @throws {EngineError} LOCK_SHAPE */
export function saveLock(file: string, lock: Lock): void {
  try {
    writeFileSync(`${file}.new`, lockText(lock));
    renameSync(`${file}.new`, file);
  } catch (cause) {
    throw new EngineError('LOCK_SHAPE', `cannot write ${JSON.stringify(file)}: ${codeOf(cause)}`, { cause });
  }
}
