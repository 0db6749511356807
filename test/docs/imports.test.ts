// SPDX-License-Identifier: Apache-2.0
// The example of docs/people.md that needs a forge, with its own rule, against a forge in this process.
import { readFileSync, rmSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { HEAD, putMergeRequest, startForge, TOKEN } from '../attest/forge/forge.ts';
import { shopOf } from '../cli/people/shop.ts';
import { countersign } from '../cli/world.ts';

it('holds what docs/people.md shows of an import', async () => {
  const forge = await startForge();
  const page = readFileSync('docs/people.md', 'utf8');
  const [, section = ''] = page.split('## Imported from GitLab or GitHub');
  const rule = /- (\{role: peer.*\})$/m.exec(section)?.[1] ?? '';
  const declared = /^forges:\n {2}- (.*)$/m
    .exec(section)?.[1]
    ?.replace('https://gitlab.example/api', `${forge.url}/api`);
  const here = shopOf(`approvals: [${rule}]`, `forges: [${declared}]\n`);
  const identities = `identities: [{issuer: 'https://gitlab.example', subject: '2'}]`;
  here.put(
    'countersign.yaml',
    here
      .read('countersign.yaml')
      .replace('"uses":["record"]', '"uses":["import"]')
      .replace('groups: [security], keys: [bob]', `groups: [payments], keys: [bob], ${identities}`),
  );
  putMergeRequest(forge, [[2, '10:05:00']]);
  const lines = /```sh\n([\s\S]+?)```/.exec(section)?.[1]?.trim().split('\n') ?? [];
  const own = (word: string): string =>
    ({
      deploy: here.path('deploy'),
      'record.json': here.path('record.json'),
      'importer.pem': here.path('ci.pem'),
      'ci.pem': here.path('alice.pem'),
      '"$CI_COMMIT_SHA"': HEAD,
    })[word] ?? word;
  const outcomes = [];
  for (const line of lines) {
    const argv = line.split(' ').slice(1).map(own);
    const project = ['--project', here.path('countersign.yaml')];
    const state = argv[0] === 'check' ? ['--state', here.path('state')] : [];
    outcomes.push(await countersign([...argv, ...project, ...state], { env: { FORGE_TOKEN: TOKEN } }));
  }
  expect(outcomes).toEqual([
    { exit: 0, out: expect.stringContaining('bob approved merge-request 42'), err: expect.any(String) },
    { exit: 0, out: expect.any(String), err: expect.any(String) },
  ]);
  await forge.close();
  rmSync(here.folder, { recursive: true });
}, 60_000);
