// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { isTerminal, writeAll } from '../../../cli/report/descriptor.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-descriptor-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a descriptor', () => {
  it('is written to whole, in order, in UTF-8', () => {
    const file = join(folder, 'out');
    const descriptor = openSync(file, 'w');
    const long = 'ü😀\n'.repeat(200_000);
    writeAll(descriptor, long);
    writeAll(descriptor, '');
    writeAll(descriptor, 'end');
    closeSync(descriptor);
    expect(readFileSync(file, 'utf8')).toBe(`${long}end`);
  });

  it('that cannot be written to says so', () => {
    const descriptor = openSync(join(folder, 'out'), 'r');
    expect(() => writeAll(descriptor, 'x')).toThrow('EBADF');
    closeSync(descriptor);
  });

  it('is a terminal only where it is one', () => {
    const [file, nothing] = [openSync(join(folder, 'out'), 'r'), openSync('/dev/null', 'w')];
    expect([file, nothing].map(isTerminal)).toEqual([false, false]);
    for (const descriptor of [file, nothing]) closeSync(descriptor);
    expect(isTerminal(nothing)).toBe(false);
  });
});
