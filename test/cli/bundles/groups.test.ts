// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals';
import { writeArchive } from '../../../engine/archive/index.ts';
import { countersign } from '../world.ts';
import { OBJECT, place } from './place.ts';

const here = place();
afterAll(() => here.remove());
const { at } = here;

const bundle = (root: string, path: string, text: string): Uint8Array =>
  writeArchive(
    [
      { path: '.manifest', bytes: Buffer.from(`{"roots": ["${root}"]}`) },
      { path, bytes: Buffer.from(text) },
    ],
    'x',
  );
const RULE =
  'package main\n\ndeny contains "too few replicas" if {\n\tinput.spec.replicas < 2\n\tnot data.exempt[input.metadata.name]\n}\n';

here.write({
  'rules.tar.gz': bundle('main', 'main.rego', RULE),
  'exempt.tar.gz': bundle('exempt', 'exempt/data.json', '{"x": true}'),
  'also.tar.gz': bundle('also', 'also.rego', 'package also\n\ndeny contains "also" if data.exempt.x\n'),
  'exempt.json': '{"exempt": {"x": true}}',
  'object.yaml': OBJECT,
  'countersign.yaml':
    'apiVersion: countersign.dev/v1alpha1\nkind: Project\nenvironments: [{name: production, tier: production}]\npolicies: [{path: rules.tar.gz}]\n',
});

const check = (...more: string[]): ReturnType<typeof countersign> =>
  countersign(['check', ...more, at('object.yaml')]);
const inProject = (...more: string[]): ReturnType<typeof countersign> =>
  check('--project', at('countersign.yaml'), '--env', 'production', ...more);

describe('bundles of an environment and bundles of a job', () => {
  it('are two policies: data that a job brings exempts nothing from what its environment asks for', async () => {
    const flags = ['--policy', at('also.tar.gz'), '--policy-namespace', 'also'];
    for (const more of [[], flags, [...flags, '--policy', at('exempt.tar.gz')]])
      expect(await inProject(...more)).toMatchObject({
        exit: 1,
        out: expect.stringContaining('too few replicas'),
      });
    expect(await inProject(...flags, '--data', at('exempt.json'))).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/also[\s\S]*too few replicas|too few replicas[\s\S]*also/),
    });
  });

  it('have no rule left out in silence where a job brings data alone', async () => {
    expect(await inProject('--policy', at('exempt.tar.gz'))).toMatchObject({
      exit: 4,
      err: expect.stringContaining('[POLICY_EMPTY]'),
    });
  });

  it('are one policy where a job brings all of them', async () => {
    const flags = ['--policy', at('rules.tar.gz'), '--policy', at('exempt.tar.gz')];
    expect(await check(...flags)).toMatchObject({ exit: 0 });
  });

  it('say which packages are not read', async () => {
    const { err } = await check('--policy', at('rules.tar.gz'), '--policy', at('also.tar.gz'));
    expect(err).toContain('rules of package "also"');
  });
});
