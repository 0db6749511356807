// SPDX-License-Identifier: Apache-2.0
// Golden cases: a folder holds `argv` (one argument a line; DIR is the folder) and what the command line must print and end
// with: `out`, `err`, `exit`. A closed world: a file that is missing or too many fails. UPDATE_GOLDEN=1 writes them anew.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { countersign } from './world.ts';

const FOLDER = relative(process.cwd(), join(import.meta.dirname, 'golden'));
const EXPECTED = ['err', 'exit', 'out'];
const cases = readdirSync(FOLDER).sort();

/** Ids, how long something took, and the digests of the shipped policies, which every change of a rule changes. */
const settle = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/\(\d+\.\d ms\)/g, '(N ms)')
    .replace(/ time="\d+\.\d+"/g, ' time="N"')
    .replace(/"durationNs": \d+/g, '"durationNs": 0')
    .replace(/"(digest|sources)": "[0-9a-f]{64}"/g, '"$1": "SHA-256"');

describe('the command line', () => {
  it('has cases', () => {
    expect(cases.length).toBeGreaterThan(15);
  });

  it.each(cases)(
    '%s',
    async (name) => {
      const folder = join(FOLDER, name);
      const argv = readFileSync(join(folder, 'argv'), 'utf8').split('\n').filter(Boolean);
      const stdin = existsSync(join(folder, 'stdin')) ? readFileSync(join(folder, 'stdin'), 'utf8') : '';
      const { exit, out, err } = await countersign(
        argv.map((argument) => argument.replace('DIR', folder)),
        { input: stdin },
      );
      const is = { err: settle(err), exit: `${exit}\n`, out: settle(out) };
      if (process.env['UPDATE_GOLDEN'] === '1') {
        for (const [file, text] of Object.entries(is)) writeFileSync(join(folder, file), text);
      }
      expect(
        readdirSync(folder)
          .filter((file) => EXPECTED.includes(file))
          .sort(),
      ).toEqual(EXPECTED);
      expect(is).toEqual(
        Object.fromEntries(EXPECTED.map((file) => [file, readFileSync(join(folder, file), 'utf8')])),
      );
      const known = new Set([
        ...EXPECTED,
        'argv',
        'stdin',
        'in',
        'policy',
        'policy.rego',
        'countersign.yaml',
        'key.pem',
        'state',
        'data.json',
        'parameters.json',
        'schema.json',
      ]);
      expect(readdirSync(folder).filter((file) => !known.has(file))).toEqual([]);
    },
    120_000,
  );
});
