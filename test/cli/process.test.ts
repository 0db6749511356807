// SPDX-License-Identifier: Apache-2.0
// What only the real process shows: the launcher, exit codes, signals, pipes.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const LAUNCHER = join(process.cwd(), 'cli/launcher.cjs');

describe('the process', () => {
  it('ends with the exit code of the verdict, under the Node of its package', () => {
    const { status, stdout } = spawnSync(process.execPath, [LAUNCHER, '--version'], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'countersign 0.1.0 (OPA 1.22.2)\n' });
    expect(spawnSync(process.execPath, [LAUNCHER, 'check', '-'], { input: '' }).status).toBe(3);
    expect(spawnSync(process.execPath, [LAUNCHER, 'nonsense']).status).toBe(2);
  });

  it('drains when the whole group is signalled, twice', async () => {
    const state = mkdtempSync(join(tmpdir(), 'countersign-serve-'));
    const child = spawn(
      process.execPath,
      [
        LAUNCHER,
        'serve',
        '--listen',
        '127.0.0.1:0',
        '--state',
        state,
        '--parameters',
        'examples/parameters.yaml',
      ],
      { detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    try {
      const ended = new Promise((fulfil) => child.once('exit', (code, signal) => fulfil({ code, signal })));
      await new Promise((fulfil) => child.stdout.once('data', fulfil));
      process.kill(-(child.pid ?? 0), 'SIGTERM');
      process.kill(-(child.pid ?? 0), 'SIGTERM');
      expect(await ended).toEqual({ code: 0, signal: null });
    } finally {
      rmSync(state, { recursive: true, force: true });
    }
  });
});
