// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { readLibraries, readPack, readPackSources } from '../../../engine/policy/pack.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import { expectThrown } from '../../expect.ts';

const reader = openYamlReader(resolve('engine/toolchain/built'));
const root = mkdtempSync(join(tmpdir(), 'countersign-packs-'));
afterAll(() => rmSync(root, { recursive: true }));
const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
put('packs/good.yaml', 'kind: Pack\nname: good\nrules: [pod.x, pod.y]\n');
put('outside.yaml', 'kind: Pack\nname: outside\nrules: [pod.x]\n');
for (const path of ['rules/pod/x/x_test.rego', 'rules/pod/y/y.rego', 'rules/pod/z/z.rego']) put(path, path);
put('rules/pod/x/x.rego', 'import data.countersign.lib.l');
put('lib/l.rego', 'package countersign.lib.l\nimport data.countersign.lib.deep');
put('lib/deep.rego', 'package countersign.lib.deep');
put('lib/lone.rego', 'package countersign.lib.lone');
put('lib/l_test.rego', 'package countersign.lib.l');

describe('a pack', () => {
  it('names its rules', () => {
    expect(readPack(root, 'good', reader)).toEqual({ name: 'good', rules: ['pod.x', 'pod.y'] });
  });

  it.each([
    'none',
    '../outside',
    '',
    '.',
    'Good',
    'good/../good',
    'good.yaml',
    '/etc/passwd',
    'a'.repeat(64),
  ])('called %j is not there', (name) => {
    expectThrown(
      () => readPack(root, name, reader),
      EngineError,
      'POLICY_UNREADABLE',
      `there is no pack ${JSON.stringify(name)}`,
    );
  });

  it.each([
    ['another name', 'kind: Pack\nname: other\nrules: [a]'],
    ['another kind', 'kind: Packs\nname: bad\nrules: [a]'],
    ['no kind', 'name: bad\nrules: [a]'],
    ['no name', 'kind: Pack\nrules: [a]'],
    ['no rules', 'kind: Pack\nname: bad'],
    ['rules that are none', 'kind: Pack\nname: bad\nrules: []'],
    ['rules that are text', 'kind: Pack\nname: bad\nrules: pod.x'],
    ['rules that are numbers', 'kind: Pack\nname: bad\nrules: [pod.x, 1]'],
    ['text for everything', 'text'],
    ['null for everything', '---\n'],
  ])('with %s names no rules, and that is an error', (_, text) => {
    put('packs/bad.yaml', `${text}\n`);
    expectThrown(
      () => readPack(root, 'bad', reader),
      EngineError,
      /^---/.test(text) ? 'INPUT_EMPTY' : 'POLICY_EMPTY',
    );
  });
});

describe('the sources of packs', () => {
  it('are those of their rules and of the libraries these ask for, once, without tests, named from the policies folder', () => {
    const pack = readPack(root, 'good', reader);
    expect(readPackSources(root, [pack, { name: 'other', rules: ['pod.y'] }])).toEqual([
      { file: 'policies/rules/pod/x/x.rego', text: 'import data.countersign.lib.l' },
      { file: 'policies/rules/pod/y/y.rego', text: 'rules/pod/y/y.rego' },
      { file: 'policies/lib/deep.rego', text: 'package countersign.lib.deep' },
      { file: 'policies/lib/l.rego', text: 'package countersign.lib.l\nimport data.countersign.lib.deep' },
    ]);
    const asking = [
      { file: 'a.rego', text: 'x if data.countersign.lib.lone.y\nz if data.countersign.lib.none.y' },
    ];
    expect(readLibraries(root, asking).map(({ text }) => text)).toEqual(['package countersign.lib.lone']);
    expect(readLibraries(root, [])).toEqual([]);
  });

  it('of a rule that is not there are an error', () => {
    expectThrown(
      () => readPackSources(root, [{ name: 'p', rules: ['pod.none'] }]),
      EngineError,
      'POLICY_UNREADABLE',
    );
  });
});
