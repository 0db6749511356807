// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that runs in a process group of its own. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** What it has written so far, stdout and stderr. */
  readonly output: () => string;
  /** Exit code or signal; undefined while it runs. */
  readonly ended: () => number | string | undefined;
  /** Sends `signal` to the whole group and waits for the end; after `patienceMs` it is killed. */
  readonly stop: (signal: NodeJS.Signals, patienceMs?: number) => Promise<number | string>;
}

const groups = new Set<ChildProcess>();

/** Starts a program whose output goes to `log`. */
export function start(o: {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly log: string;
  readonly cwd?: string;
}): Running {
  const log = openSync(o.log, 'w');
  const child = spawn(o.program, o.args, {
    ...(o.cwd === undefined ? {} : { cwd: o.cwd }),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  groups.add(child);
  const exited = endOf(child);
  let ended: number | string | undefined;
  void exited.then((how) => {
    ended = how;
  });
  return {
    name: o.name,
    pid: child.pid ?? 0,
    output: () => readFileSync(o.log, 'utf8'),
    ended: () => ended,
    stop: (signal, patienceMs = 15_000) => stop(child, exited, { signal, patienceMs }),
  };
}

function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}

async function stop(
  child: ChildProcess,
  exited: Promise<number | string>,
  o: { signal: NodeJS.Signals; patienceMs: number },
): Promise<number | string> {
  signalGroup(child, o.signal);
  const late = new AbortController();
  const how = await Promise.race([
    exited,
    sleep(o.patienceMs, 'late', { signal: late.signal }).catch(() => 'stopped'),
  ]);
  late.abort();
  if (how === 'late') signalGroup(child, 'SIGKILL');
  // Whatever the first process left behind in its group goes with it.
  signalGroup(child, 'SIGKILL');
  groups.delete(child);
  return how === 'late' ? 'killed, it did not end in time' : how;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

/** Kills every group that still runs, however this process ends. */
export function stopAllAtExit(): void {
  process.on('exit', () => {
    for (const child of groups) signalGroup(child, 'SIGKILL');
  });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}

/** A TCP port of the loopback interface that nothing listens on right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port to be had')),
      );
    });
  });
}

/** Asks again and again until there is an answer; fails after `patienceMs`, or at once when `running` has ended. */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  o: { readonly patienceMs: number; readonly running?: Running },
): Promise<T> {
  const end = performance.now() + o.patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    const ended = o.running?.ended();
    if (ended !== undefined) throw new Error(`${o.running?.name} ended (${ended}) before: ${what}`);
    if (performance.now() > end) throw new Error(`waited ${o.patienceMs / 1000} s in vain for: ${what}`);
    await sleep(100);
  }
}
