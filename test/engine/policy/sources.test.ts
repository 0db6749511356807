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

  it('are what stands in the folder, once: hidden folders and node_modules are not read', () => {
    put('a.rego', 'package a');
    put('.git/b.rego', 'package b');
    put('node_modules/c.rego', 'package c');
    symlinkSync(join(folder, 'a.rego'), join(folder, 'link.rego'));
    symlinkSync(folder, join(folder, 'loop'));
    symlinkSync('nothing', join(folder, 'nothing.txt'));
    expect(readRegoSources(folder).map(({ text }) => text)).toEqual(['package a']);
  });

  it('are those of a mounted ConfigMap, where all are links', () => {
    put('..2026_11_24/a.rego', 'package a');
    symlinkSync('..2026_11_24', join(folder, '..data'));
    symlinkSync('..data/a.rego', join(folder, 'a.rego'));
    expect(readRegoSources(folder)).toEqual([{ file: join(folder, 'a.rego'), text: 'package a' }]);
  });

  it.each<[string, () => string, string]>([
    ['a file outside', () => join(root, 'outside.rego'), 'x.rego'],
    ['a folder outside', () => join(root, 'elsewhere'), 'x'],
    ['a folder that is not read', () => join(folder, '.hidden'), 'x'],
    ['a file of the folder beside, whose name begins with its own', () => `${folder}-beside.rego`, 'x.rego'],
    ['nothing', () => join(root, 'nothing'), 'x.rego'],
    ['itself', () => 'x.rego', 'x.rego'],
    ['a device', () => '/dev/null', 'x.rego'],
  ])('are never less than what stands there: a link to %s is an error', (_, target, name) => {
    put('a.rego', 'package a');
    put('.hidden/b.rego', 'package b');
    put('../outside.rego', 'package b');
    put('../elsewhere/b.rego', 'package b');
    writeFileSync(`${folder}-beside.rego`, 'package b');
    symlinkSync(target(), join(folder, name));
    expectThrown(() => readRegoSources(folder), EngineError, 'POLICY_UNREADABLE');
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

  it('whose names are no text are POLICY_UNREADABLE', () => {
    try {
      writeFileSync(
        Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff]), Buffer.from('.rego')]),
        '',
      );
    } catch {
      return; // a system that has no such names
    }
    expectThrown(
      () => readRegoSources(folder),
      EngineError,
      'POLICY_UNREADABLE',
      `the name of ${JSON.stringify(join(folder, '\ufffd.rego'))} is not UTF-8`,
    );
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
