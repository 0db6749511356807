// SPDX-License-Identifier: Apache-2.0
// Rego as it was before OPA 1.0: by the manifest of a bundle, by flag, by the Project.
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readArchive } from '../../../engine/archive/index.ts';
import { countersign } from '../world.ts';
import { OBJECT, place } from './place.ts';

const here = place();
afterAll(() => here.remove());
const { at } = here;
const OLD = 'package main\n\ndeny[msg] {\n\tinput.spec.replicas < 2\n\tmsg := "too few"\n}\n';
const NEW = 'package main\n\nwarn contains "named x" if input.metadata.name == "x"\n';
const RAISED = 'package main\n\nimport rego.v1\n\nwarn contains "raised" if input.metadata.name == "x"\n';
const project = (version: string) =>
  `apiVersion: countersign.dev/v1alpha1\nkind: Project\npolicies: [{path: plain, regoVersion: ${version}}]\n`;
here.write({
  'object.yaml': OBJECT,
  'plain/old.rego': OLD,
  'plain/raised.rego': RAISED,
  'mixed/main/old.rego': OLD,
  'mixed/main/old_test.rego':
    'package main_test\n\ntest_old { data.main.deny["too few"] with input as {"spec": {"replicas": 1}} }\n',
  'mixed/main/new.rego': NEW,
  'mixed/.manifest': '{"rego_version": 1, "file_rego_versions": {"/main/old*.rego": 0}}',
  'old.yaml': project('v0'),
  'new.yaml': project('v1'),
  'odd.yaml': project('v2'),
});
const messagesOf = ({ out }: { out: string }): string[] =>
  JSON.parse(out)
    .findings.filter(({ rule }: { rule: string }) => rule.startsWith('main.'))
    .map(({ message }: { message: string }) => message);
const check = (...argv: string[]) => countersign(['check', ...argv, '--format', 'json', at('object.yaml')]);

describe('Rego v0', () => {
  it('is read where the manifest of a bundle says so, by every verb', async () => {
    const judged = await check('--policy', at('mixed'));
    expect(messagesOf(judged)).toEqual(['too few', 'named x']);
    const outcomes = [
      [['policy', 'check', at('mixed')], 'ok: 3 files, 2 rules'],
      [['policy', 'test', at('mixed')], '1 passed, 0 failed; 1 also on the compiled module, no difference'],
      [['policy', 'inspect', at('mixed')], 'deny (set)'],
      [['policy', 'deps', 'data.main.deny', '--policy', at('mixed')], 'input.spec.replicas'],
      [['policy', 'eval', '{x | x := data.main[_]}', '--policy', at('mixed'), '-f', 'text'], '[[]]'],
      [['policy', 'build', at('mixed'), '-o', at('built')], 'policy.wasm'],
      [['policy', 'bench', at('mixed'), '-i', at('object.yaml'), '--duration', '10ms'], 'evaluations'],
    ] as const;
    for (const [argv, said] of outcomes)
      expect(await countersign(argv)).toMatchObject({ exit: 0, out: expect.stringContaining(said) });
  });

  it('stays what it is in a bundle that is built', async () => {
    expect(await countersign(['policy', 'build', '-b', at('mixed'), '-o', at('out.tar.gz')])).toMatchObject({
      exit: 0,
    });
    const files = readArchive(readFileSync(at('out.tar.gz')), 'out');
    const manifest = files.find(({ path }) => path === '.manifest');
    expect(JSON.parse(Buffer.from(manifest?.bytes ?? []).toString())).toEqual({
      revision: '',
      roots: [''],
      rego_version: 1,
      file_rego_versions: { '/main/old.rego': 0, 'main/old.rego': 0 },
    });
    expect(messagesOf(await check('--policy', at('out.tar.gz')))).toEqual(['too few', 'named x']);
    const old = ['policy', 'build', '-b', '--v0-compatible', at('plain/old.rego'), '-o', at('old.tar.gz')];
    expect(await countersign(old)).toMatchObject({ exit: 0 });
    expect(messagesOf(await check('--policy', at('old.tar.gz')))).toEqual(['too few']);
  });

  it('is read with --v0-compatible, and a file that imports rego.v1 as v1', async () => {
    expect(messagesOf(await check('--policy', at('plain'), '--v0-compatible'))).toEqual([
      'too few',
      'raised',
    ]);
    expect(messagesOf(await check('--policy', at('mixed'), '--v0-compatible'))).toEqual([
      'too few',
      'named x',
    ]);
    expect(await check('--policy', at('plain'))).toMatchObject({
      exit: 4,
      err: expect.stringContaining('--v0-compatible'),
    });
    const served = ['serve', '--policy', at('plain'), '--state', at('state'), '--listen', '127.0.0.1:0'];
    expect(await countersign(served)).toMatchObject({
      exit: 4,
      err: expect.stringContaining('keyword is required'),
    });
    expect(await check('--policy', at('plain'), '--v0-compatible', '--v1-compatible')).toMatchObject({
      exit: 2,
    });
  });

  it('is read where the Project says so of a policy, whatever a flag says', async () => {
    expect(messagesOf(await check('--project', at('old.yaml')))).toEqual(['too few', 'raised']);
    expect(messagesOf(await check('--project', at('old.yaml'), '--v1-compatible'))).toEqual([
      'too few',
      'raised',
    ]);
    expect(await check('--project', at('new.yaml'), '--v0-compatible')).toMatchObject({ exit: 4 });
    expect(await check('--project', at('odd.yaml'))).toMatchObject({
      exit: 3,
      err: expect.stringContaining('["v0","v1"] [PROJECT_SCHEMA]'),
    });
  });
});
