// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import {
  ENTRYPOINT_PACKAGE,
  entrypointOf,
  entrypointSource,
  stylesOf,
} from '../../../engine/policy/entrypoint.ts';
import type { Entry, Style } from '../../../engine/policy/rule.ts';

const entry = (style: Style, key: string, parameters?: unknown): Entry => ({
  key,
  path: key.split('/').flatMap((part) => part.split('.')),
  effect: 'fail',
  rule: {
    code: key,
    style,
    title: key,
    severity: 'low',
    controls: [],
    ...(parameters === undefined ? {} : { parameters }),
  },
});

describe('the generated entrypoint', () => {
  it('returns every result but the empty set, by style and key', () => {
    expect(entrypointSource([entry('conftest', 'main/deny'), entry('native', 'a.b/deny', {})])).toEqual({
      file: '<countersign entrypoint>',
      text: [
        'package countersign.entrypoint',
        'import rego.v1',
        'conftest["main/deny"] := value if {\n\tvalue := data["main"]["deny"]\n\tvalue != set()\n}',
        'native["a.b/deny"] := value if {\n\tvalue := data["a"]["b"]["deny"] with input.parameters as data["countersign"]["parameters"]["a.b/deny"]\n\tvalue != set()\n}',
      ].join('\n\n'),
    });
  });

  it('quotes names: none of them is read as Rego', () => {
    const { text } = entrypointSource([entry('conftest', 'a"] := set()\n#/deny')]);
    expect(text.split('\n').slice(4)).toEqual([
      'conftest["a\\"] := set()\\n#/deny"] := value if {',
      '\tvalue := data["a\\"] := set()\\n#"]["deny"]',
      '\tvalue != set()',
      '}',
    ]);
  });

  it('is called by package and style', () => {
    expect(ENTRYPOINT_PACKAGE).toBe('countersign.entrypoint');
    expect(entrypointOf('native')).toBe('countersign/entrypoint/native');
  });

  it('has the styles of its entries, in a fixed order', () => {
    expect(stylesOf([entry('conftest', 'a/deny'), entry('native', 'b/deny')])).toEqual([
      'native',
      'conftest',
    ]);
    expect(stylesOf([entry('conftest', 'a/deny')])).toEqual(['conftest']);
    expect(stylesOf([])).toEqual([]);
  });
});
