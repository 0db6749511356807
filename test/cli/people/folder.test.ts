// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { statementFiles } from '../../../cli/inputs/statements.ts';
import { EngineError } from '../../../engine/index.ts';
import { expectThrown } from '../../expect.ts';
import { objectOf, shopOf } from './shop.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-folder-'));
const here = shopOf();
afterAll(() => {
  rmSync(root, { recursive: true });
  rmSync(here.folder, { recursive: true });
});

/** A folder of these files, links by `->`. */
function folderOf(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(root, name);
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    if (text.startsWith('->')) symlinkSync(text.slice(2), file);
    else writeFileSync(file, text);
  }
  return folder;
}

const namesIn = (folder: string): readonly string[] =>
  statementFiles(folder, true).map(({ name }) => name.slice(folder.length + 1));

describe('a folder of statements', () => {
  it('is read with what is in folders in it, whatever the case of a name, hidden or named otherwise', () => {
    const folder = folderOf('deep', {
      'a.json': '{}',
      'B.JSON': 'no JSON',
      '.hidden.json': '{}',
      'lock.json.bak': ' \n{"payload": ""}',
      'rev.txt': `${' '.repeat(80)}{"payload": ""}`,
      'marked.txt': `\ufeff${'\n\t'.repeat(500)}{}`,
      'blank.txt': ' '.repeat(500),
      '2026/11/c.Json': '{}',
      '.secret/d.json': '{}',
      'README.md': '# what is here\n',
      '.gitkeep': '',
      '.git/e.json': '{}',
    });
    expect(namesIn(folder)).toEqual([
      '.hidden.json',
      '.secret/d.json',
      '2026/11/c.Json',
      'B.JSON',
      'a.json',
      'lock.json.bak',
      'marked.txt',
      'rev.txt',
    ]);
  });

  it('is that of a mounted ConfigMap, once', () => {
    const folder = folderOf('mounted', {
      '..2026/lock.json': '{}',
      '..data': '->..2026',
      'lock.json': '->..data/lock.json',
    });
    expect(namesIn(folder)).toEqual(['..2026/lock.json']);
  });

  it.each([
    ['leads out of the folder', { 'lock.json': '->../deep/a.json' }],
    ['leads out of the folder', { year: '->../deep' }],
    ['leads to what is below .git', { '.git/hidden/lock.json': '{}', year: '->.git/hidden' }],
    ['leads to what is below .git', { '.git/lock.json': '{}', 'years/now': '->../.git' }],
    ['ENOENT', { 'lock.json': '->nowhere.json' }],
  ])('is an error where a link %s', (reason, files) => {
    const folder = folderOf(`linked-${JSON.stringify(files).length}`, files);
    expectThrown(() => statementFiles(folder, true), EngineError, 'INPUT_UNREADABLE');
    expect(() => statementFiles(folder, true)).toThrow(reason);
  });

  it('holds back by a lock in a folder of its own', async () => {
    mkdirSync(here.path('signed/2026'));
    const argv = ['lock', here.path('deploy'), '--objects', '--release', '1', '--env', 'production'];
    const locked = await here.as('alice', [...argv, '--out', here.path('signed/2026/Lock.JSON')]);
    expect(locked).toMatchObject({ exit: 0, err: '' });
    here.put('deploy/web.yaml', objectOf('web').replace('false', 'null'));
    const denied = await here.run(['check', here.path('deploy'), '--env', 'production']);
    expect(denied.exit).toBe(1);
    expect(denied.out).toContain('lock.changed');
  });
});
