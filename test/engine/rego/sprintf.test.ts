// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { sprintf } from '../../../engine/rego/sprintf.ts';

/** Format, value text of the array, and what Go prints. */
const CASES: readonly (readonly [string, string, string])[] = [
  ['%v %s %d', '[1,"a",3]', '1 a 3'],
  ['%d', '["x"]', '%!d(string=x)'],
  ['%s', '[3]', '%!s(int=3)'],
  ['%t', '[true]', '%!t(string=true)'],
  ['%5d|%-5d|%05d', '[1,2,-3]', '    1|2    |-0003'],
  ['%+d % d %x %X %#x %b %o', '[1,2,255,255,255,5,8]', '+1  2 ff FF 0xff 101 10'],
  ['%q %x', '["a\\n","hi"]', '"a\\n" 6869'],
  ['%v', '[{2,1,3}]', '{1, 2, 3}'],
  ['%v', '[set()]', 'set()'],
  ['%v', '[{"b":1,"a":[true,null]}]', '{"a": [true, null], "b": 1}'],
  ['%v', '[12345678901234567890]', '12345678901234567890'],
  ['%v %v %v', '[1.5,100000.5,1e22]', '1.5 100000.5 1e+22'],
  ['%.2f %e %g', '[3.14159,1.5,0.00001]', '3.14 1.500000e+00 1e-05'],
  ['%d %d', '[1]', '1 %!d(MISSING)'],
  ['x', '[1,"a"]', 'x%!(EXTRA int=1, string=a)'],
  ['100%%', '[]', '100%'],
  ['%', '[]', '%!(NOVERB)'],
  ['%5s|%-5s|%.2s', '["a","b","abc"]', '    a|b    |ab'],
];

describe('sprintf', () => {
  it.each(CASES)('%s of %s', (format, values, expected) => {
    expect(sprintf(JSON.stringify(format), values)).toBe(expected);
  });

  it('is bounded', () => {
    expect(() => sprintf('"%1001d"', '[1]')).toThrow('a width or precision of 1001 is more than 1000');
    expect(() =>
      sprintf(JSON.stringify('%1000d'.repeat(1_100)), `[${Array(1_100).fill('1').join(',')}]`),
    ).toThrow('longer than 1 MiB');
    expect(() => sprintf('"%*d"', '[1,2]')).toThrow('not supported');
  });
});
