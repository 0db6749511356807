// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { locate, readDocuments } from '../../../engine/manifest/index.ts';
import { read, reader, sourceOf } from './reader.ts';

/** Strings are whole Unicode without lone surrogates and NUL, which are refused; keys are not `<<`, which YAML 1.1 merges. */
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.includes('\0'));
const { json } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constant(null),
    fc.boolean(),
    text,
    fc.integer(),
    fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 })
      .map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.constantFrom(
      'yes',
      'No',
      'on',
      '0o17',
      '0644',
      '1_000',
      '1:30',
      '~',
      '.inf',
      '2001-12-14',
      '<<',
      '=',
      '- a',
      'a: b',
      '#',
    ),
  ),
  object: fc.dictionary(text, tie('json'), { maxKeys: 4 }),
  json: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('object'), fc.array(tie('json'), { maxLength: 4 })),
}));

const isKept = (value: unknown): boolean =>
  value !== null && !(typeof value === 'object' && 'items' in value);

/** npm yaml writes some control characters plainly, which Kubernetes' reader refuses: refused is not read differently. */
const isWritable = (value: unknown): boolean => !/[\p{Cc}\ufeff\ufffe\uffff]/u.test(JSON.stringify(value));

describe('any JSON', () => {
  it('comes back equal from JSON text', () => {
    fc.assert(
      fc.property(json.filter(isKept), (value) => {
        expect(read(`{"v": ${JSON.stringify(value)}}`)[0]?.value).toEqual({ v: value });
      }),
      { numRuns: 500 },
    );
  });

  it('comes back equal from YAML', () => {
    fc.assert(
      fc.property(json.filter(isKept).filter(isWritable), (value) => {
        const content = stringify({ v: value }, { version: '1.1', compat: 'core', lineWidth: 0 });
        expect(read(content)[0]?.value).toEqual({ v: value });
      }),
      { numRuns: 500 },
    );
  });

  it('is located where it is written', () => {
    fc.assert(
      fc.property(json.filter(isKept), text, (value, key) => {
        const source = sourceOf(JSON.stringify({ a: value, [`k${key}`]: 1 }, null, 1));
        const [document] = readDocuments([source], reader);
        const pointer = `/k${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const { line, column } = locate(source, document ?? raise(), pointer);
        const written = new TextDecoder().decode(source.bytes).split('\n')[line - 1];
        expect(written?.slice(column - 1)).toBe(`${JSON.stringify(`k${key}`)}: 1`);
      }),
      { numRuns: 300 },
    );
  });

  it('never breaks the process, whatever the text', () => {
    const pieces = [
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '*a',
      '&a ',
      '|\n',
      '"',
      "'",
      '---\n',
      '? ',
      '<<: ',
      '#',
      '\t',
      '\r\n',
      '!!str ',
      ',',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => {
        const source = sourceOf(parts.join(''));
        try {
          for (const document of readDocuments([source], reader)) {
            const { line, column } = locate(source, document, '/a/0/a');
            expect([line >= 1, column >= 1]).toEqual([true, true]);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^INPUT_/) });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function raise(): never {
  throw new Error('no document');
}
