// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { checkBounds } from '../../webhook/limits.ts';

const MIB = 1024 * 1024;

describe('how large a set may be', () => {
  it.each([
    ['where no limit of memory is set', 0, 32],
    ['where the limit is none', 2 ** 63, 32],
    ['in four gibibytes', 4096 * MIB, 32],
    ['in less than the server itself takes', 256 * MIB, 1],
  ])('%s', (_, memory, mib) => {
    expect(checkBounds(memory)).toEqual({ maxBodyBytes: mib * MIB, maxHeldBytes: 4 * mib * MIB });
  });

  it('in the gibibyte of the shipped manifest', () => {
    expect(checkBounds(1024 * MIB)).toEqual({ maxBodyBytes: 11_184_810, maxHeldBytes: 44_739_240 });
  });
});
