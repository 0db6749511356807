// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { readRegoSources, withoutTests } from '../../../engine/policy/sources.ts';
import { expectThrown, thrownBy } from '../../expect.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-sources-'));
let next = 0;
let folder = root;
beforeEach(() => {
  folder = join(root, String(next++));
  mkdirSync(folder);
});
afterAll(() => rmSync(root, { recursive: true }));

const put = (path: string, content: string | Uint8Array): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
};

describe('policy sources', () => {
  it('are the Rego files of a folder, recursively, ordered by path', () => {
    for (const path of ['b.rego', 'a/z.rego', 'a/b/c_test.rego', 'notes.md', 'a.json']) put(path, path);
    expect(readRegoSources(folder)).toEqual(
      ['a/b/c_test.rego', 'a/z.rego', 'b.rego'].map((path) => ({ file: join(folder, path), text: path })),
    );
    expect(withoutTests(readRegoSources(folder)).map(({ text }) => text)).toEqual(['a/z.rego', 'b.rego']);
  });

  it('are the one file that is named', () => {
    put('a.rego', 'package a');
    expect(readRegoSources(join(folder, 'a.rego'))).toEqual([
      { file: join(folder, 'a.rego'), text: 'package a' },
    ]);
  });

  it('are what stands in the folder: links, hidden folders and node_modules are not read', () => {
    put('a.rego', 'package a');
    put('.git/b.rego', 'package b');
    put('node_modules/c.rego', 'package c');
    symlinkSync(join(folder, 'a.rego'), join(folder, 'link.rego'));
    symlinkSync(folder, join(folder, 'loop'));
    expect(readRegoSources(folder).map(({ text }) => text)).toEqual(['package a']);
  });

  it.each([
    ['an empty folder', () => undefined, ''],
    ['a folder without Rego', () => put('a.yaml', ''), ''],
    ['a file of another kind', () => put('a.yaml', ''), 'a.yaml'],
  ])('in %s are none, and that is POLICY_EMPTY', (_, make, path) => {
    make();
    expectThrown(
      () => readRegoSources(join(folder, path)),
      EngineError,
      'POLICY_EMPTY',
      `no .rego file in ${JSON.stringify(join(folder, path))}`,
    );
  });

  it('that are not there are POLICY_UNREADABLE, with what to do', () => {
    expect(thrownBy(() => readRegoSources(join(folder, 'none')))).toMatchObject({
      code: 'POLICY_UNREADABLE',
      message: `cannot read policy ${JSON.stringify(join(folder, 'none'))}: no such file or folder`,
      hint: 'check the path given to --policy',
    });
    put('a.rego', '');
    expect(thrownBy(() => readRegoSources(join(folder, 'a.rego', 'b.rego')))).toMatchObject({
      code: 'POLICY_UNREADABLE',
      message: expect.stringMatching(/: ENOTDIR$/),
      hint: 'check that the file can be read by this user',
    });
    symlinkSync('self.rego', join(folder, 'self.rego'));
    expectThrown(() => readRegoSources(join(folder, 'self.rego')), EngineError, 'POLICY_UNREADABLE');
  });

  it('that are no text, or too large, are POLICY_UNREADABLE', () => {
    put('a.rego', Buffer.from([0x70, 0xff]));
    expectThrown(
      () => readRegoSources(folder),
      EngineError,
      'POLICY_UNREADABLE',
      `${JSON.stringify(join(folder, 'a.rego'))} is not UTF-8 text`,
    );
    put('a.rego', Buffer.alloc(4 * 1024 * 1024 + 1, 0x20));
    expectThrown(
      () => readRegoSources(folder),
      EngineError,
      'POLICY_UNREADABLE',
      `${JSON.stringify(join(folder, 'a.rego'))} is larger than 4 MiB`,
    );
  });
});
