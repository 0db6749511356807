// SPDX-License-Identifier: Apache-2.0
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ARCHIVE_LIMITS,
  type ArchiveFile,
  readArchive,
  readTar,
  writeArchive,
} from '../../../engine/archive/index.ts';
import { EngineError } from '../../../engine/error.ts';
import { expectThrown, thrownBy } from '../../expect.ts';
import { END, member, pax, tar } from './tar.ts';

const read = (...blocks: Uint8Array[]) => readTar(tar(...blocks), 'x');
const paths = (files: readonly ArchiveFile[]) => files.map(({ path }) => path);
const CODES = new Set(['BUNDLE_ARCHIVE', 'BUNDLE_ENTRY', 'BUNDLE_TOO_LARGE']);

describe('what an archive may hold', () => {
  it('reads files in order, and steps over folders', () => {
    const files = read(
      member('a/', '', { type: '5' }),
      member('a/b.rego', 'one'),
      member('./c', 'two'),
      member('/d', ''),
    );
    expect(files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()])).toEqual([
      ['a/b.rego', 'one'],
      ['c', 'two'],
      ['d', ''],
    ]);
  });

  it('reads long names of pax and of GNU, and the prefix of ustar', () => {
    const long = `${'d'.repeat(90)}/${'f'.repeat(90)}`;
    const gnu = member('././@LongLink', `${long}2\0`, { type: 'L', magic: 'ustar  \0' });
    expect(
      paths(
        read(
          pax({ path: `${long}1`, mtime: '1.5', 'SCHILY.xattr.user.x': 'y' }),
          member('cut', ''),
          gnu,
          member('cut', '', { magic: 'ustar  \0' }),
          member('f', '', { prefix: 'p/q' }),
        ),
      ),
    ).toEqual([`${long}1`, `${long}2`, 'p/q/f']);
  });

  it('takes the comment of Git archives and sizes of pax', () => {
    const files = read(pax({ comment: 'abc' }, 'g'), pax({ size: '3' }), member('a', 'xyz', { size: 0 }));
    expect(files.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['xyz']);
  });

  it.each([
    ['..', '../x'],
    ['.. inside', 'a/../x'],
    ['.. alone', '..'],
    ['absolute beyond the slash of OPA', '//x'],
    ['absolute behind a dot', './/x'],
    ['a drive', 'C:/x'],
    ['a backslash', 'a\\b'],
    ['an empty part', 'a//b'],
    ['a dot inside', 'a/./b'],
    ['a line feed', 'a\nb'],
    ['no name', './'],
    ['a folder as a file', 'a/'],
    ['a name too long', 'a'.repeat(1025)],
  ])('refuses a path: %s', (_, path) => {
    expectThrown(() => read(pax({ path }), member('m', '')), EngineError, 'BUNDLE_ENTRY');
  });

  it('refuses zero bytes and broken UTF-8 in names', () => {
    expectThrown(() => read(pax({ path: 'a\0b' }), member('m', '')), EngineError, 'BUNDLE_ENTRY');
    expectThrown(() => read(member(Buffer.from([0xff, 0x41]), '')), EngineError, 'BUNDLE_ARCHIVE');
  });

  it.each(['1', '2', '3', '4', '6', '7', 'K', 'S', 'M', 'V', 'D', 'A', '9'])(
    'refuses the kind %s',
    (type) => {
      expectThrown(() => read(member('a', '', { type, link: '/etc/passwd' })), EngineError, 'BUNDLE_ENTRY');
    },
  );

  it.each<[string, Uint8Array[]]>([
    ['a file twice', [member('a', '1'), member('a', '2')]],
    ['a file twice, spelt differently', [member('a', '1'), member('./a', '2')]],
    ['a file twice, as OPA spells it', [member('a', '1'), member('/a', '2')]],
    ['a file that is a folder', [member('a/b', ''), member('a', '')]],
    ['a folder that is a file', [member('a', ''), member('a/b', '')]],
    ['a folder entry that is a file', [member('a', ''), member('a/', '', { type: '5' })]],
    ['a link by pax', [pax({ linkpath: '/etc/passwd' }), member('a', '')]],
    ['a sparse file by pax', [pax({ 'GNU.sparse.major': '1' }), member('a', '')]],
    ['another charset', [pax({ hdrcharset: 'BINARY' }), member('a', '')]],
    ['a global path', [pax({ path: 'b' }, 'g'), member('a', '')]],
    [
      'a pax key twice',
      [
        pax([
          ['path', 'a'],
          ['path', 'b'],
        ]),
        member('m', ''),
      ],
    ],
    ['a pax record that lies', [member('x', '99 path=a\n', { type: 'x' }), member('m', '')]],
    ['a negative pax size', [pax({ size: '-1' }), member('m', '')]],
    ['an extended header of 1 MiB', [member('x', 'a'.repeat(1024 * 1024), { type: 'x' }), member('m', '')]],
  ])('refuses %s', (_, blocks) => {
    expectThrown(() => read(...blocks), EngineError, 'BUNDLE_ENTRY');
  });
});

describe('damage', () => {
  const whole = tar(member('a', 'hello'), member('b', 'x'.repeat(600)));

  it('refuses every length but the whole', () => {
    for (let length = 0; length < whole.length; length += 128)
      expectThrown(() => readTar(whole.subarray(0, length), 'x'), EngineError, 'BUNDLE_ARCHIVE');
    expect(paths(readTar(whole, 'x'))).toEqual(['a', 'b']);
    expect(paths(readTar(Buffer.concat([whole, Buffer.alloc(9_000)]), 'x'))).toEqual(['a', 'b']);
  });

  it.each<[string, () => Uint8Array]>([
    ['a wrong checksum', () => tar(member('a', '', { checksum: '0001234' }))],
    ['no magic', () => tar(member('a', '', { magic: '\0'.repeat(8) }))],
    [
      'a binary size',
      () => tar(member('a', '', { rawSize: Buffer.from('800000000000000000000001', 'hex') })),
    ],
    ['a negative size', () => tar(member('a', '', { rawSize: Buffer.from('-0000000001\0') }))],
    ['a folder with content', () => tar(member('a/', 'x', { type: '5' }))],
    ['bytes after the end', () => Buffer.concat([whole, Buffer.alloc(512), member('c', '')])],
    [
      'one block of zeros, then more',
      () => Buffer.concat([member('a', ''), Buffer.alloc(512), member('b', ''), END]),
    ],
    ['an extended header and nothing', () => tar(pax({ path: 'a' }))],
    ['two long names', () => tar(pax({ path: 'a' }), pax({ path: 'b' }), member('m', ''))],
    ['nothing', () => Buffer.alloc(0)],
  ])('refuses %s', (_, make) => {
    expectThrown(() => readTar(make(), 'x'), EngineError, 'BUNDLE_ARCHIVE');
  });

  it('refuses gzip that is cut, changed, longer than it says, or none', () => {
    const packed = gzipSync(whole);
    const changed = Buffer.from(packed);
    changed.writeUInt32LE(1, changed.length - 8);
    const all = [
      packed.subarray(0, -1),
      packed.subarray(0, 40),
      changed,
      whole,
      Buffer.from('not gzip'),
      Buffer.alloc(0),
    ];
    const trailing = [Buffer.concat([packed, Buffer.from('x')]), Buffer.concat([packed, Buffer.alloc(4)])];
    for (const bytes of [...all, ...trailing])
      expectThrown(() => readArchive(bytes, 'x'), EngineError, 'BUNDLE_ARCHIVE');
  });
});

describe('limits', () => {
  const MIB = 1024 * 1024;

  it('refuses a bomb by its ratio before it is unpacked', () => {
    const bomb = gzipSync(Buffer.alloc(32 * MIB));
    expectThrown(() => readArchive(bomb, 'x'), EngineError, 'BUNDLE_TOO_LARGE');
  });

  it('refuses more than 64 MiB, packed or unpacked', () => {
    const limits = { ...ARCHIVE_LIMITS, maxBytes: 4096, maxRatio: 1e9 };
    const large = gzipSync(tar(member('a', 'x'.repeat(5000))));
    expectThrown(() => readArchive(large, 'x', limits), EngineError, 'BUNDLE_TOO_LARGE');
    expectThrown(() => readArchive(Buffer.alloc(64 * MIB + 1), 'x'), EngineError, 'BUNDLE_TOO_LARGE');
  });

  it('refuses more than 10,000 entries, folders and long names counted', () => {
    const folder = member('a/', '', { type: '5' });
    expect(read(...Array<Uint8Array>(10_000).fill(folder))).toEqual([]);
    expectThrown(() => read(...Array<Uint8Array>(10_001).fill(folder)), EngineError, 'BUNDLE_TOO_LARGE');
  });

  it('bears the padding of a small archive', () => {
    const padded = gzipSync(Buffer.concat([tar(member('a', 'b')), Buffer.alloc(20_480)]), { level: 9 });
    expect(paths(readArchive(padded, 'x'))).toEqual(['a']);
  });
});

const segment = fc.stringMatching(/^[a-z0-9_.-]{1,120}$/).filter((text) => !/^\.{1,2}$/.test(text));
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const files = fc
  .uniqueArray(fc.record({ path, bytes: fc.uint8Array({ maxLength: 1500 }) }), {
    selector: (file) => file.path,
    maxLength: 12,
  })
  .filter((all) => !all.some((a) => all.some((b) => b.path.startsWith(`${a.path}/`))));

describe('properties', () => {
  it('what is written is read, and the same files give the same bytes in any order', () => {
    fc.assert(
      fc.property(files, (all) => {
        const archive = writeArchive(all, 'x');
        expect(writeArchive([...all].reverse(), 'x')).toEqual(archive);
        const found = readArchive(archive, 'x').map((file) => [file.path, [...file.bytes]] as const);
        expect(new Map(found)).toEqual(new Map(all.map((file) => [file.path, [...file.bytes]])));
        expect(found.map(([name]) => name)).toEqual(
          all.map((file) => file.path).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('a changed byte or a cut never crashes and never leaves the codes', () => {
    const whole = tar(
      pax({ path: 'long/name' }),
      member('m', 'text'),
      member('a/b', 'more'),
      member('c', '{}'),
    );
    const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255), cut: fc.nat(whole.length) });
    fc.assert(
      fc.property(change, ({ at, to, cut }) => {
        const changed = Buffer.from(whole);
        changed[at] = to;
        for (const bytes of [changed, whole.subarray(0, cut)]) {
          try {
            for (const file of readTar(bytes, 'x')) expect(file.path).not.toMatch(/(^|\/)\.\.(\/|$)|^\//);
          } catch (error) {
            expect(error).toBeInstanceOf(EngineError);
            expect(CODES.has(error instanceof EngineError ? error.code : '')).toBe(true);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('arbitrary bytes are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        expect(thrownBy(() => readArchive(bytes, 'x'))).toBeInstanceOf(EngineError);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves no time and no system in the header', () => {
    const archive = Buffer.from(writeArchive([{ path: 'a', bytes: Buffer.from('b') }], 'x'));
    expect(archive.subarray(0, 10).toString('hex')).toBe('1f8b0800000000000' + '2ff');
    expect(gunzipSync(archive).subarray(136, 148).toString('latin1')).toBe(`${'0'.repeat(11)}\0`);
  });
});
