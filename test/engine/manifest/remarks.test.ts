// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { read } from './reader.ts';

const remarksOn = (text: string): readonly string[] =>
  read(text).flatMap(({ remarks = [] }) => remarks.map(({ pointer, message }) => `${pointer} ${message}`));

describe('what YAML 1.1 reads as its author may not have meant it', () => {
  it.each(['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'])('%s is true', (word) => {
    expect(read(`a: ${word}`)[0]?.value).toEqual({ a: true });
    expect(remarksOn(`a: ${word}`)).toEqual([`/a "${word}" is read as true`]);
  });

  it.each(['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'])('%s is false', (word) => {
    expect(read(`- [${word}]`)[0]?.value).toEqual([[false]]);
    expect(remarksOn(`- [${word}]`)).toEqual([`/0/0 "${word}" is read as false`]);
  });

  it.each([
    ['017', 15],
    ['0644', 420],
    ['-010', -8],
  ])('%s is an octal', (written, value) => {
    expect(read(`a: ${written}`)[0]?.value).toEqual({ a: value });
    expect(remarksOn(`a: ${written}`)).toEqual(['/a a number that begins with 0 is read as an octal']);
  });

  it.each([
    ['on:\n  push: 1', ['/true key "on" is read as "true"']],
    ['0x1F: a', ['/31 key "0x1F" is read as "31"']],
    ['{1_000: a}', ['/1000 key "1_000" is read as "1000"']],
    ['9000: a', []],
    ['"on": a', []],
  ])('is told of a key that becomes another text: %s', (text, expected) => {
    expect(remarksOn(text)).toEqual(expected);
  });

  it.each(['\r', '\u0085', '\u2028', '\u2029'])(
    'is told of what stands behind a line that only YAML 1.1 ends: %j',
    (end) => {
      const text = `a: b # c${end}d: yes\n`;
      expect(read(text)[0]?.value).toEqual({ a: 'b', d: true });
      expect(remarksOn(text)).toEqual(['/d "yes" is read as true']);
    },
  );

  it('is told of an item by its own pointer', () => {
    const list =
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A}\n- {apiVersion: v1, kind: B, a: {b/c: yes}}\n';
    expect(read(list).map(({ remarks }) => remarks)).toEqual([
      undefined,
      [
        {
          pointer: '/a/b~1c',
          message: '"yes" is read as true',
          hint: 'write true, or quote it if it is text',
        },
      ],
    ]);
  });

  it.each([
    'a: "yes"',
    "a: 'no'",
    'a: !!str on',
    'a: true',
    'a: yesterday',
    'a: 0',
    'a: 08',
    'a: "017"',
    'a: 0o17',
    'a: |\n  yes\n  017\n',
    '# yes\na: 1',
    '{"a": "yes"}',
  ])('is not %s', (text) => {
    expect(remarksOn(text)).toEqual([]);
  });
});
