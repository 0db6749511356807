// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { openYamlReader, YamlError } from '../../../engine/toolchain/yaml.ts';
import { expectThrown, thrownBy } from '../../expect.ts';

const BUILT = join(import.meta.dirname, '../../../engine/toolchain/built');
const reader = openYamlReader(BUILT);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const sections = (text: string) =>
  reader
    .read(bytesOf(text))
    .map(({ json, startLine, start, end }) => [new TextDecoder().decode(json), startLine, start, end]);

describe('the reader', () => {
  it('gives each document with its first line and its bytes', () => {
    expect(sections('# x\n---\n\n# c\na: 1\n--- # d\nb: 2\r\n---\nnull\n---\nc: 3')).toEqual([
      ['{"a":1}', 5, 8, 18],
      ['{"b":2}', 7, 26, 32],
      ['{"c":3}', 11, 45, 49],
    ]);
    expect(sections('{"a":1}\n\n {"b":2} 3')).toEqual([
      ['{"a":1}', 1, 0, 7],
      ['{"b":2}', 3, 10, 17],
      ['3', 3, 18, 19],
    ]);
  });

  it('gives nothing for nothing', () => {
    expect(sections('')).toEqual([]);
    expect(sections('\n# c\n---\n~\n')).toEqual([]);
  });

  it('is deterministic in the order of keys', () => {
    const keys = Array.from({ length: 50 }, (_, index) => `k${(index * 37) % 50}`);
    const [first] = sections(keys.map((key) => `${key}: 1\n`).join(''));
    expect(first?.[0]).toBe(
      `{${[...keys]
        .sort()
        .map((key) => `"${key}":1`)
        .join()}}`,
    );
  });

  it('keeps an answer when it reads the next file', () => {
    const [first] = reader.read(bytesOf('a: first'));
    reader.read(bytesOf('a: other'));
    expect(new TextDecoder().decode(first?.json)).toBe('{"a":"first"}');
  });

  it('names the file, code, line and column of every fault', () => {
    const error = thrownBy(() => reader.read(bytesOf('a: 1\n---\nb: 1\n  c: 2\n---\nd: *x\n'), 'x.yaml'));
    expect(error).toBeInstanceOf(YamlError);
    expect(error).toMatchObject({
      code: 'INPUT_SYNTAX',
      message: 'mapping values are not allowed in this context',
      location: { file: 'x.yaml', line: 4, column: 3 },
      problems: [
        { code: 'INPUT_SYNTAX', location: { file: 'x.yaml', line: 4, column: 3 } },
        {
          code: 'INPUT_SYNTAX',
          message: 'an alias names an anchor that is not there',
          location: { file: 'x.yaml', line: 6, column: 1 },
        },
      ],
      faults: [
        { start: 9, end: 21 },
        { start: 25, end: 31 },
      ],
    });
  });

  it('stops after 100 faults', () => {
    const error = thrownBy(() => reader.read(bytesOf('a: *x\n---\n'.repeat(1000))));
    expect(error instanceof YamlError && error.faults).toHaveLength(100);
  });

  it('bounds what aliases make of a file', () => {
    const bomb = `a: &a ${JSON.stringify('x'.repeat(20_000))}\nb: &b [${Array(90).fill('*a').join()}]\n`;
    expectThrown(() => reader.read(bytesOf(`${bomb}---\n`.repeat(100))), YamlError, 'INPUT_TOO_LARGE');
  });

  it('starts again after a crash', () => {
    expectThrown(
      () => reader.read(bytesOf(`${'- '.repeat(9000)}x`)),
      YamlError,
      'INPUT_TOO_DEEP',
      'nested deeper than 100 levels',
    );
    expect(sections('a: 1')).toHaveLength(1);
  });

  it('starts with the first read, and says when the program is missing', () => {
    const missing = openYamlReader(join(BUILT, 'nowhere'));
    expectThrown(() => missing.read(bytesOf('a: 1')), EngineError, 'TOOLCHAIN_FAILED');
  });
});
