// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { TwinError } from '../../../engine/rego/builtins/index.ts';
import { sprintf } from '../../../engine/rego/sprintf/index.ts';

import { expectThrown } from '../../expect.ts';

/** What OPA's own builtin answers; made by vectors/main.go from a seed. */
interface Vector {
  readonly f: string;
  readonly v: string;
  readonly r: string;
}

const VECTORS: readonly Vector[] = readFileSync(join(import.meta.dirname, 'vectors/sprintf.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** The answer, or why there is none, so that one comparison shows every difference. */
function answer(format: string, values: string): string {
  try {
    return sprintf(JSON.stringify(format), values);
  } catch (error) {
    return `refused: ${String(error)}`;
  }
}

describe('sprintf', () => {
  it('answers as OPA does, on every generated call', () => {
    expect(VECTORS.length).toBeGreaterThan(3_000);
    const different = VECTORS.map(({ f, v, r }) => ({ f, v, r, ours: answer(f, v) })).filter(
      ({ r, ours }) => r !== ours,
    );
    expect(different).toEqual([]);
  });

  it.each([
    ['a width', '"%1001d"', '[1]', 'a width or precision is more than 1000: 1001'],
    ['a precision', '"%.1001f"', '[1.5]', 'a width or precision is more than 1000: 1001'],
    ['a width that is an argument', '"%*d"', '[1001, 1]', 'a width or precision is more than 1000: 1001'],
    ['a width as long as a number can be', `"%${'9'.repeat(400)}d"`, '[1]', 'a width or precision is more'],
    [
      'the output',
      JSON.stringify('%1000d'.repeat(1_100)),
      `[${Array(1_100).fill('1').join(',')}]`,
      'the result is longer than 1048576',
    ],
    ['an address', '"%p"', '[18446744073709551616]', '%p is not for an integer of this size'],
  ])('refuses %s', (_name, format, values, message) => {
    expect(() => sprintf(format, values)).toThrow(new RegExp(message.replace(/[%.]/g, '\\$&')));
    expect(() => sprintf(format, values)).toThrow(RangeError);
  });

  it.each([
    ['a format of another type', '1', '[]', 'operand 1 must be string but got number'],
    ['values of another type', '"%d"', '"a"', 'operand 2 must be array but got string'],
  ])('fails as OPA does for %s', (_name, format, values, message) => {
    expectThrown(() => sprintf(format, values), TwinError, 'eval_type_error', message);
  });
});
