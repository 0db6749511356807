// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../cli/exit.ts';
import { parseTargets } from '../../../cli/report/report.ts';
import { thrownBy } from '../../expect.ts';

describe('the formats', () => {
  it('have a file each: the last would overwrite the others', () => {
    for (const files of [
      ['json=x', 'sarif=x'],
      ['json=x', 'text', 'sarif=./x'],
    ])
      expect(thrownBy(() => parseTargets(files))).toBeInstanceOf(UsageError);
    expect(parseTargets(['json=x', 'sarif=y', 'text'])).toEqual([
      { format: 'json', file: 'x' },
      { format: 'sarif', file: 'y' },
      { format: 'text' },
    ]);
  });
});
