// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { EngineError, type Source } from '../../../engine/index.ts';
import { refuseUnstable, UNSTABLE, unstableFindings } from '../../../engine/render/stable.ts';
import { thrownBy } from '../../expect.ts';
import { frame } from './place.ts';

const config = (name: string, value: string): string =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: ${value}}\n`;
const source = (...texts: readonly string[]): Source => ({
  name: 'web',
  bytes: Buffer.from(texts.join('')),
  origins: [{ line: 1, file: 'web/templates/a.yaml' }],
});
const namesOf = (first: Source, second: Source): readonly string[] =>
  unstableFindings(first, second, frame.yaml).map(({ object }) => object.name);

describe('objects that are others each time', () => {
  it('are found by what they hold, wherever they stand', () => {
    const first = source(config('a', 'x'), config('b', 'one'), config('c', 'z'));
    expect(namesOf(first, source(config('c', 'z'), config('b', 'two'), config('a', 'x')))).toEqual(['b']);
    expect(namesOf(first, first)).toEqual([]);
    expect(
      namesOf(first, source('# another comment\n', config('a', 'x'), config('b', 'one'), config('c', 'z'))),
    ).toEqual([]);
  });

  it('are also those that are there only at times', () => {
    const first = source(config('a', 'x'));
    expect(namesOf(first, source(config('a', 'x'), config('b', 'y')))).toEqual(['b']);
    expect(namesOf(source(config('a', 'x'), config('b', 'y')), first)).toEqual(['b']);
    expect(namesOf(source(config('a', 'x'), config('a', 'x')), first)).toEqual(['a']);
  });

  it('are named with the template, and refuse a record', () => {
    const findings = unstableFindings(source(config('a', 'x')), source(config('a', 'y')), frame.yaml);
    const location = { file: 'web', line: 2, column: 1, source: 'web/templates/a.yaml' };
    expect(findings).toMatchObject([
      {
        rule: UNSTABLE,
        result: 'warn',
        object: { apiVersion: 'v1', kind: 'ConfigMap', name: 'a' },
        location,
      },
    ]);
    refuseUnstable([]);
    const error = thrownBy(() => refuseUnstable(findings));
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({
      code: 'RENDER_UNSTABLE',
      message: 'ConfigMap "a" is another each time it is rendered, so it cannot be recorded',
      location,
      problems: [],
    });
    expect(thrownBy(() => refuseUnstable([...findings, ...findings]))).toMatchObject({ problems: [{}, {}] });
  });

  it('are not looked for in what nobody can read', () => {
    expect(namesOf(source('a: [\n'), source(config('a', 'x')))).toEqual([]);
  });
});
