// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

/** A whole process to measure; what it writes to stdout goes to `output`. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly output: string;
}

/** One run: wall time and the CPU time of the process and all that it started, in seconds. */
export interface Timing {
  readonly wallS: number;
  readonly cpuS: number;
  readonly exitCode: number;
}

// The shell's own clock: it starts with the process and ends with it, and counts the CPU time of its descendants.
const TIMED = 'TIMEFORMAT="%3R %3U %3S"; time "$@" 2>"$0"';

/** Runs a command to its end. */
export async function time(command: Command): Promise<Timing> {
  const { exitCode, stderr } = await runToEnd(command, 'bash', [
    '-c',
    TIMED,
    `${command.output}.stderr`,
    command.program,
    ...command.args,
  ]);
  const [wallS, userS, systemS] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  if (wallS === undefined || userS === undefined || systemS === undefined || Number.isNaN(wallS))
    throw new Error(`${command.program} could not be timed: ${stderr}`);
  return { wallS, cpuS: userS + systemS, exitCode };
}

/**
 * Runs a command once more, slower, and watches how much memory it holds at most, in MiB. Counted are the peaks
 * (VmHWM) of the process and all that it started, added up, as if all peaked at once. Undefined where there is no /proc.
 */
export async function peakMemory(command: Command): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const peaks = new Map<number, number>();
  let watch: NodeJS.Timeout | undefined;
  await runToEnd(command, command.program, command.args, (pid) => {
    watch = setInterval(() => {
      for (const id of treeOf(pid)) peaks.set(id, peakOf(id) ?? peaks.get(id) ?? 0);
    }, 2);
  });
  clearInterval(watch);
  return [...peaks.values()].reduce((sum, peak) => sum + peak, 0) / 1024;
}

/** The most memory a running process and what it started have held, in MiB. */
export function peakOfTree(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return treeOf(pid).reduce((sum, id) => sum + (peakOf(id) ?? 0), 0) / 1024;
}

/** CPU time that a running process and what it started have used so far, in seconds. */
export function cpuOfTree(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return treeOf(pid).reduce((sum, id) => sum + cpuOf(id), 0);
}

function runToEnd(
  command: Command,
  program: string,
  args: readonly string[],
  started: (pid: number) => void = () => undefined,
): Promise<{ exitCode: number; stderr: string }> {
  const output = openSync(command.output, 'w');
  const child = spawn(program, args, {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    stdio: ['ignore', output, 'pipe'],
  });
  closeSync(output);
  if (child.pid !== undefined) started(child.pid);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? -1, stderr }));
  });
}

/** A process and its descendants. */
function treeOf(pid: number): number[] {
  const tree = [pid];
  for (const id of tree) tree.push(...childrenOf(id));
  return tree;
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
        .split(' ')
        .filter((text) => text !== '')
        .map(Number),
    );
  } catch {
    return [];
  }
}

function peakOf(pid: number): number | undefined {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}

const TICKS_PER_SECOND = 100;

function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    // Fields 14 and 15 of proc(5), counted from the state on: user and system time in ticks.
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
