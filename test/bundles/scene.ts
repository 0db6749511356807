// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Tally } from '../cluster/checks/tally.ts';
import type { BundlePrograms } from './build.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../cli/launcher.cjs');

/** What a program printed and how it ended. */
export interface Outcome {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** Where the checks happen: a folder, the programs, a registry that runs. */
export interface Scene {
  readonly directory: string;
  readonly programs: BundlePrograms;
  readonly registry: string;
  readonly tally: Tally;
}

/** Runs a program in the folder of the scene, without anybody's configuration. */
export function run({ directory }: Scene, program: string, ...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: directory },
  });
  return { exit: status, out: stdout ?? '', err: stderr ?? '' };
}

export const countersign = (scene: Scene, ...args: readonly string[]): Outcome =>
  run(scene, process.execPath, LAUNCHER, ...args);

/** Fails the check that is running, unless a program ended so and printed this. */
export function expectOutcome(outcome: Outcome, exit: number, part = ''): void {
  if (outcome.exit === exit && `${outcome.out}${outcome.err}`.includes(part)) return;
  throw new Error(`wanted exit ${exit} and ${JSON.stringify(part)}, got ${JSON.stringify(outcome, null, 1)}`);
}

/** Writes files below the folder of the scene. */
export function write({ directory }: Scene, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}
