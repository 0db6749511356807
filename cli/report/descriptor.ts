// SPDX-License-Identifier: Apache-2.0
// Writing to an open file descriptor, whole and at once. Node's streams for stdout and stderr are synchronous for files, pipes and
// terminals as well, but bring the modules of sockets with them: 5 ms of every start.
import { fstatSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { codeOf } from '../cause.ts';

const load = createRequire(import.meta.url);
const PAUSE_MS = 2;

/**
 * Writes all of `text`; a descriptor that another program has made non-blocking is waited for.
 * @throws what the system says, such as EPIPE and ENOSPC: then part of it may be written
 */
export function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/** Whether a descriptor is a terminal. A closed one is none. */
export function isTerminal(descriptor: number): boolean {
  try {
    if (!fstatSync(descriptor).isCharacterDevice()) return false;
  } catch {
    return false;
  }
  const { isatty }: typeof import('node:tty') = load('node:tty');
  return isatty(descriptor);
}
