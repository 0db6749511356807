// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/index.ts';
import { openReading } from '../../../engine/render/folder.ts';
import { expectThrown, thrownBy } from '../../expect.ts';
import { makePlace, type Place } from './place.ts';

const places: Place[] = [];
const place = (files: Readonly<Record<string, string>> = {}): Place => {
  const made = makePlace(files);
  places.push(made);
  return made;
};
afterEach(() => {
  for (const made of places.splice(0)) made.remove();
});

describe('reading a folder', () => {
  it('gives files by name, folder after folder, as Helm walks', () => {
    const { folder } = place({
      '.git/config': 'x',
      'b.yaml': 'b',
      'a/z.yaml': 'z',
      'a.yaml': 'a',
      'a/b/c.yaml': 'c',
    });
    const parts = openReading(folder).folder(folder);
    expect(parts.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()])).toEqual([
      ['a/b/c.yaml', 'c'],
      ['a/z.yaml', 'z'],
      ['a.yaml', 'a'],
      ['b.yaml', 'b'],
    ]);
  });

  it('follows links that stay inside and refuses those that leave', () => {
    const made = place({ 'in/a.yaml': 'a', 'out.yaml': 'secret' });
    symlinkSync('a.yaml', made.path('in/link.yaml'));
    const reading = openReading(made.path('in'));
    expect(reading.folder(made.path('in')).map(({ path }) => path)).toEqual(['a.yaml', 'link.yaml']);
    symlinkSync('../out.yaml', made.path('in/leaves.yaml'));
    expectThrown(() => reading.folder(made.path('in')), EngineError, 'INPUT_UNREADABLE');
    expect(thrownBy(() => reading.file(made.path('in/leaves.yaml')))).toMatchObject({
      code: 'INPUT_UNREADABLE',
      message: expect.stringContaining('it leads out of the folder that may be read'),
      hint: expect.stringContaining('--root'),
    });
  });

  it('refuses links in a circle and links to nothing', () => {
    const made = place({ 'a/b/c.yaml': 'c' });
    symlinkSync('..', made.path('a/b/up'));
    expect(thrownBy(() => openReading(made.folder).folder(made.folder))).toMatchObject({
      code: 'INPUT_UNREADABLE',
      message: expect.stringContaining('its links lead in a circle'),
    });
    const other = place();
    symlinkSync('nothing', other.path('dead.yaml'));
    expectThrown(() => openReading(other.folder).folder(other.folder), EngineError, 'INPUT_UNREADABLE');
  });

  it('refuses a pipe without waiting for a writer', () => {
    const made = place({ 'a.yaml': 'a' });
    execFileSync('mkfifo', [made.path('pipe.yaml')]);
    const reading = openReading(made.folder);
    expectThrown(() => reading.folder(made.folder), EngineError, 'INPUT_UNREADABLE');
    expect(thrownBy(() => reading.file(made.path('pipe.yaml')))).toMatchObject({
      code: 'INPUT_UNREADABLE',
      message: expect.stringContaining('it is no file'),
    });
  });

  it('refuses a folder with 100,000 files', () => {
    const made = place();
    mkdirSync(made.path('many'));
    for (let index = 0; index < 100_000; index++) writeFileSync(join(made.path('many'), `${index}.yaml`), '');
    expect(thrownBy(() => openReading(made.folder).folder(made.folder))).toMatchObject({
      code: 'INPUT_TOO_LARGE',
      message: expect.stringContaining('more than 10000 files'),
    });
  }, 120_000);

  it('refuses more than 64 MiB of all files together', () => {
    const made = place({ 'a.bin': '', 'b.bin': '' });
    truncateSync(made.path('a.bin'), 40 * 1024 * 1024);
    truncateSync(made.path('b.bin'), 40 * 1024 * 1024);
    expect(thrownBy(() => openReading(made.folder).folder(made.folder))).toMatchObject({
      code: 'INPUT_TOO_LARGE',
      message: expect.stringContaining('more than 64 MiB'),
    });
  });

  it('refuses a file that changes while it is read', async () => {
    const made = place();
    writeFileSync(made.path('log.yaml'), Buffer.alloc(8 * 1024 * 1024, 'a'));
    const writer = `const fs = require('fs'); const end = Date.now() + 20000;
      console.log('on'); while (Date.now() < end) fs.appendFileSync(${JSON.stringify(made.path('log.yaml'))}, 'a');`;
    const { spawn } = await import('node:child_process');
    const child = spawn(process.execPath, ['-e', writer]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const attempts = (): unknown => {
      // One reading may fall between two writes.
      for (let attempt = 0; attempt < 20; attempt++) openReading(made.folder).file(made.path('log.yaml'));
      return undefined;
    };
    expect(thrownBy(attempts)).toMatchObject({
      code: 'INPUT_UNREADABLE',
      message: expect.stringContaining('it changed while it was read'),
      hint: 'try again once nobody writes to it',
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    appendFileSync(made.path('log.yaml'), 'whole again');
    expect(openReading(made.folder).file(made.path('log.yaml')).length).toBeGreaterThan(8 * 1024 * 1024);
  }, 60_000);
});
