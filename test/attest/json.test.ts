// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseStrict } from '../../attest/json.ts';

const parse = (text: string) => parseStrict(Buffer.from(text));

describe('strict JSON', () => {
  it('is JSON (property)', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parse(text)).toEqual({ value: JSON.parse(text) });
      }),
    );
  });

  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    `{"a"${' '.repeat(100)}:1,"a"\t\r\n :2}`,
    '[{"x":{"b":[],"c":{},"b":0}}]',
    '{"":1,"":2}',
    '{"\\"":1,"\\"":2}',
    '{"__proto__":1,"__proto__":2}',
  ])('has no key twice in one object: %j', (text) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(parse(text)).toBeUndefined();
  });

  it.each([
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
    '{"a":"a\\":","b":"a"}',
    '{"a":"{\\"b\\":1,\\"b\\":1}"}',
    '["a","a"]',
  ])('may have a key in several objects, or a string as often as it likes: %j', (text) => {
    expect(parse(text)).toEqual({ value: JSON.parse(text) });
  });

  it.each(['', ' ', '{', '{"a":1,}', "{'a':1}", 'NaN', '{"a":1}x', '\ufeff{}', '"\n"', '01'])(
    'is nothing else: %j',
    (text) => {
      expect(parse(text)).toBeUndefined();
    },
  );

  it('is UTF-8', () => {
    expect(parseStrict(Buffer.from([0x22, 0xff, 0x22]))).toBeUndefined();
    expect(parseStrict(Buffer.from([0x22, 0xc0, 0xaf, 0x22]))).toBeUndefined();
    expect(parse('"ü😀"')).toEqual({ value: 'ü😀' });
  });

  it('nests to 64 and no deeper', () => {
    expect(parse('['.repeat(64) + ']'.repeat(64))).toBeDefined();
    expect(parse('['.repeat(65) + ']'.repeat(65))).toBeUndefined();
    expect(parse('['.repeat(500_000))).toBeUndefined();
    expect(parse('['.repeat(500_000) + ']'.repeat(500_000))).toBeUndefined();
  });

  it('may hold a string of a megabyte', () => {
    const value = 'x\\"'.repeat(300_000);
    expect(parse(JSON.stringify({ value }))).toEqual({ value: { value } });
  });
});
