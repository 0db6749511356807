// SPDX-License-Identifier: Apache-2.0
// What is read of a folder, a link, a pipe or a device: all that kubectl would read, or an error.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readManifests, readSource, readStream, writeWhole } from '../../cli/files.ts';
import type { Io } from '../../cli/io.ts';
import { EngineError } from '../../engine/error.ts';
import { expectThrown } from '../expect.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-files-'));
afterAll(() => rmSync(root, { recursive: true }));
let next = 0;
let folder = root;
beforeEach(() => {
  folder = join(root, String(next++));
  mkdirSync(folder);
});

const put = (path: string, text: string): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const io: Io = {
  out: () => undefined,
  err: () => undefined,
  stdin: () => readStream(Readable.from(['x'])),
  env: {},
  outIsTerminal: false,
  errIsTerminal: false,
  userId: undefined,
  homeDirectory: '',
  now: () => new Date(0),
  onStop: () => undefined,
};
const read = async (path = folder): Promise<readonly string[]> =>
  (await readManifests([path], io)).map(
    ({ name, bytes }) => `${relative(folder, name)}: ${Buffer.from(bytes)}`,
  );
async function refusal(run: () => Promise<unknown>): Promise<string> {
  const error = await run().catch((thrown: unknown) => thrown);
  if (!(error instanceof EngineError)) throw new Error('expected an EngineError', { cause: error });
  return `${error.code}: ${error.message.replace(folder, 'DIR')}`;
}

describe('a folder', () => {
  it('is read in order, links inside it too, each file once', async () => {
    put('b.yaml', 'b');
    put('a/c.yml', 'c');
    put('a/notes.txt', 'no');
    put('shared/base', 'base');
    symlinkSync('shared/base', join(folder, 'd.yaml'));
    symlinkSync('b.yaml', join(folder, 'e.yaml'));
    symlinkSync('a', join(folder, 'f'));
    symlinkSync('nothing', join(folder, 'g.txt'));
    expect(await read()).toEqual(['a/c.yml: c', 'b.yaml: b', 'd.yaml: base']);
  });

  it('that is a mounted ConfigMap is read once', async () => {
    put('..2026/a.yaml', 'a');
    symlinkSync('..2026', join(folder, '..data'));
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
    expect(await read()).toEqual(['..2026/a.yaml: a']);
  });

  it.each<[string, () => string, string]>([
    ['a file outside', () => join(root, 'outside.yaml'), 'x.yaml'],
    ['a folder outside', () => join(root, 'elsewhere'), 'x'],
    ['a file beside, whose path begins with its own', () => `${folder}-beside.yaml`, 'x.yaml'],
  ])('with a link to %s is an error, not less', async (_, target, name) => {
    put('a.yaml', 'a');
    put('../outside.yaml', 'b');
    put('../elsewhere/b.yaml', 'b');
    writeFileSync(`${folder}-beside.yaml`, 'b');
    symlinkSync(target(), join(folder, name));
    expect(await refusal(() => read())).toBe(
      `INPUT_UNREADABLE: cannot read "DIR/${name}": the link leads out of the folder`,
    );
  });

  it('with a link to nothing or to itself is an error', async () => {
    symlinkSync('nothing', join(folder, 'x.yaml'));
    expect(await refusal(() => read())).toBe(
      'INPUT_UNREADABLE: cannot read "DIR/x.yaml": no such file or folder',
    );
    rmSync(join(folder, 'x.yaml'));
    symlinkSync('x.yaml', join(folder, 'x.yaml'));
    expect(await refusal(() => read())).toBe('INPUT_UNREADABLE: cannot read "DIR/x.yaml": too many links');
  });

  it('with a pipe in it is an error, not a wait', async () => {
    spawnSync('mkfifo', [join(folder, 'x.yaml')]);
    expect(await refusal(() => read())).toBe('INPUT_UNREADABLE: cannot read "DIR/x.yaml": it is no file');
  });
});

describe('a pipe', () => {
  it('with a name is an error, not a wait', async () => {
    const pipe = join(folder, 'pipe');
    spawnSync('mkfifo', [pipe]);
    expect(await refusal(() => readManifests([pipe], io))).toBe(
      'INPUT_UNREADABLE: cannot read "DIR/pipe": it is a named pipe',
    );
  });

  it('that a shell opened is read', () => {
    const said = spawnSync(
      'bash',
      ['-c', `"$0" cli/launcher.cjs render <(printf 'a: 1\\n')`, process.execPath],
      { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
    );
    expect([said.status, said.stdout, said.stderr]).toEqual([0, 'a: 1\n', '']);
  });
});

describe('more than 8 MiB', () => {
  const five = (letter: string): string => letter.repeat(5 * 1024 * 1024);

  it('is read when it is asked for, as often as that is', async () => {
    put('a.yaml', five('a'));
    put('b.yaml', five('b'));
    put('c.yaml', 'c');
    const sources = await readManifests([folder], io);
    rmSync(join(folder, 'a.yaml'));
    const texts = [...sources, ...sources].map(({ bytes }) => Buffer.from(bytes).toString());
    expect(texts).toEqual([five('a'), five('b'), 'c', five('a'), five('b'), 'c']);
  });

  it('that changed while it was read is an error', async () => {
    put('a.yaml', five('a'));
    put('b.yaml', five('b'));
    put('c.yaml', 'c');
    const [, b, c] = await readManifests([folder], io);
    expect(b?.bytes.length).toBe(five('b').length);
    expect(c?.bytes.length).toBe(1);
    put('b.yaml', five('B'));
    expectThrown(
      () => b?.bytes,
      EngineError,
      'INPUT_UNREADABLE',
      `cannot read ${JSON.stringify(join(folder, 'b.yaml'))}: it changed while it was read`,
    );
  });

  it('is read whole, whatever its size', () => {
    const path = join(folder, 'a.yaml');
    for (const size of [0, 1, 4095, 4096, 4097, 300_000]) {
      writeFileSync(path, 'x'.repeat(size));
      expect(readSource(path).bytes).toEqual(Buffer.from('x'.repeat(size)));
    }
  });
});

describe('what has no end', () => {
  it('is refused: a device', async () => {
    expect(await refusal(() => read('/dev/zero'))).toBe(
      'INPUT_UNREADABLE: cannot read "/dev/zero": it is no file',
    );
    symlinkSync('/dev/zero', join(folder, 'x.yaml'));
    expect(await refusal(() => read(join(folder, 'x.yaml')))).toBe(
      'INPUT_UNREADABLE: cannot read "DIR/x.yaml": it is no file',
    );
  });

  it('is read no further than a file may be: standard input', async () => {
    let given = 0;
    function* endless(): Generator<Buffer> {
      for (;;) {
        given++;
        yield Buffer.alloc(1024 * 1024);
      }
    }
    expect(await refusal(() => readStream(Readable.from(endless())))).toBe(
      'INPUT_TOO_LARGE: "-" is larger than 32 MiB',
    );
    expect(given).toBeLessThan(64);
  });
});

describe('a file that is written whole', () => {
  const at = (name: string): string => join(folder, name);

  it('is there, and nothing beside it', () => {
    writeWhole(at('a'), 'text');
    writeWhole(at('b'), Buffer.from([0, 255]));
    expect(readdirSync(folder)).toEqual(['a', 'b']);
    expect([readFileSync(at('a'), 'utf8'), [...readFileSync(at('b'))]]).toEqual(['text', [0, 255]]);
  });

  it('keeps its mode and the link that leads to it', () => {
    put('a', 'old');
    chmodSync(at('a'), 0o600);
    symlinkSync('a', at('link'));
    writeWhole(at('link'), 'new');
    expect([readFileSync(at('a'), 'utf8'), statSync(at('a')).mode & 0o777]).toEqual(['new', 0o600]);
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
  });

  it('keeps a mode that the umask would not give', () => {
    put('a', 'old');
    chmodSync(at('a'), 0o666);
    writeWhole(at('a'), 'new');
    expect([readFileSync(at('a'), 'utf8'), statSync(at('a')).mode & 0o777]).toEqual(['new', 0o666]);
  });

  it('is made where links lead that lead to nothing yet, and they stay links', () => {
    mkdirSync(at('real/deep'), { recursive: true });
    symlinkSync('real/deep', at('folder'));
    symlinkSync('../made', at('real/deep/second'));
    symlinkSync('folder/second', at('first'));
    writeWhole(at('first'), 'new');
    expect(readFileSync(at('real/made'), 'utf8')).toBe('new');
    expect(['first', 'folder/second'].map((name) => lstatSync(at(name)).isSymbolicLink())).toEqual([
      true,
      true,
    ]);
    expect(readdirSync(folder)).toEqual(['first', 'folder', 'real']);
  });

  it.each([
    ['to a folder that is missing', 'none/b', 'ENOENT'],
    ['to itself', 'link', 'ELOOP'],
  ])('is not made by a link %s', (_, target, code) => {
    symlinkSync(target, at('link'));
    expect(() => writeWhole(at('link'), 'new')).toThrow(expect.objectContaining({ code }));
    expect(readdirSync(folder)).toEqual(['link']);
  });

  it('takes the place of no device', () => {
    expect(() => writeWhole('/dev/full', 'x')).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    writeWhole('/dev/null', 'x');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it.each([
    ['in a folder that is none', 'a/b', 'ENOTDIR'],
    ['in a folder that is missing', 'none/b', 'ENOENT'],
    ['whose name is too long for another beside it', 'n'.repeat(250), 'ENAMETOOLONG'],
    ['that is a folder', '.', 'EISDIR'],
  ])('%s is not written', (_, name, code) => {
    put('a', 'old');
    expect(() => writeWhole(at(name), 'new')).toThrow(expect.objectContaining({ code }));
    expect(readdirSync(folder)).toEqual(['a']);
    expect(readFileSync(at('a'), 'utf8')).toBe('old');
  });
});
