// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { readDocuments } from '../../../engine/manifest/index.ts';
import { expectThrown, thrownBy } from '../../expect.ts';
import { read, reader, sourceOf, textOf } from './reader.ts';

/** What a refusal says: code, message and place. */
function refusal(content: string | Uint8Array): string {
  const error = thrownBy(() => read(content));
  if (!(error instanceof EngineError)) throw error;
  return `${error.location?.line}:${error.location?.column} ${error.message} [${error.code}]`;
}

const nestedBlocks = (levels: number): string =>
  Array.from({ length: levels }, (_, level) => `${' '.repeat(level)}a:\n`).join('');
const flow = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('a Document', () => {
  it('has exact JSON, a value, an identity and a place', () => {
    const [first, second] = read(
      '# head\n---\n# c\nkind: Pod\napiVersion: v1\nmetadata: {name: a, namespace: shop}\nx: 9223372036854775807\n---\n---\nmetadata: {generateName: b-}\nkind: Job\napiVersion: batch/v1\n',
    );
    expect(first).toEqual({
      json: new TextEncoder().encode(
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"shop"},"x":9223372036854775807}',
      ),
      value: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'shop' }, x: 2 ** 63 },
      id: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'a' },
      file: 'f.yaml',
      line: 4,
      index: 0,
      pointer: '',
      range: [11, 100],
    });
    expect(second).toMatchObject({ id: { kind: 'Job', name: 'b-' }, line: 10, index: 1 });
    expect(second?.id).not.toHaveProperty('namespace');
  });

  it.each([
    ['[1, {"a": 2}]', '[1,{"a":2}]'],
    ['text', '"text"'],
    ['{"kind": "Pod"}', '{"kind":"Pod"}'],
    ['kind: [Pod]\napiVersion: v1', '{"apiVersion":"v1","kind":["Pod"]}'],
  ])('has no identity when it is no object of Kubernetes: %s', (content, json) => {
    const documents = read(content);
    expect(documents.map((document) => [textOf(document.json), document.id])).toEqual([[json, undefined]]);
  });

  it('keeps the order of sources and names each', () => {
    const documents = readDocuments([sourceOf('b: 1', 'x'), sourceOf('a: 1\n---\nc: 1', 'y')], reader);
    expect(documents.map(({ file, index, line }) => [file, index, line])).toEqual([
      ['x', 0, 1],
      ['y', 0, 1],
      ['y', 1, 3],
    ]);
  });

  it('has own keys only', () => {
    const [document] = read('__proto__: {kind: Pod, apiVersion: v1}');
    expect(document?.id).toBeUndefined();
    expect(Object.keys(document?.value ?? {})).toEqual(['__proto__']);
  });
});

describe('lists', () => {
  const items = (list: string) =>
    read(list).map(({ json, pointer, id }) => [pointer, textOf(json), id?.kind, id?.name]);

  it('are replaced by their items, recursively and exactly', () => {
    const list = `
apiVersion: v1
kind: List
metadata: {name: "a ] , \\" }"}
items:
- {apiVersion: v1, kind: Pod, metadata: {name: 'x]"}\\'}, count: 9007199254740993}
- apiVersion: v1
  kind: List
  items: [{apiVersion: v1, kind: Service, metadata: {name: s}}]
- apiVersion: v1
  kind: List
  items: []
`;
    expect(items(list)).toEqual([
      [
        '/items/0',
        '{"apiVersion":"v1","count":9007199254740993,"kind":"Pod","metadata":{"name":"x]\\"}\\\\"}}',
        'Pod',
        'x]"}\\',
      ],
      ['/items/1/items/0', '{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"}}', 'Service', 's'],
    ]);
  });

  it('of a type give their items that type, as kubectl does', () => {
    expect(items('apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: a}\n- {}\n')).toEqual(
      [
        [
          '/items/0',
          '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}}',
          'Deployment',
          'a',
        ],
        ['/items/1', '{"apiVersion":"apps/v1","kind":"Deployment"}', 'Deployment', ''],
      ],
    );
  });

  it('are lists whatever their kind, as for kubectl: nothing hides in a ConfigMap', () => {
    expect(items('apiVersion: v1\nkind: ConfigMap\nitems:\n- {apiVersion: v1, kind: Pod}\n')).toEqual([
      ['/items/0', '{"apiVersion":"v1","kind":"Pod"}', 'Pod', ''],
    ]);
  });

  it('are no lists without kind, or when items is no array', () => {
    expect(items('items: [{a: 1}]')).toEqual([['', '{"items":[{"a":1}]}', undefined, undefined]]);
    expect(items('apiVersion: v1\nkind: Foo\nitems: {a: 1}')).toHaveLength(1);
  });

  it('that hold nothing are nothing', () => {
    expectThrown(
      () => read('apiVersion: v1\nkind: List\nitems: []\n---\napiVersion: v1\nkind: PodList\nitems:\n'),
      EngineError,
      'INPUT_EMPTY',
      'there are no documents in "f.yaml"',
    );
  });

  it.each([
    ['apiVersion: v1\nkind: List\nitems: {}', '1:1 "items" of a "List" is not an array [INPUT_SHAPE]'],
    [
      '\napiVersion: v1\nkind: PodList\nitems: [{kind: ""}]',
      '2:1 item 0 of a "PodList" has an empty kind or apiVersion [INPUT_SHAPE]',
    ],
  ])('that are malformed are refused', (content, expected) => {
    expect(refusal(content)).toBe(expected);
  });

  it('nest at most 8 deep', () => {
    const nested = (levels: number): string =>
      levels === 0
        ? '{"apiVersion":"v1","kind":"Pod"}'
        : `{"apiVersion":"v1","kind":"List","items":[${nested(levels - 1)}]}`;
    expect(read(nested(8)).map(({ pointer }) => pointer)).toEqual(['/items/0'.repeat(8)]);
    expect(refusal(nested(9))).toBe('1:1 lists are nested deeper than 8 levels [INPUT_TOO_DEEP]');
  });
});

describe('limits', () => {
  it.each([
    [
      'UTF-16 with a mark',
      Buffer.from('\ufeffa: 1', 'utf16le'),
      '1:1 the file is UTF-16 or UTF-32, not UTF-8',
    ],
    ['UTF-16 big-endian', Buffer.from([0xfe, 0xff, 0, 0x61]), '1:1 the file is UTF-16 or UTF-32, not UTF-8'],
    [
      'UTF-16 without a mark',
      Buffer.from('a: 1', 'utf16le'),
      '1:2 the file has a NUL byte: it is binary, UTF-16 or UTF-32',
    ],
    [
      'UTF-32',
      Buffer.from([0, 0, 0xfe, 0xff]),
      '1:1 the file has a NUL byte: it is binary, UTF-16 or UTF-32',
    ],
    ['NUL', Buffer.from('a: 1\nb: \0'), '2:4 the file has a NUL byte: it is binary, UTF-16 or UTF-32'],
    ['Latin-1', Buffer.from('a: 1\nb: é caf\xe9 x', 'latin1'), '2:4 the file is not valid UTF-8'],
    ['a cut character', Buffer.from([0x61, 0xc3]), '1:2 the file is not valid UTF-8'],
    ['a surrogate in UTF-8', Buffer.from([0x0a, 0xed, 0xa0, 0x80]), '2:1 the file is not valid UTF-8'],
  ])('refuse %s', (_, bytes, expected) => {
    expect(refusal(bytes)).toBe(`${expected} [INPUT_ENCODING]`);
  });

  it('accept a UTF-8 byte order mark', () => {
    expect(textOf(read('\ufeffa: 1')[0]?.json ?? Buffer.of())).toBe('{"a":1}');
  });

  it('refuse a file beyond 32 MiB', () => {
    expect(refusal(Buffer.alloc(33_554_433, ' '))).toBe(
      '1:1 the file has 33554433 bytes; at most 33554432 are read [INPUT_TOO_LARGE]',
    );
    expectThrown(() => read(Buffer.alloc(33_554_432, '\n')), EngineError, 'INPUT_EMPTY');
  });

  it.each([
    ['100 levels of flow', flow(100)],
    ['100 levels of blocks', `${nestedBlocks(98)}${' '.repeat(98)}a: {}`],
  ])('accept %s', (_, content) => {
    expect(read(content)).toHaveLength(1);
  });

  it.each([
    ['101 levels of flow', flow(101), '1:101'],
    ['1,000 levels of flow', flow(1000), '1:101'],
    ['9,999 levels of flow', flow(9999), '1:101'],
    ['100,000 levels of flow', flow(100_000), '1:101'],
    ['100,000 brackets', '['.repeat(100_000), '1:101'],
    ['101 levels of JSON', `{"a":${flow(100)}}`, '1:105'],
    ['100,000 levels of JSON', '{"a":'.repeat(100_000), '1:501'],
    ['101 levels of blocks', `${nestedBlocks(99)}${' '.repeat(99)}a: {}`, '100:103'],
    ['5,000 levels of blocks', nestedBlocks(5000), '101:101'],
    ['9,000 sequences in one line', '- '.repeat(9000), '1:201'],
  ])('refuse %s and survive', (_, content, place) => {
    expect(refusal(content)).toMatch(new RegExp(`^${place} .*\\[INPUT_TOO_DEEP\\]$`));
    expect(read('a: 1')).toHaveLength(1);
  });

  it('refuse 1,000 brackets that are not closed', () => {
    expect(refusal('['.repeat(1000))).toBe('1:1 did not find expected node content [INPUT_SYNTAX]');
  });

  it('survive merges nested beyond what the locator could', () => {
    const content = `x: 1\nx: 2\ny: ${'{<<: '.repeat(2000)}{a: 1}${'}'.repeat(2000)}`;
    expect(refusal(content)).toMatch(/\[INPUT_DUPLICATE_KEY\]$/);
  });

  it('refuse an alias bomb', () => {
    const lines = [...'bcdefghi'].map((name, index) => {
      const alias = `*${'abcdefgh'[index]}`;
      return `${name}: &${name} [${Array(9).fill(alias).join(', ')}]\n`;
    });
    expect(refusal(`a: &a [${Array(9).fill('x').join(', ')}]\n${lines.join('')}`)).toBe(
      '9:8 document contains excessive aliasing [INPUT_ALIASES]',
    );
  });

  it('count aliases per document: 100 are read, 101 are not', () => {
    const aliases = (count: number): string => `a: &a 1\nb:\n${'- *a\n'.repeat(count)}`;
    expect(read(`${aliases(100)}---\n${aliases(100)}`)).toHaveLength(2);
    expect(refusal(aliases(101))).toBe('103:3 the document has more than 100 aliases [INPUT_ALIASES]');
  });

  it('take no star for an alias that is none', () => {
    const script = '  for f in *.txt; do *x & done; # *a\n'.repeat(200);
    const cron = '- "*/5 *a * * *"\n- \'*b\'\n# *c\n'.repeat(200);
    expect(read(`a: |\n${script}b:\n${cron}`)).toHaveLength(1);
  });
});

describe('faults', () => {
  it('are told all at once, with their files', () => {
    const sources = [
      sourceOf('a: 1\n b: 2\n---\nb: 1\nc: 1\nb: 2\n', 'x.yaml'),
      sourceOf('a: 1', 'good.yaml'),
      sourceOf('c: [1, .nan]', 'y.yaml'),
      sourceOf(Buffer.of(0), 'z.yaml'),
    ];
    const error = thrownBy(() => readDocuments(sources, reader));
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({
      code: 'INPUT_SYNTAX',
      message: 'mapping values are not allowed in this context',
      location: { file: 'x.yaml', line: 2, column: 2 },
      problems: [
        { code: 'INPUT_SYNTAX', location: { file: 'x.yaml', line: 2, column: 2 } },
        {
          code: 'INPUT_DUPLICATE_KEY',
          message: 'key "b" is set twice',
          location: { file: 'x.yaml', line: 6, column: 1 },
        },
        { code: 'INPUT_NUMBER', location: { file: 'y.yaml', line: 1, column: 8 } },
        { code: 'INPUT_ENCODING', location: { file: 'z.yaml', line: 1, column: 1 } },
      ],
    });
  });

  it.each([
    ['a key that is set twice', 'é: {x: 1, "x": 2}', '1:11 key "x" is set twice [INPUT_DUPLICATE_KEY]'],
    ['keys that become one', 'yes: 1\n"true": 2', '2:1 key "true" is set twice [INPUT_DUPLICATE_KEY]'],
    [
      'a merge that overrides',
      'x: 1\n<<: {x: 2}',
      '2:1 key "x" is set twice, once by a merge [INPUT_DUPLICATE_KEY]',
    ],
    [
      'a merge of merges that overlap',
      'a: &a {x: 1}\nb: &b {<<: *a}\nc:\n  <<: *a\n  y: 1\n  <<: *b',
      '6:3 key "x" is set twice, by two merges [INPUT_DUPLICATE_KEY]',
    ],
    [
      'a list of merges that overlap',
      'a: &a {x: 1, y: 2}\nb: &b {x: 3}\nc:\n  <<: [*a, *b]\n  z: 1\n',
      '4:12 key "x" is set twice, by two merges [INPUT_DUPLICATE_KEY]',
    ],
    [
      'a key that one of a list of merges sets',
      'a: &a {x: 1}\nb: &b {w: 3}\nc:\n  w: 1\n  <<: [*a, *b]\n',
      '5:12 key "w" is set twice, once by a merge [INPUT_DUPLICATE_KEY]',
    ],
    [
      'a raw control character',
      'a: 1\nb: "é\u0001y"',
      '2:6 control characters are not allowed [INPUT_SYNTAX]',
    ],
    ['a raw DEL', '---\na: 1\n---\nb: x\u007f', '4:5 control characters are not allowed [INPUT_SYNTAX]'],
    [
      'a raw noncharacter',
      'a: \u0085\u{10ffff}\ufffe',
      '1:7 control characters are not allowed [INPUT_SYNTAX]',
    ],
    [
      'a deep integer',
      'a:\r\n- b: -9223372036854775809\r\n',
      '2:6 a number does not fit into 64 bits with a sign [INPUT_NUMBER]',
    ],
    ['infinity', 'a: [1,\n .inf]', '2:2 infinity and NaN are no JSON numbers [INPUT_NUMBER]'],
    [
      'half a surrogate pair in JSON',
      '{"a": 1,\n "b\\ud83d\\u0041": 1}',
      '2:4 half a surrogate pair [INPUT_ENCODING]',
    ],
    ['half a surrogate pair in YAML', 'a: "x\\udc00"', '1:6 half a surrogate pair [INPUT_ENCODING]'],
    [
      'a pair that is written as in JSON',
      'a: 1\nb: "\\ud83d\\ude00"',
      '2:5 found invalid Unicode character escape code [INPUT_SYNTAX]',
    ],
    ['NUL in JSON', '{"a": "\\u0000"}', '1:8 a text holds NUL [INPUT_ENCODING]'],
    ['NUL in YAML', 'a: 1\nb: ["x", "\\x00"]', '2:11 a text holds NUL [INPUT_ENCODING]'],
    ['NUL in a key', '"a\\0": 1', '1:3 a text holds NUL [INPUT_ENCODING]'],
    ['NUL in binary', 'a: !!binary AAAA', '1:1 a text holds NUL [INPUT_ENCODING]'],
    ['a key that is null', 'a:\n  ~: 1', '2:3 key "~" is null, not text [INPUT_KEY]'],
    ['a key that is a list', 'a: {[1]: 1}', '1:5 a key is a collection, not text [INPUT_KEY]'],
  ])('have the place of %s', (_, content, expected) => {
    expect(refusal(content)).toBe(expected);
  });

  it.each([
    ['9000: a', 'key "9000" is a number, not text', 'quote it if it is what the key is called'],
    ['0x1F: a', 'key "0x1F" is a number, not text', 'quote it: kubectl would read it as "31"'],
    ['0o17: a', 'key "0o17" is a number, not text', 'quote it if it is what the key is called'],
    ['1.50: a', 'key "1.50" is a number, not text', 'quote it: kubectl would read it as "1.5"'],
    ['on: a', 'key "on" is a boolean, not text', 'quote it: kubectl would read it as "true"'],
    ['true: a', 'key "true" is a boolean, not text', 'quote it: kubectl would read it as "true"'],
    [
      '1:30: a, e1: a, 2001-12-14: a, y: a',
      'key "y" is a boolean, not text',
      'quote it: kubectl would read it as "true"',
    ],
    ['<<: {n: a}', 'key "n" is a boolean, not text', 'quote it: kubectl would read it as "false"'],
  ])('are keys of an object of Kubernetes that are not text: %s', (members, message, hint) => {
    const error = thrownBy(() => read(`apiVersion: v1\nkind: ConfigMap\ndata:\n- {${members}}`));
    const place = { line: 4, column: expect.any(Number) };
    expect(error).toMatchObject({ code: 'INPUT_KEY', message, hint, location: place });
    expect(() => read(`apiVersion: v1\ndata:\n- {${members}}`)).not.toThrow();
  });

  it('are no keys that only look like numbers, times or words', () => {
    const keys =
      '"9000": a, "on": a, 1:30: a, 2001-12-14: a, e1: a, yesterday: a, 1.2.3: a, .: a, !!str 1: a';
    expect(read(`apiVersion: v1\nkind: ConfigMap\ndata: {${keys}}`)).toHaveLength(1);
  });

  it('escape what the reader quotes', () => {
    expect(refusal('a: *\u202ex')).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe('nothing', () => {
  it.each([
    [[], 'there are no documents'],
    [['', '# c\n---\n---\nnull\n'], 'there are no documents in "0", "1"'],
    [['', '', '', '', ''], 'there are no documents in "0", "1", "2" and 2 more'],
  ])('is refused: %j', (contents, message) => {
    const sources = contents.map((content, index) => sourceOf(content, String(index)));
    expectThrown(() => readDocuments(sources, reader), EngineError, 'INPUT_EMPTY', message);
  });
});
