// SPDX-License-Identifier: Apache-2.0

/** Work that waits for its turn on the one thread. */
export interface Turns {
  /** Runs `work` when its turn comes, in the order given. It must not throw. */
  take(work: () => void): void;
}

/**
 * Evaluation is synchronous, so requests are first read and then evaluated in turn, a slice of time at once. Between
 * slices bytes are read and answers written: a request that waits is known to wait, its time of arrival is right, and
 * one whose deadline has passed is answered without being evaluated.
 * @param sliceMs how long turns may hold the thread
 */
export function openTurns(sliceMs: number): Turns {
  let waiting: (() => void)[] = [];
  let scheduled = false;

  function run(): void {
    const end = performance.now() + sliceMs;
    const turns = waiting;
    waiting = [];
    let next = 0;
    // At least one each time, however short the slice.
    do turns[next++]?.();
    while (next < turns.length && performance.now() < end);
    waiting = next < turns.length ? [...turns.slice(next), ...waiting] : waiting;
    scheduled = waiting.length > 0;
    if (scheduled) setImmediate(run);
  }

  return {
    take(work) {
      waiting.push(work);
      if (!scheduled) setImmediate(run);
      scheduled = true;
    },
  };
}
