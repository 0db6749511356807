// SPDX-License-Identifier: Apache-2.0
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { openTurns } from '../../../webhook/admission/turns.ts';

/** Waits until `done` holds; each round is one turn of the event loop. */
async function until(done: () => boolean): Promise<number> {
  let rounds = 0;
  for (; !done(); rounds++) {
    if (rounds > 1000) throw new Error('it never came');
    await turn();
  }
  return rounds;
}

describe('turns', () => {
  it('are taken in order, never at once', async () => {
    const turns = openTurns(1000);
    const taken: number[] = [];
    for (const each of [1, 2, 3]) turns.take(() => taken.push(each));
    expect(taken).toEqual([]);
    await until(() => taken.length === 3);
    expect(taken).toEqual([1, 2, 3]);
    turns.take(() => taken.push(4));
    await until(() => taken.length === 4);
  });

  it('give the thread back between slices, however short a slice is', async () => {
    const turns = openTurns(0);
    const taken: number[] = [];
    for (let each = 0; each < 10; each++) turns.take(() => taken.push(each));
    expect(await until(() => taken.length === 10)).toBeGreaterThanOrEqual(9);
    expect(taken).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('that are given while others are taken come after those that wait', async () => {
    for (const sliceMs of [0, 1000]) {
      const turns = openTurns(sliceMs);
      const taken: string[] = [];
      turns.take(() => {
        taken.push('a');
        turns.take(() => taken.push('c'));
      });
      turns.take(() => taken.push('b'));
      await until(() => taken.length === 3);
      expect(taken).toEqual(['a', 'b', 'c']);
    }
  });
});
