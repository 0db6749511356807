// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Item, openInputs } from '../../../attest/index.ts';
import { temporaryFolders } from '../../attest/fixture.ts';
import { countersign, type Outcome } from '../world.ts';

const folders = temporaryFolders();
const root = folders.make();
const project = join(root, 'countersign.yaml');
afterAll(() => folders.removeAll());

const itemOf = (environment: string | undefined, time: string): Item => {
  const bytes = Buffer.from(`${environment} ${time}`);
  const digest = hash('sha256', bytes, 'hex');
  return { kind: 'input', digest, bytes, time, ...(environment === undefined ? {} : { environment }) };
};
const prune = (...argv: string[]): Promise<Outcome> =>
  countersign(['inputs', 'prune', '--project', project, '--state', root, ...argv]);

beforeAll(() => {
  writeFileSync(
    project,
    `apiVersion: countersign.dev/v1alpha1
kind: Project
environments:
  - {name: live, tier: production, keepYears: 1}
  - {name: held, tier: production, keepYears: 1, legalHold: true}
  - {name: always, tier: other}
`,
  );
  const inputs = openInputs(root, { create: true });
  const times = ['2024-01-01T00:00:00Z', '2025-11-24T12:00:00Z', '2025-11-24T12:00:01Z'];
  inputs.put(
    ['live', 'held', 'always', 'gone', undefined].flatMap((name) => times.map((time) => itemOf(name, time))),
  );
  inputs.close();
});

const linesOf = (done: string, live: string): string =>
  [
    `"always": 0 ${done}, 3 kept (for ever)`,
    `"gone": 0 ${done}, 3 kept (the Project does not declare it)`,
    `"held": 0 ${done}, 3 kept (legal hold)`,
    `"live": ${live} (1 year)`,
    `no environment: 0 ${done}, 3 kept (the Project does not declare it)`,
    '',
  ].join('\n');

describe('inputs prune', () => {
  it('deletes what is older than the years of its environment, but for what is held', async () => {
    expect(await prune('--dry-run')).toEqual({
      exit: 0,
      out: linesOf('would be deleted', '2 would be deleted, 1 kept'),
      err: '',
    });
    expect(await prune()).toEqual({ exit: 0, out: linesOf('deleted', '2 deleted, 1 kept'), err: '' });
    expect(await prune()).toEqual({ exit: 0, out: linesOf('deleted', '0 deleted, 1 kept'), err: '' });
  });

  it('needs a Project', async () => {
    expect(await countersign(['inputs', 'prune', 'x', '--project', project])).toMatchObject({ exit: 2 });
  });
});
