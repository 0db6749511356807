// SPDX-License-Identifier: Apache-2.0
// Data that a Project names for a policy of its own: part of what is decided by, and out of reach of the judged job.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { countersign } from './world.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-own-data-'));
afterAll(() => rmSync(root, { recursive: true }));
const put = (path: string, text: string): string => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return join(root, path);
};

const RULE = 'package main\nimport rego.v1\ndeny contains sprintf("%v", [data.teams]) if not data.exempt\n';
put('rules/rule.rego', RULE);
put('bundle/rule.rego', RULE);
put('bundle/.manifest', '{"roots": ["main", "fixed"]}');
put('bundle/fixed/data.json', '{"a": 1}');
const brought = put(
  'brought/rule.rego',
  'package main\nimport rego.v1\ndeny contains "brought" if data.exempt\n',
);
const flag = put('flag.json', '{"teams": ["forged"], "exempt": true}');
const objects = put('pod.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n');
const project = put(
  'countersign.yaml',
  `apiVersion: countersign.dev/v1alpha1
kind: Project
environments: [{name: production, tier: production}]
policies: [{path: rules, data: [teams.yaml]}]
`,
);
const ofBundle = put(
  'bundle.yaml',
  `apiVersion: countersign.dev/v1alpha1
kind: Project
environments: [{name: production, tier: production}]
policies: [{path: bundle, data: [teams.yaml]}]
`,
);

interface Answer {
  readonly findings: readonly { readonly message: string }[];
  readonly policies: readonly { readonly digest: string; readonly sources: string }[];
}

async function check(file: string, ...argv: string[]): Promise<Answer> {
  const { out } = await countersign([
    ...['check', objects, '--project', file, '--env', 'production', '--format', 'json'],
    ...argv,
  ]);
  return JSON.parse(out);
}
const messages = ({ findings }: Answer): readonly string[] => findings.map(({ message }) => message);

describe.each([
  ['a folder of Rego', project],
  ['a bundle', ofBundle],
])('the data that a Project names for %s', (_, file) => {
  it('are read beside the Project, and the policy is another one with others', async () => {
    put('teams.yaml', 'teams: [shop]\n');
    const first = await check(file);
    put('teams.yaml', 'teams: [bank]\n');
    const second = await check(file);
    expect([messages(first), messages(second)]).toEqual([['["shop"]'], ['["bank"]']]);
    expect(first.policies[0]?.sources).toBe(second.policies[0]?.sources);
    expect(first.policies[0]?.digest).not.toBe(second.policies[0]?.digest);
  });

  it('are not reached by the data of the judged job', async () => {
    put('teams.yaml', 'teams: [shop]\n');
    const alone = await check(file);
    const both = await check(file, '--policy', brought, '--data', flag);
    expect(messages(both)).toEqual(['["shop"]', 'brought']);
    expect(both.policies.map(({ digest }) => digest)).toContain(alone.policies[0]?.digest);
  });
});

describe('a namespace of a policy of the Project', () => {
  it.each(['rules', 'bundle'])('that no package of %s has is an error', async (path) => {
    const file = put(
      'namespace.yaml',
      `apiVersion: countersign.dev/v1alpha1
kind: Project
environments: [{name: production, tier: production}]
policies: [{path: ${path}, namespaces: ["ma*", mian]}]
`,
    );
    expect(await countersign(['check', objects, '--project', file, '--env', 'production'])).toEqual({
      exit: 4,
      out: '',
      err: 'countersign: no package with rules is called "mian" [POLICY_EMPTY]\nhint: check the spelling; * stands for any part of a name, dots too\n',
    });
  });
});

describe('data that cannot be used', () => {
  it.each([
    ['a file that is missing', 'rules', undefined, 3, 'INPUT_UNREADABLE'],
    ['a list', 'rules', '[1]', 4, 'POLICY_DATA'],
    ['the parameters', 'rules', 'countersign: {parameters: {}}', 4, 'POLICY_DATA'],
    ['what the bundle owns', 'bundle', 'fixed: {b: 2}', 4, 'POLICY_DATA'],
  ])('%s', async (_, policy, text, exit, code) => {
    const file = put(
      'bad.yaml',
      `apiVersion: countersign.dev/v1alpha1
kind: Project
environments: [{name: production, tier: production}]
policies: [{path: ${policy}, data: [bad-data.yaml]}]
`,
    );
    if (text !== undefined) put('bad-data.yaml', text);
    const answer = await countersign(['check', objects, '--project', file, '--env', 'production']);
    expect({ exit: answer.exit, out: answer.out }).toEqual({ exit, out: '' });
    expect(answer.err).toContain(`[${code}]`);
  });
});
