// SPDX-License-Identifier: Apache-2.0
// Time by checkpoint: a log has no clock that anybody could prove, but it has an order. What a reader kept of it says what was there
// before a key was retired, whoever holds that key now.

import type { AttestError } from '../error.ts';
import { type Hash, isSignedBy, readCheckpoint } from '../log/index.ts';
import type { TrustedLog } from './trust.ts';

/** A checkpoint that a reader kept: how many entries the log had, and under which root. `logId` is that of the log's key. */
export interface KeptCheckpoint {
  readonly origin: string;
  readonly logId: string;
  readonly size: number;
  readonly root: Hash;
}

/**
 * Reads a kept checkpoint, which a log of the same trust file must have signed.
 * @param shape makes the error that is thrown where it is none
 */
export function readKept(
  what: string,
  note: string,
  { logs, shape }: { readonly logs: readonly TrustedLog[]; readonly shape: (message: string) => AttestError },
): KeptCheckpoint {
  const read = readCheckpoint(note);
  if (read === undefined) throw shape(`${what} has a checkpoint that is none`);
  const log = logs.find(({ origin, key }) => origin === read.origin && isSignedBy(read, origin, key));
  if (log === undefined) throw shape(`${what} has a checkpoint that no log of this file signed`);
  return { origin: log.origin, logId: log.id, size: read.size, root: read.root };
}
