// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One program to build: from a module on this disk (`directory`), or `package@version` as published. */
export interface GoProgram {
  readonly name: string;
  readonly package: string;
  readonly directory?: string;
  readonly ldflags?: readonly string[];
}

/** The exit code by which a script says that it could not be tried here. */
export const SKIPPED = 77;

/**
 * Says that Go is missing and ends the process: 77 on a developer's machine; 1 where the environment
 * variable CI is set, since a suite that never runs must not look green there.
 */
export function exitWithoutGo(what: string): void {
  if (goVersion() !== undefined) return;
  const inCi = (process.env['CI'] ?? '') !== '';
  process.stdout.write(`${inCi ? 'failed' : 'skipped'}: go is not installed, ${what}\n`);
  process.exit(inCi ? 1 : SKIPPED);
}

function goVersion(): string | undefined {
  const answer = spawnSync('go', ['version'], { encoding: 'utf8' });
  return answer.status === 0 ? answer.stdout.trim() : undefined;
}

/**
 * Builds what is not yet built from the same sources, and returns the path of each program by its name.
 * `folder` is a cache outside version control; a program counts as built when its stamp, the digest of
 * everything that goes into it, is the one of now.
 */
export async function buildPrograms(
  programs: readonly GoProgram[],
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const built = new Map<string, string>();
  for (const program of programs) {
    await buildOne(program, bin);
    built.set(program.name, join(bin, program.name));
  }
  return built;
}

async function buildOne(program: GoProgram, bin: string): Promise<void> {
  const stamp = join(bin, `.${program.name}.stamp`);
  const digest = sourceDigest(program);
  const upToDate = existsSync(join(bin, program.name)) && existsSync(stamp);
  if (upToDate && readFileSync(stamp, 'utf8') === digest) return;
  process.stdout.write(`building ${program.name} (${program.package}) …\n`);
  const started = performance.now();
  await runGo(program, bin);
  writeFileSync(`${stamp}.new`, digest);
  renameSync(`${stamp}.new`, stamp);
  process.stdout.write(`built ${program.name} in ${Math.round((performance.now() - started) / 1000)} s\n`);
}

function goArguments(program: GoProgram, bin: string): string[] {
  const flags = ['-trimpath', `-ldflags=${['-s', '-w', ...(program.ldflags ?? [])].join(' ')}`];
  return program.directory === undefined
    ? ['install', ...flags, program.package]
    : ['build', ...flags, '-o', join(bin, program.name), program.package];
}

function runGo(program: GoProgram, bin: string): Promise<void> {
  const child = spawn('go', goArguments(program, bin), {
    cwd: program.directory ?? bin,
    env: { ...process.env, GOBIN: bin, CGO_ENABLED: '0' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`go could not build ${program.name} (exit ${code})`)),
    );
  });
}

function sourceDigest(program: GoProgram): string {
  const hash = createHash('sha256');
  const { directory: _where, ...what } = program;
  hash.update(JSON.stringify([goVersion(), what]));
  for (const file of sourceFiles(program.directory)) {
    hash.update(`\n${file}\n`);
    hash.update(readFileSync(join(program.directory ?? '', file)));
  }
  return hash.digest('hex');
}

function sourceFiles(directory: string | undefined): string[] {
  if (directory === undefined) return [];
  const sources = readdirSync(join(directory, 'cmd'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.go'))
    .map((file) => join('cmd', file));
  return ['go.mod', 'go.sum', ...sources.sort()];
}
