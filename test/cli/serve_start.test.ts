// SPDX-License-Identifier: Apache-2.0
// What serve says at its start. It is asked to stop before it has begun, so it starts, drains and ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { countersign } from './world.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-serve-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('serve', () => {
  it('says which Project it found, what its environments judge and what becomes of the rest', async () => {
    await countersign(['init', root]);
    const project = join(root, 'countersign.yaml');
    const serve = (...argv: string[]): ReturnType<typeof countersign> =>
      countersign(
        [
          'serve',
          '--listen',
          '127.0.0.1:0',
          '--state',
          join(root, '.countersign'),
          '--project',
          project,
          ...argv,
        ],
        { onStop: (callback) => callback(), now: () => new Date() },
      );
    const named = JSON.stringify(project);
    expect(await serve()).toMatchObject({
      exit: 0,
      err: expect.stringContaining(
        `note: Project ${named}: environments "production" (shop, cluster-scoped objects); unmapped: deny\n`,
      ),
    });
    expect(await serve('--env', 'production')).toMatchObject({
      exit: 0,
      err: expect.stringContaining(
        `note: Project ${named}: every request is judged for environment "production"\n`,
      ),
    });
  }, 60_000);
});
