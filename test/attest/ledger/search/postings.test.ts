// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BLOCK, extend, intersection, pack, union } from '../../../../attest/ledger/search/postings.ts';

/** Sets of all sizes: a few numbers, or every one of a wide range. */
const numbers = fc
  .oneof(
    fc.uniqueArray(fc.integer({ min: 0, max: BLOCK - 1 }), { maxLength: 50 }),
    fc
      .tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 5_500 }))
      .map(([start, count]) => Array.from({ length: count }, (_, index) => start + index)),
  )
  .map((list) => [...list].filter((number) => number < BLOCK).sort((a, b) => a - b));

const read = (postings: Uint8Array | undefined): number[] =>
  postings === undefined ? [] : [...intersection([postings])].reverse();

describe('packed sets of numbers', () => {
  it('hold what was packed, in at most 8 KiB (property)', () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const packed = pack(list);
        expect(packed.length).toBeLessThanOrEqual(8_192);
        expect(read(packed)).toEqual(list);
      }),
    );
  });

  it('hold what was added behind the rest (property)', () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (list, seed) => {
        const at = seed % (list.length + 1);
        expect(read(extend(pack(list.slice(0, at)), list.slice(at)))).toEqual(list);
      }),
    );
  });

  it('have a union and an intersection, from the greatest down (property)', () => {
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 3 }), (lists) => {
        const packed = lists.map(pack);
        const all = [...new Set(lists.flat())].sort((a, b) => a - b);
        expect(read(union(packed))).toEqual(all);
        const common = all.filter((number) => lists.every((list) => list.includes(number)));
        expect([...intersection(packed)]).toEqual(common.reverse());
      }),
    );
  });

  it('of nothing are nothing', () => {
    expect(union([])).toBeUndefined();
    expect([...intersection([])]).toEqual([]);
    expect([...intersection([pack([1, 2]), pack([])])]).toEqual([]);
  });
});
