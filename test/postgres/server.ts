// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL server of our own, of the machine's binaries: in a temporary folder, on loopback. It refuses to run as root, so there it
// runs as the user `postgres` or `nobody`.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../attest/ledger/postgres/connection.ts';

/** Whether this machine has PostgreSQL. */
export const HAS_POSTGRES = ['postgres', 'initdb'].every(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
);

/** A running server. */
export interface Server {
  /** Makes a database of its own and returns its address. */
  database(): Promise<string>;
  /** Ends it at once, as a crash does. */
  crash(): Promise<void>;
  /** Starts it again. */
  start(...options: string[]): Promise<void>;
  stop(): Promise<void>;
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

function unprivileged(): User {
  if (process.getuid?.() !== 0) return {};
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres', 'nobody']
    .map((name) => lines.find((one) => one.startsWith(`${name}:`)))
    .find(Boolean);
  const [, , uid, gid] = (line ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

/** Makes and starts a server. */
export async function startServer(): Promise<Server> {
  const user = unprivileged();
  const base = mkdtempSync(join(tmpdir(), 'countersign-postgres-'));
  chmodSync(base, 0o755);
  const data = mkdtempSync(join(base, 'data-'));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(data, user.uid, user.gid);
  execFileSync('initdb', ['-D', data, '-U', 'countersign', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], {
    ...user,
    cwd: data,
    stdio: 'ignore',
  });
  const port = await freePort();
  const urlOf = (name: string): string => `postgres://countersign@127.0.0.1:${port}/${name}`;
  let child: ChildProcess | undefined;
  let databases = 0;

  async function start(...options: string[]): Promise<void> {
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${data}`,
      `port=${port}`,
      'max_connections=100',
      ...options,
    ];
    child = spawn('postgres', ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
      ...user,
      cwd: data,
      stdio: 'ignore',
    });
    for (let tries = 0; tries < 300; tries++) {
      if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}`);
      const database = await openDatabase(urlOf('postgres'), 1);
      const isUp = await database.ask({ text: 'SELECT 1' }).then(
        () => true,
        () => false,
      );
      await database.close();
      if (isUp) return;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error('postgres did not start');
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  await start();
  return {
    start,
    // SIGQUIT: every backend ends at once, nothing is written any more; the next start recovers from the log.
    crash: () => end('SIGQUIT'),
    stop: async () => {
      await end('SIGINT');
      rmSync(base, { recursive: true, force: true });
    },
    database: async () => {
      const name = `ledger${++databases}`;
      const database = await openDatabase(urlOf('postgres'), 1);
      await database.ask({ text: `CREATE DATABASE ${name}` });
      await database.close();
      return urlOf(name);
    },
  };
}
