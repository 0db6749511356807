// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EngineError } from '../../../../engine/error.ts';
import { joinBundles } from '../../../../engine/policy/bundle/index.ts';
import { hashedText, parseExact, plainValue } from '../../../../engine/policy/bundle/json.ts';
import { overlap, packageOf, refuseSharedRoots } from '../../../../engine/policy/bundle/roots.ts';
import { expectThrown } from '../../../expect.ts';
import { read } from './make.ts';

const refused = (texts: Readonly<Record<string, string>>) => expect(read(texts)).rejects;
const MANIFEST = (value: unknown) => ({ '.manifest': JSON.stringify(value) });
const WASM = { 'policy.wasm': '\0asm' };

describe('a bundle', () => {
  it('has manifest, Rego, data at its paths and modules', async () => {
    const bundle = await read({
      '.manifest':
        '{"revision": "r1", "roots": ["a", "/b/c/"], "rego_version": 1, "file_rego_versions": {"/a/*.rego": 1}, "metadata": {"x": [1]}, "wasm": [{"entrypoint": "a/deny", "module": "/policy.wasm"}]}',
      'a/x.rego': 'package a\n',
      'a/x_test.rego': 'package a.tests\n',
      'a/data.json': '{"n": 9007199254740993, "f": 1.0, "__proto__": {"y": 1}}',
      'b/c/data.yaml': 'big: 9223372036854775807\ntext: "on"\nblock: |\n  on\nquoted: \'no\'\n',
      'b/c/d/data.yml': '[1]\n',
      'a/policy.json': '{"not": "data"}',
      ...WASM,
    });
    expect(bundle.manifest).toEqual({
      revision: 'r1',
      roots: ['a', 'b/c'],
      wasm: [{ entrypoint: 'a/deny', module: 'policy.wasm' }],
      versions: { all: 1, files: [{ pattern: '/a/*.rego', glob: expect.any(Array), version: 1 }] },
      metadata: new Map([['x', [{ number: '1' }]]]),
    });
    expect(bundle.sources).toEqual([
      { file: 'b/a/x.rego', text: 'package a\n', v0: false },
      { file: 'b/a/x_test.rego', text: 'package a.tests\n', v0: false },
    ]);
    expect(JSON.stringify(plainValue(bundle.data))).toBe(
      '{"a":{"n":9007199254740993,"f":1.0,"__proto__":{"y":1}},"b":{"c":{"big":9223372036854775807,"block":"on\\n","quoted":"no","text":"on","d":[1]}}}',
    );
    expect(bundle.modules.map(({ path, entrypoints }) => [path, entrypoints])).toEqual([
      ['policy.wasm', ['a/deny']],
    ]);
  });

  it('without a manifest owns everything', async () => {
    expect((await read({ 'x.rego': 'package x' })).manifest).toEqual({ revision: '', roots: [''], wasm: [] });
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['no JSON', { '.manifest': '{' }],
    ['no object', { '.manifest': '[]' }],
    ['a key twice', { '.manifest': '{"roots": ["a"], "roots": [""]}' }],
    ['a key that OPA reads in another case', { '.manifest': '{"Roots": ["a"]}' }],
    ['roots that are null', { '.manifest': '{"roots": null}' }],
    ['a root that is no text', MANIFEST({ roots: [1] })],
    ['a revision that is a number', MANIFEST({ revision: 1 })],
    ['metadata that is a list', MANIFEST({ metadata: [] })],
    ['a version of Rego in another spelling', { '.manifest': '{"rego_version": 1.0}' }],
    ['a version of Rego that is text', MANIFEST({ rego_version: '1' })],
    ['a version of Rego that there is not', MANIFEST({ rego_version: 2 })],
    ['such a version for one file', MANIFEST({ file_rego_versions: { '*.rego': 2 } })],
    ['versions that are a list', MANIFEST({ file_rego_versions: [0] })],
    ['a pattern that is broken', MANIFEST({ file_rego_versions: { '[a.rego': 0 } })],
    ['a pattern that is too long', MANIFEST({ file_rego_versions: { [`${'a'.repeat(1_024)}*`]: 0 } })],
    [
      'too many patterns',
      MANIFEST({
        file_rego_versions: Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`${n}*`, 0])),
      }),
    ],
    ['a resolver without its module', MANIFEST({ wasm: [{ entrypoint: 'a', module: '/policy.wasm' }] })],
    ['a resolver that is none', { ...MANIFEST({ wasm: [1] }), ...WASM }],
    [
      'one entrypoint twice',
      { ...MANIFEST({ wasm: [0, 1].map(() => ({ entrypoint: 'a', module: 'policy.wasm' })) }), ...WASM },
    ],
  ])('is refused with a manifest of %s', async (_, texts) => {
    await refused(texts).toMatchObject({ name: 'EngineError', code: 'BUNDLE_MANIFEST' });
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['roots that overlap', MANIFEST({ roots: ['a', 'a/b'] })],
    ['roots that are equal', MANIFEST({ roots: ['a', '/a/'] })],
    ['the root of all beside another', MANIFEST({ roots: ['', 'a'] })],
    ['a package outside', { ...MANIFEST({ roots: ['a'] }), 'a/x.rego': 'package b' }],
    ['a package beside', { ...MANIFEST({ roots: ['a/b'] }), 'x.rego': 'package a.bc' }],
    ['a package above', { ...MANIFEST({ roots: ['a/b'] }), 'x.rego': 'package a' }],
    ['a package in a comment', { ...MANIFEST({ roots: ['a'] }), 'x.rego': '# package a\npackage b' }],
    ['a package that cannot be told', { ...MANIFEST({ roots: ['a'] }), 'x.rego': 'package a[`b`]' }],
    ['no package', { ...MANIFEST({ roots: ['a'] }), 'x.rego': '' }],
    ['data outside', { ...MANIFEST({ roots: ['a'] }), 'b/data.json': '{}' }],
    ['data beside', { ...MANIFEST({ roots: ['a/b'] }), 'a/data.json': '{"b": 1, "c": 1}' }],
    ['a value where a root is below', { ...MANIFEST({ roots: ['a/b'] }), 'data.json': '{"a": 1}' }],
    ['no roots at all', { ...MANIFEST({ roots: [] }), 'x.rego': 'package a' }],
    [
      'an entrypoint outside',
      { ...MANIFEST({ roots: ['a'], wasm: [{ entrypoint: 'b/deny', module: 'policy.wasm' }] }), ...WASM },
    ],
  ])('is refused for its roots: %s', async (_, texts) => {
    await refused(texts).toMatchObject({ name: 'EngineError', code: 'BUNDLE_ROOTS' });
  });

  it.each([
    'a/.manifest',
    'x.manifest',
    '.manifest.pb',
    'patch.json',
    'a/patch.json',
    'a/.signatures.json',
    '.hidden/data.json',
  ])('is refused for %s, which OPA would read', async (path) => {
    await refused({ [path]: '{}' }).toMatchObject({ name: 'EngineError', code: 'BUNDLE_ENTRY' });
  });

  it('is refused where it is a delta bundle, and says why', async () => {
    await refused({ 'patch.json': '{"data": []}' }).toMatchObject({
      code: 'BUNDLE_ENTRY',
      message: 'archive "b" holds "patch.json": a delta bundle is no policy by itself',
      hint: 'give the whole bundle; docs/bundles.md says why',
    });
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['no JSON', { 'data.json': '{"a": }' }],
    ['no object at the root', { 'data.json': '[1]' }],
    ['a key twice', { 'data.json': '{"a": 1, "\\u0061": 2}' }],
    ['a lone surrogate', { 'data.json': '{"a": "\\ud800"}' }],
    ['a byte order mark', { 'data.json': '\ufeff{}' }],
    ['129 levels', { 'data.json': `{"a": ${'['.repeat(200)}${']'.repeat(200)}}` }],
    ['a conflict', { 'data.json': '{"a": 1}', 'a/data.json': '{"b": 2}' }],
    ['a value twice', { 'data.json': '{"a": 1}', 'data.yaml': 'a: 1\n' }],
    ['two documents', { 'data.yaml': 'a: 1\n---\nb: 2\n' }],
    ['a List of one', { 'data.yaml': 'apiVersion: v1\nkind: List\nitems: [{a: 1}]\n' }],
    ['a word of YAML 1.1', { 'data.yaml': 'a: on\n' }],
    ['a key that is such a word', { 'data.yaml': 'No: 1\n' }],
    ['such a word in a list', { 'data.yaml': 'a: [yes, 1]\n' }],
    ['broken YAML', { 'data.yaml': 'a: [\n' }],
    ['a number beyond 64 bits', { 'data.yaml': 'a: 123456789012345678901234567890\n' }],
    ['parameters of ours', { 'data.json': '{"countersign": {}}' }],
  ])('is refused for data with %s', async (_, texts) => {
    await refused(texts).toMatchObject({ name: 'EngineError', code: 'POLICY_DATA' });
  });

  it('is refused for Rego that is no UTF-8 or larger than 4 MiB', async () => {
    for (const bytes of [Buffer.from([0xff]), Buffer.alloc(4 * 1024 * 1024 + 1, 0x20)])
      await expect(read({ 'x.rego': bytes })).rejects.toMatchObject({ code: 'POLICY_UNREADABLE' });
  });
});

describe('several bundles', () => {
  const of = async (name: string, root: string) => ({
    ...(await read({ ...MANIFEST({ roots: [root], revision: name }), [`${root}/data.json`]: '{"v": 1}' })),
    name,
  });

  it('are one policy with all data', async () => {
    const joined = joinBundles([await of('x', 'a'), await of('y', 'b')], { given: 1 });
    expect({ name: joined.name, revision: joined.revision, data: joined.data }).toEqual({
      name: 'x+y',
      revision: 'x+y',
      data: { given: 1, a: { v: 1 }, b: { v: 1 } },
    });
  });

  it('may not own the same, nor set what is given', async () => {
    const [x, y, above] = [await of('x', 'a/b'), await of('y', 'a/b'), await of('z', 'a')];
    expectThrown(() => joinBundles([x, y]), EngineError, 'BUNDLE_ROOTS');
    expectThrown(() => joinBundles([x, above]), EngineError, 'BUNDLE_ROOTS');
    expectThrown(() => joinBundles([x], { a: {} }), EngineError, 'POLICY_DATA');
  });
});

describe('packages', () => {
  it.each([
    ['package a', ['a']],
    ['# one\n\n  # two\npackage a.b_c\n', ['a', 'b_c']],
    ['package a["b.c"].d # why', ['a', 'b.c', 'd']],
    ['\ufeffpackage a\r\nimport x', ['a']],
    ['package\ta', ['a']],
  ])('%j', (text, path) => {
    expect(packageOf(text)).toEqual(path);
  });

  it.each([
    '',
    'packages a',
    'package',
    'package a b',
    'package a[b]',
    'package a["\\x"]',
    'import a\npackage b',
    'package a/b',
  ])('%j cannot be told', (text) => {
    expect(packageOf(text)).toBeUndefined();
  });
});

const root = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }).map((parts) => parts.join('/'));

describe('properties', () => {
  it('two roots overlap where one path lies in both, in either order', () => {
    fc.assert(
      fc.property(root, root, (a, b) => {
        const [short = '', long = ''] = [a, b].sort((x, y) => x.length - y.length);
        const expected = short === '' || long === short || long.startsWith(`${short}/`);
        expect([overlap(a, b), overlap(b, a)]).toEqual([expected, expected]);
        const owners = [a, b].map((one, index) => ({ name: `${index}`, roots: [one] }));
        if (expected) expectThrown(() => refuseSharedRoots(owners), EngineError, 'BUNDLE_ROOTS');
        else refuseSharedRoots(owners);
      }),
    );
  });

  it('exact JSON reads what JSON.parse reads, and gives it back', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(3), (text, indent) => {
        const pretty = JSON.stringify(JSON.parse(text), null, indent);
        expect(JSON.stringify(plainValue(parseExact(pretty)))).toBe(JSON.stringify(JSON.parse(text)));
        expect(JSON.parse(hashedText(parseExact(text)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('what JSON.parse refuses is refused', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 12, unit: fc.constantFrom(...'{}[]:,"\\u0123.eE+- \ntruefalsn') }),
        (text) => {
          let isJson = true;
          try {
            JSON.parse(text);
          } catch {
            isJson = false;
          }
          if (!isJson) expect(() => parseExact(text)).toThrow(SyntaxError);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
