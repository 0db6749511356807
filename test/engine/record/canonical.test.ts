// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EngineError } from '../../../engine/error.ts';
import { canonicalBytes, canonicalText } from '../../../engine/record/canonical.ts';
import { expectThrown } from '../../expect.ts';

const bytes = (json: string): string => Buffer.from(canonicalBytes(Buffer.from(json))).toString();

describe('canonical JSON', () => {
  it('is that of RFC 8785 §3.2.2 and §3.2.3', () => {
    const sample =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
    const expected =
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
    expect(bytes(sample)).toBe(expected);
    expect(canonicalText(JSON.parse(sample))).toBe(expected);
  });

  it('orders keys by UTF-16 code units, as RFC 8785 §3.2.3 shows', () => {
    const keys = ['\r', '1', '\u0080', 'ö', '€', '\u{1f600}', '\ufb33'];
    const object = Object.fromEntries(keys.toReversed().map((key) => [key, 1]));
    const expected = `{${keys.map((key) => `${JSON.stringify(key)}:1`).join(',')}}`;
    expect(canonicalText(object)).toBe(expected);
    expect(bytes(JSON.stringify(object))).toBe(expected);
  });

  it('keeps a key that JavaScript would take for the prototype', () => {
    expect(bytes('{"b":1,"__proto__":{"a":1}}')).toBe('{"__proto__":{"a":1},"b":1}');
  });

  it.each([
    ['-0', '0'],
    ['-0.0', '0'],
    ['1.0', '1'],
    ['9007199254740993', '9007199254740993'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['18446744073709551616', '18446744073709551616'],
    ['9007199254740993.0', '9007199254740992'],
    ['1e2', '100'],
  ])('writes the number %s as %s', (number, written) => {
    expect(bytes(number)).toBe(written);
  });

  it('refuses a number that no double can hold: printed as null it would share the digest of another object', () => {
    for (const json of ['1e400', '[-1e400]', '{"a":{"b":1e999}}'])
      expectThrown(() => bytes(json), EngineError, 'INPUT_NUMBER');
  });

  it('reads back as the same value and is its own canonical form (property)', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const once = bytes(json);
        expect(JSON.parse(once)).toEqual(
          JSON.parse(json, (_, value: unknown) => (Object.is(value, -0) ? 0 : value)),
        );
        expect(bytes(once)).toBe(once);
      }),
    );
  });

  it('tells any two integers apart (property)', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        expect(bytes(`{"n":${a}}`) === bytes(`{"n":${b}}`)).toBe(a === b);
      }),
    );
  });
});
