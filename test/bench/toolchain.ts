// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { spreadOf, spreadText, tableText } from './statistics.ts';

const ROOT = join(import.meta.dirname, '..', '..');

interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

/** What one process measured; see `start.ts`. */
interface Start {
  readonly isCached: boolean;
  readonly rules: number;
  readonly ready: Took;
  readonly start: Took;
  readonly compile: Took;
}

/** How long it takes until a policy can be asked: from the cache, and compiled. Each run is a process of its own, on one core. */
export async function benchToolchain(o: {
  readonly runs: number;
  readonly directory: string;
  readonly print: (line: string) => void;
}): Promise<string> {
  const script = await bundled();
  const cache = join(o.directory, 'toolchain-cache');
  mkdirSync(cache, { mode: 0o700 });
  const first = startOnce(script, cache);
  o.print(`toolchain: ${first.rules} rules, ${core().length === 0 ? 'on all cores' : 'on one core'}`);
  const runs = Array.from({ length: 2 * o.runs + 1 }, () => startOnce(script, cache));
  if (first.isCached || !runs.every(({ isCached }) => isCached)) throw new Error('the cache did not work');
  const row = (what: string, of: (start: Start) => Took, target: string): string[] => [
    what,
    spreadText(spreadOf(runs.map((run) => of(run).ms)), 1),
    spreadText(spreadOf(runs.map((run) => of(run).cpuMs)), 1),
    target,
  ];
  return tableText([
    ['cold start', 'ms', 'CPU ms', 'target'],
    row('policy ready, cached', ({ ready }) => ready, '25'),
    row('toolchain started', ({ start }) => start, '400'),
    row(`${first.rules} rules compiled after that`, ({ compile }) => compile, '1000'),
  ]);
}

/** As it is shipped: one file, beside the worker that it looks for there. */
async function bundled(): Promise<string> {
  const outdir = join(import.meta.dirname, '.build', 'start');
  await build({
    absWorkingDir: ROOT,
    entryPoints: { start: 'test/bench/start.ts', rego_worker: 'engine/toolchain/rego/rego_worker.ts' },
    outdir,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
  });
  return join(outdir, 'start.js');
}

function startOnce(script: string, cache: string): Start {
  const [program, ...args] = [...core(), process.execPath, '--disable-warning=ExperimentalWarning'];
  return JSON.parse(execFileSync(program ?? '', [...args, script, ROOT, cache], { encoding: 'utf8' }));
}

/** Threads share a core where the system can be told so. */
function core(): readonly string[] {
  const pinned = ['taskset', '-c', '0'];
  return spawnSync('taskset', [...pinned.slice(1), 'true']).status === 0 ? pinned : [];
}
