// SPDX-License-Identifier: Apache-2.0
import type { Io } from '../io.ts';

const QUIET_MS = 2000;
const REDRAW_MS = 500;
const CLEAR_LINE = '\r\u001b[K';

/** Told by what is done step by step how far it is; what runs without turning to the event loop is seen by nothing else. */
export type OnProgress = (done: number, total: number) => void;

/**
 * Says on stderr what is being done and how far it is: after two seconds, only to a terminal, on one line that is erased at the end.
 * Where nobody looks, `run` gets no callback, so that it costs nothing.
 * @param doing a few words, none of them foreign; nothing else may be written to the terminal before `run` has ended
 */
export async function withProgress<T>(
  io: Pick<Io, 'err' | 'errIsTerminal' | 'now'>,
  doing: string,
  run: (onProgress?: OnProgress) => Promise<T> | T,
): Promise<T> {
  if (!io.errIsTerminal) return run();
  const startMs = io.now().getTime();
  let drawnMs: number | undefined;
  let count: string | undefined;
  const draw = (): void => {
    const nowMs = io.now().getTime();
    if (nowMs - startMs < QUIET_MS || nowMs - (drawnMs ?? 0) < REDRAW_MS) return;
    drawnMs = nowMs;
    io.err(`${CLEAR_LINE}${doing} … ${count ?? `${Math.floor((nowMs - startMs) / 1000)} s`}`);
  };
  const timer = setInterval(draw, REDRAW_MS);
  try {
    return await run((done, total) => {
      count = `${done}/${total}`;
      draw();
    });
  } finally {
    clearInterval(timer);
    if (drawnMs !== undefined) io.err(CLEAR_LINE);
  }
}
