// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { recordKept } from '../../cli/ledger/keeping.ts';

describe('a record that names an input', () => {
  const kept = { digest: 'd', bytes: Buffer.from('x'), time: '2026-11-24T12:00:00Z' };
  const placesOf = (done: string[], keep: () => Promise<void>) => ({
    keeper: { keep },
    recording: {
      record: async () => {
        done.push('recorded');
        return { recordId: '0' };
      },
    },
  });

  it('is made once the input is kept', async () => {
    const done: string[] = [];
    const keep = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      done.push('kept');
    };
    expect(await recordKept(Buffer.from('s'), kept, placesOf(done, keep))).toEqual({ recordId: '0' });
    expect(done).toEqual(['kept', 'recorded']);
  });

  it('is not made where the input cannot be kept', async () => {
    const done: string[] = [];
    const keep = (): Promise<void> => Promise.reject(new Error('full'));
    await expect(recordKept(Buffer.from('s'), kept, placesOf(done, keep))).rejects.toThrow('full');
    expect(done).toEqual([]);
    await recordKept(Buffer.from('s'), undefined, placesOf(done, keep));
    expect(done).toEqual(['recorded']);
  });
});
