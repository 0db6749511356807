// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { compileCached, type PolicyCache } from '../../../engine/policy/cache.ts';
import type { CompiledPolicy, CompileRequest } from '../../../engine/policy/compile.ts';
import { meter } from '../../../engine/rego/index.ts';
import type { RegoToolchain } from '../../../engine/toolchain/rego.ts';
import { assemble, I32 } from '../rego/assemble.ts';
import { moduleOf } from './modules.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-cache-'));
const userId = process.getuid?.() ?? 0;
afterAll(() => rmSync(root, { recursive: true }));

let next = 0;
let cache: PolicyCache;
let compiled: number;
beforeEach(() => {
  cache = { directory: join(root, String(next++), 'policies'), userId, toolVersion: '1' };
  compiled = 0;
});

const requestOf = (text: string): CompileRequest => ({
  name: text,
  sources: [{ file: 'a.rego', text }],
  namespaces: { names: ['main'], all: false },
});

/** The least module that can be metered, with a name that shows what was compiled. */
const wasmOf = (text: string): Uint8Array =>
  assemble({
    types: [[[], []]],
    functions: [{ type: 0, code: [0x0b] }],
    globals: [[I32, 0, 0x41, 0, 0x0b]],
    exports: [['f', 0, 0]],
    custom: `wasm of ${text}`,
  });

const unused = (): Promise<never> => Promise.reject(new Error('not used'));

/** A toolchain whose module is the text of its first source. */
const toolchain: RegoToolchain = {
  parse: async () => [moduleOf('main', ['deny'])],
  check: async () => undefined,
  build: async ([source]) => {
    compiled++;
    return { wasm: wasmOf(source?.text ?? ''), opaVersion: '1' };
  },
  query: unused,
  format: unused,
  testModule: unused,
  eval: unused,
  evalModule: unused,
  deps: unused,
  test: unused,
  close: async () => undefined,
};

async function get(text: string, of: PolicyCache | undefined = cache): Promise<CompiledPolicy> {
  const policy = await compileCached(requestOf(text), () => toolchain, of);
  // Whatever the cache held: what comes out is always what these sources compile to.
  expect(Buffer.from(policy.wasm)).toEqual(Buffer.from(wasmOf(text)));
  if (policy.metered !== undefined)
    expect(Buffer.from(policy.metered)).toEqual(Buffer.from(meter(policy.wasm)));
  return policy;
}

const files = (): string[] => readdirSync(cache.directory).map((name) => join(cache.directory, name));
const onlyFile = (): string => {
  const [file, more] = files();
  if (file === undefined || more !== undefined) throw new Error(`one file is wanted: ${files()}`);
  return file;
};
const rewrite = (change: (bytes: Buffer) => Uint8Array): void => {
  const file = onlyFile();
  writeFileSync(file, change(readFileSync(file)));
};

/** With the checksum that fits: what only a program of the right key and form would write. */
const sealed = (file: string, body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('countersign policy cache 2\n'),
    Buffer.from(
      createHash('sha256')
        .update(file.slice(cache.directory.length + 1))
        .update(body)
        .digest('hex'),
    ),
    body,
  ]);
const bodyOf = (meta: string, module = 'wasm of a'): Buffer => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(Buffer.byteLength(meta));
  return Buffer.concat([size, Buffer.from(meta), Buffer.from(module)]);
};

describe('the cache of compiled policies', () => {
  it('gives what was compiled before, whole', async () => {
    const first = await get('a');
    const second = await get('a');
    expect(compiled).toBe(1);
    expect({ ...second, wasm: Buffer.from(second.wasm) }).toEqual({
      ...first,
      wasm: Buffer.from(first.wasm),
    });
  });

  it('is closed to others, file by file', async () => {
    await get('a');
    expect(statSync(cache.directory).mode & 0o777).toBe(0o700);
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
  });

  it('is not there where there is to be none', async () => {
    const policy = await compileCached(requestOf('a'), () => toolchain, undefined);
    await compileCached(requestOf('a'), () => toolchain, undefined);
    expect(Buffer.from(policy.wasm)).toEqual(Buffer.from(wasmOf('a')));
    expect(compiled).toBe(2);
  });

  it('tells apart everything that a module depends on', async () => {
    const base = requestOf('a');
    const all: CompileRequest[] = [
      base,
      { ...base, sources: [{ file: 'b.rego', text: 'a' }] },
      { ...base, sources: [...base.sources, { file: 'b.rego', text: 'a' }] },
      { ...base, sources: [{ file: 'a.rego', text: 'ab' }] },
      { ...base, sources: [{ file: 'a.regoa', text: 'b' }] },
      { ...base, namespaces: { names: ['main', 'b'], all: false } },
      { ...base, namespaces: { names: ['main'], all: true } },
      { ...base, codes: ['main.deny'] },
    ];
    for (const request of all) await compileCached(request, () => toolchain, cache);
    await compileCached(base, () => toolchain, { ...cache, toolVersion: '2' });
    expect(compiled).toBe(9);
    expect(files()).toHaveLength(9);
  });
});

describe('a cached policy is compiled anew', () => {
  const flip = (bytes: Buffer, at: number): Buffer => {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    return changed;
  };

  it('where any one byte of it was changed', async () => {
    await get('a');
    const whole = readFileSync(onlyFile());
    for (let at = 0; at < whole.length; at++) {
      const before = compiled;
      rewrite(() => flip(whole, at));
      await get('a');
      expect([at, compiled]).toEqual([at, before + 1]);
    }
    await get('a');
    expect(readFileSync(onlyFile()).equals(whole)).toBe(true);
  });

  it('where it was cut, at any length, or has more', async () => {
    await get('a');
    const whole = readFileSync(onlyFile());
    for (let length = 0; length < whole.length; length++) {
      const before = compiled;
      rewrite(() => whole.subarray(0, length));
      await get('a');
      expect([length, compiled]).toEqual([length, before + 1]);
    }
    rewrite(() => Buffer.concat([whole, Buffer.from('\0')]));
    await get('a');
    expect(compiled).toBe(whole.length + 2);
  });

  it('where another policy stands in its place', async () => {
    await get('strict');
    const strict = onlyFile();
    await get('lax');
    const lax = files().find((file) => file !== strict) ?? '';
    copyFileSync(lax, strict);
    await get('strict');
    expect(compiled).toBe(3);
  });

  it.each([
    ['of another form', bodyOf('{"entries": {}, "sources": "x"}')],
    ['without its sources', bodyOf('{"entries": []}')],
    ['without its entries', bodyOf('{"sources": "x"}')],
    ['that is null', bodyOf('null')],
    ['that is text', bodyOf('"x"')],
    ['that is no JSON', bodyOf('{')],
    ['without a length', Buffer.alloc(2)],
    ['with a length beyond its end', Buffer.from([255, 255, 255, 255, 0])],
  ])('where it holds what is %s', async (_, body) => {
    await get('a');
    const file = onlyFile();
    writeFileSync(file, sealed(file, body));
    await get('a');
    expect(compiled).toBe(2);
  });

  it('where others could have written it', async () => {
    await get('a');
    chmodSync(onlyFile(), 0o666);
    await get('a');
    chmodSync(onlyFile(), 0o620);
    await get('a');
    chmodSync(onlyFile(), 0o644);
    await get('a');
    expect(compiled).toBe(4);
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
  });

  it('where it is another user’s', async () => {
    await get('a');
    const file = onlyFile();
    // Only root may give a file away; for anybody else a file that others may write to stands for it.
    if (userId === 0) chownSync(file, 65_534, 65_534);
    else chmodSync(file, 0o602);
    await get('a');
    expect(compiled).toBe(2);
    expect(statSync(onlyFile()).uid).toBe(userId);
  });

  it('where it is a folder or a link to nothing', async () => {
    await get('a');
    const file = onlyFile();
    rmSync(file);
    symlinkSync('/nonexistent/countersign', file);
    await get('a');
    expect(statSync(onlyFile()).isFile()).toBe(true);
    rmSync(file);
    mkdirSync(file);
    await get('a');
    expect(compiled).toBe(3);
  });
});

describe('a cache directory', () => {
  it('of another user is not used, neither to read nor to write', async () => {
    await get('a');
    const before = readFileSync(onlyFile());
    const foreign = { ...cache, userId: userId + 1 };
    await get('a', foreign);
    await get('b', foreign);
    expect(compiled).toBe(3);
    expect(readFileSync(onlyFile()).equals(before)).toBe(true);
  });

  it.each([0o777, 0o770, 0o702, 0o755])(
    'that is open to others (%i) is not used and not closed',
    async (mode) => {
      await get('a');
      const before = readFileSync(onlyFile());
      chmodSync(cache.directory, mode);
      await get('a');
      await get('b');
      expect(compiled).toBe(3);
      expect(statSync(cache.directory).mode & 0o777).toBe(mode);
      expect(readFileSync(onlyFile()).equals(before)).toBe(true);
    },
  );

  it('that cannot be made costs the cache, not the answer', async () => {
    writeFileSync(join(root, 'file'), '');
    await get('a', { ...cache, directory: join(root, 'file', 'policies') });
    await get('a', { ...cache, directory: '/proc/countersign/policies' });
    expect(compiled).toBe(2);
  });

  it('without users is used as it is', async () => {
    const anybody = { ...cache, userId: undefined };
    await get('a', anybody);
    await get('a', anybody);
    expect(compiled).toBe(1);
  });

  it('holds whole files only, however many write at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => get('a')));
    expect(files()).toHaveLength(1);
    const before = compiled;
    await get('a');
    expect(compiled).toBe(before);
  });
});

describe('the size of the cache', () => {
  it('stays below its limit: what was used longest ago goes', async () => {
    await get('one');
    const [first = ''] = readdirSync(cache.directory);
    const { size } = statSync(join(cache.directory, first));
    const limited = { ...cache, maxBytes: 2 * size + 16 };
    const at = (file: string, hours: number): void =>
      utimesSync(join(cache.directory, file), new Date(2026, 0, 1, hours), new Date(2026, 0, 1, hours));
    at(first, 1);
    await get('two', limited);
    const second = readdirSync(cache.directory).find((file) => file !== first) ?? '';
    at(second, 2);
    // What a write left behind that was cut off counts and goes as well.
    writeFileSync(join(cache.directory, `${'0'.repeat(64)}.policy.${'0'.repeat(36)}`), Buffer.alloc(size));
    at(`${'0'.repeat(64)}.policy.${'0'.repeat(36)}`, 0);
    await get('three', limited);
    const left = readdirSync(cache.directory);
    expect(left).toHaveLength(2);
    expect(left).toContain(second);
    expect(left).not.toContain(first);
    compiled = 0;
    await get('two', limited);
    await get('three', limited);
    expect(compiled).toBe(0);
    await get('one', limited);
    expect(compiled).toBe(1);
  });
});
