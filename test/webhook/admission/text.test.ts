// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cut, oneLine } from '../../../webhook/admission/text.ts';

describe('foreign text', () => {
  it('is one line that writes nothing of its own', () => {
    expect(oneLine(' a\r\n- pod.fake: allowed\u001b[2K\u2028b\u202ec ')).toBe(
      'a - pod.fake: allowed [2K b c',
    );
  });

  it('is cut by code points, never through one', () => {
    expect(cut('abc', 3)).toBe('abc');
    expect(cut('abcd', 3)).toBe('ab…');
    expect(cut('\u{1f600}\u{1f600}\u{1f600}', 3)).toBe('\u{1f600}\u{1f600}\u{1f600}');
    expect(cut('\u{1f600}\u{1f600}\u{1f600}\u{1f600}', 3)).toBe('\u{1f600}\u{1f600}…');
  });

  it('has at most as many code points as it may, and is well formed (property)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, most) => {
        const made = cut(oneLine(text), most);
        expect(Array.from(made).length).toBeLessThanOrEqual(most);
        expect(made.isWellFormed()).toBe(true);
        expect(made).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
  });
});
