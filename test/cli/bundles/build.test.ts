// SPDX-License-Identifier: Apache-2.0
import { readFileSync, symlinkSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readArchive, writeArchive } from '../../../engine/archive/index.ts';
import { countersign } from '../world.ts';
import { OBJECT, POLICY, place, trustFiles } from './place.ts';

const here = place();
afterAll(() => here.remove());
here.write({ ...POLICY, ...trustFiles('author'), ...trustFiles('other'), 'object.yaml': OBJECT });
const { at } = here;

const build = (output: string, ...more: string[]) =>
  countersign(['policy', 'build', '-b', at('policy'), '-o', at(output), ...more]);
const check = (policy: string, ...more: string[]) =>
  countersign(['check', '--policy', at(policy), ...more, at('object.yaml')]);
const filesOf = (name: string) =>
  readArchive(readFileSync(at(name)), name).map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]);

describe('policy build --bundle', () => {
  it('writes sources without tests, one data document and a manifest, the same bytes each time', async () => {
    expect(await build('one.tar.gz', '--revision', 'r1', '--root', 'main', '--root', 'limits')).toMatchObject(
      {
        exit: 0,
        out: expect.stringMatching(/one\.tar\.gz: \d+ bytes, sha256:[0-9a-f]{64}\n$/),
      },
    );
    await build('two.tar.gz', '--revision', 'r1', '--root', 'limits', '--root', 'main');
    expect(readFileSync(at('two.tar.gz'))).toEqual(readFileSync(at('one.tar.gz')));
    expect(filesOf('one.tar.gz')).toEqual([
      ['.manifest', '{"revision":"r1","roots":["limits","main"],"rego_version":1}\n'],
      ['data.json', '{"limits":{"minimum":2}}'],
      ['main/main.rego', POLICY['policy/main/main.rego']],
    ]);
  });

  it('refuses what would lie outside of its roots, and writes nothing', async () => {
    expect(await build('out.tar.gz', '--root', 'main')).toMatchObject({
      exit: 4,
      err: expect.stringContaining('the data at "limits" is outside of the roots'),
    });
    expect(() => readFileSync(at('out.tar.gz'))).toThrow('ENOENT');
  });

  it('takes the libraries along that native rules need', async () => {
    const outcome = await countersign([
      'policy',
      'build',
      '-b',
      'examples/policies',
      '-o',
      at('native.tar.gz'),
    ]);
    expect(outcome).toMatchObject({ exit: 0 });
    const { out, exit } = await countersign(['policy', 'check', at('native.tar.gz')]);
    expect({ out, exit }).toEqual({ out: expect.stringMatching(/^ok: \d+ files, 1 rules\n$/), exit: 0 });
  });

  it('is judged by like the folder it came from', async () => {
    const outcome = await check('one.tar.gz', '--format', 'json');
    expect(outcome.exit).toBe(1);
    const { policies, findings } = JSON.parse(outcome.out);
    expect(policies).toEqual([
      expect.objectContaining({ name: at('one.tar.gz'), revision: 'r1', digest: expect.any(String) }),
    ]);
    expect(findings).toEqual([expect.objectContaining({ rule: 'main.deny', message: 'too few replicas' })]);
  });

  it('brings its data to policy test', async () => {
    here.write({ 'policy/.manifest': '{}' });
    const outcome = await countersign(['policy', 'test', at('policy')]);
    expect(outcome).toMatchObject({ exit: 0, out: expect.stringContaining('1 passed, 0 failed') });
  });
});

describe('a verification key', () => {
  const verify = (policy: string, key = 'author.pub', ...more: string[]) =>
    check(policy, '--verification-key', at(key), ...more);

  it('makes a signature of the files mandatory', async () => {
    await build('signed.tar.gz', '--signing-key', at('author.pem'), '--scope', 'write');
    const good = await verify('signed.tar.gz', 'author.pub', '--scope', 'write');
    expect(good).toMatchObject({ exit: 1, out: expect.stringContaining('too few replicas') });
    const cases: readonly (readonly [string, string, readonly string[], string])[] = [
      ['signed.tar.gz', 'other.pub', ['--scope', 'write'], 'not by the configured key'],
      ['signed.tar.gz', 'author.pub', [], 'has the scope "write"'],
      [
        'signed.tar.gz',
        'author.pub',
        ['--scope', 'write', '--verification-key-id', 'k'],
        'names the key "default"',
      ],
      ['one.tar.gz', 'author.pub', [], 'it has no .signatures.json'],
      ['policy', 'author.pub', [], 'it has no .signatures.json'],
    ];
    for (const [policy, key, more, reason] of cases)
      expect(await verify(policy, key, ...more)).toMatchObject({
        exit: 5,
        out: '',
        err: expect.stringContaining(reason),
      });
  });

  it('holds for every verb that loads a bundle', async () => {
    const files = readArchive(readFileSync(at('signed.tar.gz')), 'x');
    const changed = files.map((file) =>
      file.path === 'main/main.rego'
        ? { ...file, bytes: Buffer.from('package main\n\ndeny contains "" if false\n') }
        : file,
    );
    here.write({ 'changed.tar.gz': writeArchive(changed, 'x') });
    const flags = ['--verification-key', at('author.pub'), '--scope', 'write'];
    for (const argv of [
      ['check', '--policy', at('changed.tar.gz'), at('object.yaml')],
      ['policy', 'check', at('changed.tar.gz')],
      ['policy', 'test', at('changed.tar.gz')],
      ['policy', 'build', at('changed.tar.gz'), '-o', at('built')],
      ['serve', '--policy', at('changed.tar.gz'), '--state', at('state')],
    ])
      expect(await countersign([...argv, ...flags])).toMatchObject({
        exit: 5,
        err: expect.stringContaining('"main/main.rego" is not the one that was signed'),
      });
  });
});

describe('what is no bundle', () => {
  const patch = writeArchive([{ path: 'patch.json', bytes: Buffer.from('{}') }], 'x');
  it.each<[string, () => Readonly<Record<string, string | Uint8Array>>, string, string]>([
    [
      'a cut archive',
      () => ({ 'cut.tar.gz': readFileSync(at('one.tar.gz')).subarray(0, 90) }),
      'cut.tar.gz',
      'BUNDLE_ARCHIVE',
    ],
    [
      'a folder by that name',
      () => ({ 'dir.tar.gz/x.rego': 'package x' }),
      'dir.tar.gz',
      'POLICY_UNREADABLE',
    ],
    ['no file', () => ({}), 'missing.tar.gz', 'POLICY_UNREADABLE'],
    ['no module', () => ({ 'no.wasm': 'hello' }), 'no.wasm', 'POLICY_MODULE'],
    ['nothing in it', () => ({ 'empty.tar.gz': writeArchive([], 'x') }), 'empty.tar.gz', 'POLICY_EMPTY'],
    ['a delta', () => ({ 'delta.tar.gz': patch }), 'delta.tar.gz', 'BUNDLE_ENTRY'],
  ])('%s', async (_, files, name, code) => {
    here.write(files());
    expect(await check(name)).toMatchObject({ exit: 4, out: '', err: expect.stringContaining(`[${code}]`) });
  });

  it('a folder with a link', async () => {
    here.write({ 'linked/.manifest': '{}' });
    symlinkSync('/etc/passwd', at('linked/x.rego'));
    expect(await check('linked')).toMatchObject({ exit: 4, err: expect.stringContaining('[BUNDLE_ENTRY]') });
  });

  it('two bundles that own the same are refused', async () => {
    await build('whole.tar.gz');
    expect(await check('one.tar.gz', '--policy', at('whole.tar.gz'))).toMatchObject({
      exit: 4,
      err: expect.stringContaining('own the same part of data'),
    });
  });

  it('two bundles are one policy, data of the one under rules of the other', async () => {
    const manifest = (root: string) => ({ path: '.manifest', bytes: Buffer.from(`{"roots": ["${root}"]}`) });
    const archive = (root: string, path: string, text: string) =>
      writeArchive([manifest(root), { path, bytes: Buffer.from(text) }], 'x');
    here.write({
      'rules.tar.gz': archive('main', 'main.rego', POLICY['policy/main/main.rego']),
      'data.tar.gz': archive('limits', 'limits/data.json', '{"minimum": 2}'),
    });
    const outcome = await check('rules.tar.gz', '--policy', at('data.tar.gz'));
    expect(outcome).toMatchObject({ exit: 1, out: expect.stringContaining('too few replicas') });
  });
});
