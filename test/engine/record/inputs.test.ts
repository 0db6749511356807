// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { inputDigest } from '../../../engine/record/inputs.ts';
import { hex } from './fixture.ts';

describe('the input digest', () => {
  it('is over the lines by object and then by digest, however they come', () => {
    const [a, b, c] = [`${hex('9')}  /Pod//a\n`, `${hex('1')}  /Pod//b\n`, `${hex('2')}  /Pod//b\n`];
    const ordered = hash('sha256', a + b + c, 'hex');
    for (const lines of [
      [a, b, c],
      [a, c, b],
      [b, a, c],
      [b, c, a],
      [c, a, b],
      [c, b, a],
    ])
      expect(inputDigest(lines)).toBe(ordered);
  });
});
