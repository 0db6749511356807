// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalBytes, canonicalText, exactText } from '../../../engine/record/canonical.ts';
import { isCanonical } from '../../../engine/record/is_canonical.ts';

const canonical = (text: string): string => Buffer.from(canonicalBytes(Buffer.from(text))).toString();
const ready = (text: string): boolean => isCanonical(Buffer.from(text));

/** Keys of which many are close to each other, of every plane and with everything that JSON escapes. */
const key = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', 'é', '\ue000', '\uffff', '😀', '"', '\\', '\n', '\b', '\u001f', '-', '1'),
  }),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, -1, 1.5, 1e21, 1e-7, 2 ** 53 - 1),
    key,
    fc.integer(),
    fc.dictionary(key, tie('json'), { maxKeys: 5 }),
    fc.array(tie('json'), { maxLength: 4 }),
  ),
}));

describe('canonical JSON', () => {
  it('is the same whatever order, space and escapes it comes with', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(canonical(text)).toBe(canonicalText(JSON.parse(text)));
      }),
      { numRuns: 2000 },
    );
  });

  it('is taken as it stands only where it is canonical', () => {
    let taken = 0;
    fc.assert(
      fc.property(json, (value) => {
        for (const text of [JSON.stringify(value), canonicalText(JSON.parse(JSON.stringify(value)))]) {
          if (!ready(text)) continue;
          taken++;
          expect(text).toBe(canonicalText(JSON.parse(text)));
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
    expect(taken).toBeGreaterThan(1000);
  });

  it('is made in a hurry as it is made in peace', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalText(JSON.parse(JSON.stringify(value)))).toBe(exactText(value));
      }),
      { numRuns: 3000, seed: 2 },
    );
  });

  it.each([
    [
      'keys that an object puts first',
      '{"b":1,"10":2,"9":3,"a":{"1":0,"-1":0}}',
      '{"10":2,"9":3,"a":{"-1":0,"1":0},"b":1}',
    ],
    ['a key that sets a prototype', '{"a":1,"__proto__":{"b":[2]}}', '{"__proto__":{"b":[2]},"a":1}'],
    ['a key that is called for its value', '{"toJSON":"x","a":1}', '{"a":1,"toJSON":"x"}'],
    [
      'an integer beyond a double among others',
      '{"b":[1,9007199254740993],"a":0}',
      '{"a":0,"b":[1,9007199254740993]}',
    ],
    ['the same with a fraction', '{"b":9007199254740993.0,"a":0.5}', '{"a":0.5,"b":9007199254740992}'],
    ['half a surrogate', '{"b":"\\ud800","a":0}', '{"a":0,"b":"\\ud800"}'],
  ])('is right for %s', (_, text, wanted) => {
    expect(canonical(text)).toBe(wanted);
    expect(Buffer.from(canonicalBytes(Buffer.from(text), JSON.parse(text))).toString()).toBe(wanted);
  });

  it.each([
    ['integers of 64 bits', '{"a":9223372036854775807,"b":-9223372036854775808}', true],
    ['nested members in order', '{"a":[{"b":1,"c":{}},"x"],"d":"é\\n"}', true],
    ['a prefix before its longer', '{"a":1,"ab":2}', true],
    ['members out of order', '{"b":1,"a":2}', false],
    ['a key twice', '{"a":1,"a":2}', false],
    ['an inner object out of order', '[{"a":{"d":1,"c":2}}]', false],
    ['space', '{"a": 1}', false],
    ['a fraction', '[1.0]', false],
    ['an exponent', '[1e2]', false],
    ['minus zero', '[-0]', false],
    ['an escape with a shorter spelling', '["\\u0008"]', false],
    ['an escaped character that needs none', '["\\u0041"]', false],
    ['a string without an end', '["abc', false],
    ['an escaped solidus', '["\\/"]', false],
    ['keys whose order UTF-8 does not tell', '{"\ue000":1,"😀":2}', false],
  ])('sees %s', (_name, text, expected) => {
    expect(ready(text)).toBe(expected);
  });

  it('keeps what a double cannot hold', () => {
    expect(canonical('{"b":9223372036854775807,"a":[-0,1.50,1E2]}')).toBe(
      '{"a":[0,1.5,100],"b":9223372036854775807}',
    );
  });
});
