// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { uuidv7 } from '../../cli/uuid.ts';

describe('a UUIDv7', () => {
  it('has its time, version and variant where RFC 9562 §5.7 has them', () => {
    // The time of the RFC's own example, appendix A.6.
    expect(uuidv7(new Date(0x017f22e279b0))).toMatch(
      /^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(uuidv7(new Date(0))).toMatch(/^00000000-0000-7/);
  });

  it('sorts by time and is never the same twice', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (one, other) => {
        const [a, b] = [uuidv7(new Date(one)), uuidv7(new Date(other))];
        expect(a).not.toBe(b);
        if (one !== other) expect(a < b).toBe(one < other);
      }),
    );
  });
});
