// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { decodeAnyBase64, decodeBase64 } from '../../attest/base64.ts';

describe('base64', () => {
  it.each(['', 'AA==', 'AAA=', 'AAAA', '+/+/'])('takes canonical standard text: %j', (text) => {
    expect(decodeBase64(text)).toEqual(Buffer.from(text, 'base64'));
    expect(decodeAnyBase64(text)).toEqual(Buffer.from(text, 'base64'));
  });

  it.each(['AA', 'AB==', 'AAB=', 'AA=', 'A===', ' AA==', 'AA==\n', 'AA==AA==', '-_-_', 'AAAA=', 'é'])(
    'takes no other spelling as standard: %j',
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );

  it.each([
    ['-_-_', [0xfb, 0xff, 0xbf]],
    ['AA', [0]],
    ['_w==', [0xff]],
    ['_w', [0xff]],
  ])('takes URL-safe text for DSSE: %j', (text, bytes) => {
    expect(decodeAnyBase64(text)).toEqual(Buffer.from(bytes));
  });

  it.each(['+_+_', '_x==', '_w=', '_w===', 'A', '-_-_\n'])('mixes and pads nothing: %j', (text) => {
    expect(decodeAnyBase64(text)).toBeUndefined();
  });
});
