// SPDX-License-Identifier: Apache-2.0
// The state of the working folder before a change: a folder that holds it, or a commit of its Git repository.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Environment } from '../../engine/context/project.ts';
import type { Args } from '../args.ts';
import { UsageError } from '../exit.ts';

/** Where files of the working folder were before; absent for what was not there. */
export interface Earlier {
  /** The folder that stands for `base`. */
  readonly folder: string;
  /** The folder that paths are compared from: the work tree, or the working folder. */
  readonly base: string;
  readonly close: () => void;
}

type Environ = Readonly<Record<string, string | undefined>>;

/** Opens the earlier state. A commit is unpacked into a temporary folder, beside the repository's own index. @throws {UsageError} */
export function openEarlier(stated: string, environ: Environ): Earlier {
  if (statSync(stated, { throwIfNoEntry: false })?.isDirectory())
    return { folder: resolve(stated), base: resolve('.'), close: () => undefined };
  const run = (parameters: readonly string[], more: Environ = {}): string =>
    git(stated, parameters, { ...own(environ), ...more });
  const base = run(['rev-parse', '--show-toplevel']).trim();
  const tree = run(['rev-parse', '--verify', '--end-of-options', `${stated}^{tree}`]).trim();
  const temporary = mkdtempSync(join(tmpdir(), 'countersign-against-'));
  const close = (): void => rmSync(temporary, { recursive: true, force: true });
  try {
    const folder = join(temporary, 'tree');
    const index = { GIT_INDEX_FILE: join(temporary, 'index') };
    run(['-C', base, 'read-tree', tree], index);
    run(['-C', base, 'checkout-index', '--all', `--prefix=${folder}/`], index);
    return { folder, base, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Of the environment git gets no more than where it is and whose settings count: `GIT_DIR` and its kin would change the question. */
const own = (environ: Environ): Environ => ({
  PATH: environ['PATH'],
  HOME: environ['HOME'],
  GIT_TERMINAL_PROMPT: '0',
  LC_ALL: 'C',
});

function git(stated: string, parameters: readonly string[], env: Environ): string {
  const ended = spawnSync('git', ['-c', 'core.hooksPath=/dev/null', ...parameters], {
    env,
    encoding: 'utf8',
  });
  if (ended.status === 0) return ended.stdout;
  const why = ended.error === undefined ? ended.stderr.trim() : 'git cannot be run';
  throw new UsageError(
    `--against ${JSON.stringify(stated)} is no folder and no commit: ${why}`,
    'name a folder that holds the earlier state, or a commit, branch or tag of this repository',
  );
}

const PATHS: ReadonlySet<string> = new Set(['values', 'from', 'values-from', 'chart', 'root']);

/** The same arguments for the earlier state; undefined where none of their paths was there. @throws {UsageError} for what has no earlier state */
export function argsThen(args: Args, earlier: Earlier): Args | undefined {
  const positionals = args.positionals
    .map((path) => pathThen(path, earlier))
    .filter((path) => existsSync(path));
  const from = args.text('from');
  const fromThen = from === undefined ? undefined : pathThen(from, earlier);
  const hasFrom = fromThen !== undefined && existsSync(fromThen);
  if (positionals.length === 0 && !hasFrom) return undefined;
  const list = (name: string): readonly string[] => {
    if (name === 'root' && !args.has('root')) return [earlier.folder];
    if (name === 'from' && !hasFrom) return [];
    return args.list(name).map((value) => (PATHS.has(name) ? orNow(value, earlier) : value));
  };
  return {
    positionals,
    list,
    text: (name) => list(name)[0],
    has: (name) => list(name).length > 0 || args.has(name),
  };
}

/** An environment whose files of values are those of then. */
export const environmentThen = (
  environment: Environment | undefined,
  earlier: Earlier,
): Environment | undefined =>
  environment?.values === undefined
    ? environment
    : { ...environment, values: environment.values.map((file) => orNow(file, earlier)) };

/** What was not there yet is as it is now: a new file of values is none of what changed in the objects. */
function orNow(path: string, earlier: Earlier): string {
  const then = pathThen(path, earlier);
  return existsSync(then) ? then : path;
}

function pathThen(path: string, { folder, base }: Earlier): string {
  const below = relative(base, resolve(path));
  if (path === '-' || isAbsolute(below) || /^\.\.(?:[/\\]|$)/.test(below))
    throw new UsageError(
      `--against has no earlier state of ${JSON.stringify(path)}`,
      'check files of the repository, or of the working folder',
    );
  return join(folder, below);
}
