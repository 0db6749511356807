// SPDX-License-Identifier: Apache-2.0
import type { Io } from '../io.ts';

const QUIET_MS = 2_000;
const CLEAR_LINE = '\r\x1b[K';

/** Says on stderr, from the third second on and only to a person, that something is being done and for how long. */
export async function withProgress<T>(io: Io, doing: string, run: () => Promise<T>): Promise<T> {
  if (!io.errIsTerminal) return run();
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += QUIET_MS / 1000;
    io.err(`${CLEAR_LINE}${doing} … ${seconds} s`);
  }, QUIET_MS);
  try {
    return await run();
  } finally {
    clearInterval(timer);
    if (seconds > 0) io.err(CLEAR_LINE);
  }
}
