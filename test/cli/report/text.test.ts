// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { oneLine, visible } from '../../../cli/report/text.ts';

describe('foreign text', () => {
  it.each([
    ['an escape sequence', '\x1b[2Ka', '\\u001b[2Ka'],
    ['a carriage return', 'a\rb', '\\u000d'],
    ['a change of direction', 'a\u202eb', '\\u202e'],
    ['a workflow command', '::error::x', '\\u003a:error::x'],
    ['a workflow command behind space', '  ::error::x', '  \\u003a:error::x'],
    ['a workflow command of the old kind', 'a ##[error]x', 'a \\u0023#[error]x'],
    ['a pipeline command', 'a ##vso[task.complete]', 'a \\u0023#vso[task.complete]'],
  ])('shows %s', (_, text, shown) => {
    expect(visible(text)).toContain(shown);
    expect(oneLine(text)).toContain(shown);
  });

  it('stays as it is where nothing obeys it', () => {
    for (const text of ['a/b::c', '# a', 'ä ☃ 😀', 'a: b']) expect(oneLine(text)).toBe(text);
  });

  it('keeps its lines where lines are wanted, and no command begins one of them', () => {
    expect(visible('a\n::error::x\n\tb')).toBe('a\n\\u003a:error::x\n\tb');
    expect(oneLine('a\n::error::x\r\n\tb')).toBe('a\\n::error::x\\n b');
  });

  it('is one line, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(oneLine(text)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]|^\s*::|##\w*\[/u);
      }),
    );
  });
});
