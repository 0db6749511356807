// SPDX-License-Identifier: Apache-2.0
// What only the real process shows: the launcher, exit codes, signals, pipes.

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const LAUNCHER = join(process.cwd(), 'cli/launcher.cjs');

/** Makes the launcher take this Node for an older one, so that it hands over to another process. */
const AS_OLDER_NODE = [
  '--import',
  "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.0.0'}})",
];

describe('the process', () => {
  it('is the launcher itself under the Node of its package, and another one under any other', () => {
    const version = { status: 0, stdout: 'countersign 0.1.0 (OPA 1.22.2)\n' };
    for (const flags of [[], AS_OLDER_NODE]) {
      const { status, stdout } = spawnSync(process.execPath, [...flags, LAUNCHER, '--version'], {
        encoding: 'utf8',
      });
      expect({ status, stdout }).toEqual(version);
      expect(spawnSync(process.execPath, [...flags, LAUNCHER, 'check', '-'], { input: '' }).status).toBe(3);
    }
  });

  it('ends with the exit code of the verdict, under the Node of its package', () => {
    const { status, stdout } = spawnSync(process.execPath, [LAUNCHER, '--version'], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'countersign 0.1.0 (OPA 1.22.2)\n' });
    expect(spawnSync(process.execPath, [LAUNCHER, 'check', '-'], { input: '' }).status).toBe(3);
    expect(spawnSync(process.execPath, [LAUNCHER, 'nonsense']).status).toBe(2);
  });

  it.each(['throw new Error("boom")', 'void Promise.reject(new Error("boom"))', 'throw "boom"'])(
    'ends with 70 and the stack where nobody caught: %s',
    async (fault) => {
      const folder = mkdtempSync(join(tmpdir(), 'countersign-fault-'));
      try {
        const file = join(folder, 'fault.mjs');
        writeFileSync(file, `setTimeout(() => { ${fault} }, 0)\n`);
        // Its standard input is never closed, so without the fault it would wait for ever.
        const child = spawn(
          process.execPath,
          ['--disable-warning=ExperimentalWarning', '--import', file, 'cli/main.ts', 'check', '-'],
          { env: { ...process.env, NODE_OPTIONS: '' } },
        );
        const said = { out: '', err: '' };
        child.stdout.on('data', (chunk: Buffer) => {
          said.out += chunk.toString();
        });
        child.stderr.on('data', (chunk: Buffer) => {
          said.err += chunk.toString();
        });
        const code = await new Promise((fulfil) => child.once('close', fulfil));
        expect({ code, out: said.out }).toEqual({ code: 70, out: '' });
        expect(said.err).toMatch(/^countersign: internal error, please report it\n(?:Error: )?boom\n/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  it('that is killed in the middle ends the launcher by the same signal, never with 0', async () => {
    const launcher = spawn(process.execPath, [...AS_OLDER_NODE, LAUNCHER, 'check', '-'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const ended = new Promise((fulfil) => launcher.once('exit', (code, signal) => fulfil({ code, signal })));
    let child = '';
    while (child === '') {
      await new Promise((fulfil) => setTimeout(fulfil, 20));
      child = spawnSync('ps', ['-o', 'pid=', '--ppid', String(launcher.pid)], {
        encoding: 'utf8',
      }).stdout.trim();
    }
    process.kill(Number(child), 'SIGKILL');
    expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('says of a file that it may not read what and where', () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-unreadable-'));
    try {
      const file = join(folder, 'pod.yaml');
      writeFileSync(file, 'apiVersion: v1\nkind: Pod\n');
      chmodSync(folder, 0o755);
      chmodSync(file, 0o000);
      // Root may read everything, so where root runs the tests somebody else runs the command.
      const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
      const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, 'check', file], {
        encoding: 'utf8',
        env: { ...process.env, HOME: folder },
        ...nobody,
      });
      expect({ status, stdout, stderr }).toEqual({
        status: 3,
        stdout: '',
        stderr: `countersign: cannot read ${JSON.stringify(file)}: permission denied [INPUT_UNREADABLE]\nhint: check the path and that this user may read it\n`,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
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
