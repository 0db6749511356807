// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { locate, readDocuments } from '../../../engine/manifest/index.ts';
import { treeOf } from '../../../engine/manifest/syntax.ts';
import { reader, sourceOf } from './reader.ts';

/** `line:column` of a pointer in the document of that ordinal. */
function at(content: string, pointer: string, ordinal = 0): string {
  const source = sourceOf(content);
  const document = readDocuments([source], reader)[ordinal];
  if (document === undefined) throw new Error('no such document');
  const { file, line, column } = locate(source, document, pointer);
  expect(file).toBe('f.yaml');
  return `${line}:${column}`;
}

const DEPLOYMENT = `# a comment
---
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: web
          image: nginx
        -   name: żółw 🐢
            command:
            - sh
            - |
              echo *
            "quoted/key": {"a~b": [1, {x: y}]}
---
kind: Second
apiVersion: v1
a: 1
`;

describe('locate', () => {
  it.each([
    ['the document', '', '3:1'],
    ['a member', '/kind', '4:1'],
    ['the key of a mapping that is on the next line', '/spec', '5:1'],
    ['a nested key', '/spec/template/spec/containers', '8:7'],
    ['an item', '/spec/template/spec/containers/0', '9:11'],
    ['a member of an item', '/spec/template/spec/containers/0/image', '10:11'],
    ['an item with more space', '/spec/template/spec/containers/1', '11:13'],
    ['an item that is a scalar', '/spec/template/spec/containers/1/command/0', '13:15'],
    ['an item that is a block', '/spec/template/spec/containers/1/command/1', '14:15'],
    ['a key with a slash', '/spec/template/spec/containers/1/quoted~1key', '16:13'],
    ['a key with a tilde in flow', '/spec/template/spec/containers/1/quoted~1key/a~0b', '16:28'],
    ['what is inside flow', '/spec/template/spec/containers/1/quoted~1key/a~0b/1/x', '16:40'],
    [
      'the nearest ancestor of a missing member',
      '/spec/template/spec/containers/0/securityContext/a',
      '9:11',
    ],
    ['the nearest ancestor of a missing item', '/spec/template/spec/containers/7', '8:7'],
    ['an index that is no index', '/spec/template/spec/containers/01', '8:7'],
    ['the end of an array', '/spec/template/spec/containers/-', '8:7'],
    ['a step into a scalar', '/kind/x/y', '4:1'],
    ['what is no pointer', 'kind', '3:1'],
  ])('gives the place of %s', (_, pointer, expected) => {
    expect(at(DEPLOYMENT, pointer)).toBe(expected);
  });

  it('counts from the beginning of the file', () => {
    expect(at(DEPLOYMENT, '', 1)).toBe('18:1');
    expect(at(DEPLOYMENT, '/a', 1)).toBe('20:1');
  });

  it.each([
    ['UTF-16 code units', 'a: {🐢: 1, b: 2}', '/a/b', '1:12'],
    ['CRLF', 'a: 1\r\nb:\r\n  c: 2\r\n', '/b/c', '3:3'],
    ['a byte order mark', '\ufeffa: 1\nb: 2', '/a', '1:1'],
    ['a byte order mark before a separator', '\ufeff---\na: 1', '/a', '2:1'],
    ['tabs', 'a:\t{b:\t1,\tc: 2}', '/a/c', '1:11'],
    ['JSON', '{\n\t"a": [1,\n\t\t{"b": 2}]}', '/a/1/b', '3:4'],
    ['JSON with escapes', '{"a":1,"\\u0062":2}', '/b', '1:8'],
    ['an empty value', 'a:\nb:\n-\n- x', '/b/0', '3:2'],
    ['a key that is not a string', '1: {yes: 2}', '/1/true', '1:5'],
    ['a date as a key', 'a: 1\n2001-12-14: 2', '/2001-12-14', '2:1'],
    ['__proto__', 'a: 1\n__proto__: {x: 1}', '/__proto__/x', '2:13'],
    ['an explicit key', '? a\n: b: 1\n', '/a/b', '2:3'],
    ['tags and anchors', 'a: !!map &x\n  b: !!str &y 1\n', '/a/b', '2:3'],
    ['two documents on a line', '{"a":1} {"b":2}', '', '1:1'],
    ['%YAML-like text', 'a: "%YAML"\nb: 1', '/b', '2:1'],
  ])('copes with %s', (_, content, pointer, expected) => {
    expect(at(content, pointer)).toBe(expected);
  });

  it('adds the column of a JSON value that begins inside a line', () => {
    expect(at('{"é":1} {"b":2}', '/b', 1)).toBe('1:10');
    expect(at('{"a":1}{"b":2}\n {"c":3,\n"d":4}', '/d', 2)).toBe('3:1');
  });

  const ALIASES = `base: &base
  image: nginx
  more: &more {deep: [1, 2]}
use: *base
list: [*base, *more]
merged:
  <<: *base
  own: 1
both:
  <<: [{a: 1}, *more]
`;

  it.each([
    ['the member that is an alias', '/use', '4:1'],
    ['where what is behind an alias is written', '/use/image', '2:3'],
    ['an item that is an alias', '/list/1', '5:15'],
    ['behind an item', '/list/1/deep/1', '3:26'],
    ['a member of its own beside a merge', '/merged/own', '8:3'],
    ['a merged member', '/merged/image', '2:3'],
    ['below a merged member', '/merged/more/deep', '3:16'],
    ['a member merged from a sequence', '/both/a', '10:9'],
    ['a member merged from an alias in a sequence', '/both/deep/0', '3:23'],
  ])('gives %s', (_, pointer, expected) => {
    expect(at(ALIASES, pointer)).toBe(expected);
  });

  it('places items of Lists, and what is given to them by their list', () => {
    const list = `apiVersion: v1
kind: PodList
items:
- metadata:
    name: a
- apiVersion: v1
  kind: List
  items:
    - {apiVersion: v1, kind: Pod, spec: {x: 1}}
`;
    expect(at(list, '/metadata/name', 0)).toBe('5:5');
    expect(at(list, '/kind', 0)).toBe('4:3');
    expect(at(list, '/spec/x', 1)).toBe('9:42');
    expect(at(list, '', 1)).toBe('9:7');
  });

  it('falls back to the first line of a document that the locator cannot read', () => {
    const merges = `a: 1\n---\n# c\nb: ${'{<<: '.repeat(2000)}{c: 1}${'}'.repeat(2000)}`;
    expect(at(merges, '/b/c', 1)).toBe('4:1');
  });

  it('has the whole file for a document that says no range', () => {
    const source = sourceOf('a: 1\nb: 2');
    const document = {
      json: Buffer.of(),
      value: null,
      id: undefined,
      file: 'f',
      line: 1,
      index: 0,
      pointer: '',
    };
    expect(locate(source, document, '/b')).toEqual({ file: 'f.yaml', line: 2, column: 1 });
  });

  // An attack: many findings among many siblings took a step for each pair of them.
  it('walks through siblings that are made once', () => {
    const root = treeOf('a: [n, n, n]\nb: 1');
    const list = root?.entries()[0]?.value;
    expect(root?.entries()).toBe(root?.entries());
    expect(list?.items()).toBe(list?.items());
    expect(list?.items()).toHaveLength(3);
  });
});
