// SPDX-License-Identifier: Apache-2.0
import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { EngineError } from '../../../engine/index.ts';
import type { Args } from '../../args.ts';
import { codeOf } from '../../cause.ts';
import { type ExitCode, reportError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { withProgress } from '../../report/progress.ts';

/** Editors write a file in several steps; one run is for all that happens within this time. */
const SETTLE_MS = 150;
const WATCHED = /\.(?:rego|json|ya?ml)$/i;

/** What is watched, and what the progress is called. */
export interface Watch {
  readonly paths: readonly string[];
  readonly doing: string;
}

/**
 * Runs once, or with `--watch` again whenever a Rego, JSON or YAML file below these paths changes, until the process is asked to
 * stop; then the last run's exit code counts. An error ends one run, not the watch.
 */
export function watched(
  args: Args,
  io: Io,
  { paths, doing }: Watch,
  run: () => Promise<ExitCode>,
): Promise<ExitCode> {
  const runOnce = (): Promise<ExitCode> => withProgress(io, doing, run);
  return args.has('watch') ? watchAll(io, paths, runOnce) : runOnce();
}

async function watchAll(io: Io, paths: readonly string[], run: () => Promise<ExitCode>): Promise<ExitCode> {
  const changes = changesOf(paths);
  const stopped = new Promise<'stop'>((resolve) => io.onStop(() => resolve('stop')));
  try {
    for (;;) {
      const exit = await run().catch((error: unknown) => reportError(error, io));
      io.err('watching for changes, Ctrl-C ends\n');
      if ((await Promise.race([changes.next(), stopped])) === 'stop') return exit;
    }
  } finally {
    changes.close();
  }
}

interface Changes {
  /** Resolves when a change has settled; at once where one came since the last call. */
  next(): Promise<'change'>;
  close(): void;
}

function changesOf(paths: readonly string[]): Changes {
  let isChanged = false;
  let wake: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const settle = (): void => {
    isChanged = true;
    wake?.();
  };
  const onChange = (name: string): void => {
    if (!WATCHED.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(settle, SETTLE_MS);
  };
  const watchers = paths.map((path) => watchOne(path, onChange));
  return {
    next: async () => {
      if (!isChanged)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      isChanged = false;
      return 'change';
    },
    close: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Of a file its folder is watched: editors put a new file in the place of the old one. */
function watchOne(path: string, onChange: (name: string) => void): FSWatcher {
  try {
    const isFolder = statSync(path).isDirectory();
    const watcher = watch(isFolder ? path : dirname(path), { recursive: isFolder });
    watcher.on('change', (_, name) => {
      if (isFolder || String(name) === basename(path)) onChange(String(name));
    });
    // A folder that vanishes is a change: the run that follows says that it is gone.
    return watcher.on('error', () => onChange(path));
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `cannot watch ${JSON.stringify(path)}: ${codeOf(cause)}`, {
      cause,
      hint: 'check the path',
    });
  }
}
