// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { readFast, readFastTree } from '../../../engine/manifest/fast/index.ts';
import { compare } from '../../fuzz/compare.ts';
import { fuzz, isTelling } from '../../fuzz/run.ts';
import { reader, textOf } from './reader.ts';

const fast = (text: string): readonly string[] | undefined =>
  readFast(new TextEncoder().encode(text))?.map(({ json }) => textOf(json));

const TAKEN: readonly (readonly [name: string, text: string, json: string])[] = [
  ['a mapping, its keys in order', 'b: 1\na: x\n', '{"a":"x","b":1}'],
  ['keys of two mappings in each other', 'b:\n  d: 1\n  c: 2\na: 3\n', '{"a":3,"b":{"c":2,"d":1}}'],
  ['a sequence', '- a\n- b\n', '["a","b"]'],
  ['a sequence that is not indented', 'a:\n- b\n- c\nd: e\n', '{"a":["b","c"],"d":"e"}'],
  ['sequences in a line', '- - a\n  - b\n-   c: d\n    e: f\n', '[["a","b"],{"c":"d","e":"f"}]'],
  ['values that are not written', 'a:\nb: # why\nc:\n- \n-\n', '{"a":null,"b":null,"c":[null,null]}'],
  ['values on the next line', 'a:\n  b\nc:\n  "d"\n', '{"a":"b","c":"d"}'],
  ['words', 'a: [true, false, null, nope, none]\n', '{"a":[true,false,null,"nope","none"]}'],
  ['integers', 'a: [0, 80]\nb: -1\nc: 999999999999999999\n', '{"a":[0,80],"b":-1,"c":999999999999999999}'],
  ['floats', 'a: [1.5, 1.0, 0.000001]\nb: -0.25\n', '{"a":[1.5,1,0.000001],"b":-0.25}'],
  [
    'what only looks like a number',
    '- 1.2.3\n- .\n- -a\n- 1.2-rc\n- _1\n',
    '["1.2.3",".","-a","1.2-rc","_1"]',
  ],
  ['colons and hashes in text', 'a: http://x/#y\nb: c#d\n', '{"a":"http://x/#y","b":"c#d"}'],
  ['comments', '# 1\na: b # 2\n  # 3\nc: d\n# 4', '{"a":"b","c":"d"}'],
  ['double quotes', 'a: "b: \\"c\\" \\\\ \\n\\r\\t"\n', '{"a":"b: \\"c\\" \\\\ \\n\\r\\t"}'],
  ['single quotes', "a: 'it''s \\ \"b\"'\n", '{"a":"it\'s \\\\ \\"b\\""}'],
  ['quoted words', 'a: "null"\nb: \'~\'\n"yes": "1"\n', '{"a":"null","b":"~","yes":"1"}'],
  ['a literal scalar', 'a: |\n  b\n\n   c\n\nd: e\n', '{"a":"b\\n\\n c\\n","d":"e"}'],
  ['a literal scalar without its break', 'a: |-\n  b\n\n', '{"a":"b"}'],
  ['a literal scalar at the very end', 'a: |\n  b', '{"a":"b\\n"}'],
  ['a folded scalar', 'a: >\n  b\n  c\n\n  d\n   e\n  f\n', '{"a":"b c\\nd\\n e\\nf\\n"}'],
  ['flow collections', 'a: {b: [c, "d"], e: {}, f: []}\n', '{"a":{"b":["c","d"],"e":{},"f":[]}}'],
  ['text beyond ASCII', 'a: b\nä: 😀 – “x”\n', '{"a":"b","ä":"😀 – “x”"}'],
  ['no newline at the end', 'a: b', '{"a":"b"}'],
];

const LEFT: readonly (readonly [name: string, text: string])[] = [
  ['JSON', '{"a": 1}'],
  ['a scalar as a document', 'a\n'],
  ['a flow collection as a document', '[a]\n'],
  ['a key twice', 'a: 1\na: 2\n'],
  ['a key twice, once in quotes', 'a: 1\n"a": 2\n'],
  ['a key twice in a flow mapping', 'a: {b: 1, c: 2, b: 3}\n'],
  ['a merge', 'a: &x {b: c}\nd:\n  <<: *x\n'],
  ['an anchor', 'a: &x b\n'],
  ['an alias', 'a: *x\n'],
  ['a tag', 'a: !!str 1\n'],
  ['an explicit key', '? a\n: b\n'],
  ['a directive', '%YAML 1.1\n---\na: b\n'],
  ['an end of a document', 'a: b\n...\n'],
  ['content behind a separator', '--- a: b\n'],
  ['four dashes', 'a: b\n----\nc: d\n'],
  ['a scalar of two lines', 'a: b\n  c\n'],
  ['a quoted scalar of two lines', 'a: "b\n  c"\n'],
  ['a flow collection of two lines', 'a: [b,\n  c]\n'],
  ['a flow pair', 'a: [b: c]\n'],
  ['a flow mapping without spaces', 'a: {"b":c}\n'],
  ['a comma at the end', 'a: [b,]\n'],
  ['a mapping in a line', 'a: b: c\n'],
  ['a sequence in a line of a mapping', 'a: - b\n'],
  ['wrong indentation of a key', 'a:\n    b: c\n  d: e\n'],
  ['wrong indentation of an item', 'a:\n  - b\n - c\n'],
  ['a key below a scalar', 'a: b\n  c: d\n'],
  ['an item in a mapping', 'a: b\n- c\n'],
  ['a key in a sequence', '- a\nb: c\n'],
  ['a tab as indentation', 'a:\n\tb: c\n'],
  ['a tab behind a value', 'a: b\t\n'],
  ['a tab behind a colon', 'a:\tb\n'],
  ['a space before a colon', 'a : b\n'],
  ['an empty key', '"": a\n'],
  ['a key that is a number', '1: a\n'],
  ['a key that is a word', 'yes: a\n'],
  ['a key that is null', '~: a\n'],
  ['a key with escapes', '"a\\nb": c\n'],
  ['a long key', `${'k'.repeat(1100)}: a\n`],
  ['words of YAML 1.1', 'a: yes\n'],
  ['words in capitals', 'a: TRUE\n'],
  ['octal', 'a: 0644\n'],
  ['hexadecimal', 'a: 0x1F\n'],
  ['underscores in a number', 'a: 1_000\n'],
  ['an underscore behind a sign', 'a: -_5\n'],
  ['an underscore behind a plus', 'a: [+_5]\n'],
  ['an underscore between sign and point', 'a: -_.5\n'],
  ['a plus', 'a: +1\n'],
  ['minus zero', 'a: -0\n'],
  ['an exponent', 'a: 1e3\n'],
  ['a point first', 'a: .5\n'],
  ['a point last', 'a: 1.\n'],
  ['infinity', 'a: -.inf\n'],
  ['nineteen digits', 'a: 9223372036854775807\n'],
  ['a float of many digits', 'a: 0.12345678901234567\n'],
  ['a small float', 'a: 0.0000001\n'],
  ['a date', 'a: 2001-12-14\n'],
  ['base sixty', 'a: 1:30\n'],
  ['other escapes', 'a: "\\x41"\n'],
  ['an escape that only JSON has', 'a: "\\/"\n'],
  ['no closing quote', 'a: "b\n'],
  ['text behind a quote', 'a: "b"c\n'],
  ['a comment glued to a quote', 'a: "b"#c\n'],
  ['a block scalar that keeps its breaks', 'a: |+\n  b\n'],
  ['a block scalar with an indicator', 'a: |2\n  b\n'],
  ['a comment behind a block header', 'a: | # c\n  b\n'],
  ['an empty block scalar', 'a: |\nb: c\n'],
  ['a blank line longer than the block', 'a: |\n    \n  b\n'],
  ['a tab before a block', 'a: |\n\tb\n'],
  ['content below a block scalar', 'a: |\n  b\n c\n'],
  ['carriage returns', 'a: b\r\n'],
  ['NEL, a line break', 'a: b\u0085c: d\n'],
  ['LS, a line break', 'a: b\u2028c: d\n'],
  ['a byte order mark', '\ufeffa: b\n'],
  ['DEL', 'a: b\u007f\n'],
  ['65 levels', `a: ${'['.repeat(65)}${']'.repeat(65)}\n`],
];

describe('the fast reader', () => {
  it.each(TAKEN)('takes %s', (_, text, json) => {
    expect(fast(text)).toEqual([json]);
    expect(compare(reader, text)).toEqual({ is: 'equal' });
  });

  it.each(LEFT)('leaves %s', (_, text) => {
    expect(fast(text)).toBeUndefined();
  });

  it('gives the documents of a file with their lines and ranges', () => {
    const text = '# 1\n---\n---\n# 2\na: b\n--- # c\n\nc: d\n---\n# nothing\n---\n- e\n';
    expect(compare(reader, text)).toEqual({ is: 'equal' });
    const sections = readFast(new TextEncoder().encode(text)) ?? [];
    expect(sections.map(({ startLine, json }) => [startLine, textOf(json)])).toEqual([
      [5, '{"a":"b"}'],
      [8, '{"c":"d"}'],
      [12, '["e"]'],
    ]);
  });

  it('leaves a whole file for one document of it', () => {
    expect(fast('a: b\n---\nc: yes\n')).toBeUndefined();
  });
});

describe('places', () => {
  it.each([
    ['an item that is not written, before spaces', '- \n- 1'],
    ['one at the very end', '- '],
    ['one in a sequence of a line', '-  -  - \n      - x'],
    ['one before a comment', 'a:\n  -   # c\nb: c\n'],
    ['a key that npm yaml takes for a number', 'a: {e1: b}'],
    ['text beyond ASCII before it', 'a: b\nä: 😀\n"😀": ["ü", {x: z}]\n'],
  ])('of %s are those of npm yaml', (_, text) => {
    expect(compare(reader, text)).toEqual({ is: 'equal' });
    expect(readFastTree(new TextEncoder().encode(text))).toBeDefined();
  });

  it('are left for a scalar that looks like a separator with a comment', () => {
    expect(readFastTree(new TextEncoder().encode('---#c\n- x\n'))).toBeUndefined();
  });
});

describe('2,000 generated documents', () => {
  it('are read equally or left, in values and places', () => {
    const run = fuzz(reader, 20_260_101, 2000);
    expect(run.disagreements).toEqual([]);
    expect(isTelling(run)).toBe(true);
  });
});
