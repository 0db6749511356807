// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../../engine/index.ts';
import { inVersion } from '../../../engine/policy/index.ts';
import type { RegoSource } from '../../../engine/toolchain/rego.ts';
import type { Args, Verb } from '../../args.ts';
import { codeOf } from '../../cause.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { writeWhole } from '../../files.ts';
import type { Io } from '../../io.ts';
import { VERSION_FLAGS, versionOf } from '../../loading/version.ts';
import { unifiedDiff } from '../../report/diff.ts';
import { withProgress } from '../../report/progress.ts';
import { readFiles, type Workbench, withWorkbench } from './workbench.ts';

export const policyFmt: Verb = {
  name: 'policy fmt',
  summary: 'Lays out Rego files as OPA does, and prints them, or writes them with --write.',
  positionals: '[PATH…|-]',
  details:
    'Without a path, and for -, the text comes from standard input. Exit code: 1 with --fail where a file differs.',
  flags: {
    write: { short: 'w', help: 'write the files instead of printing them' },
    diff: { short: 'd', help: 'print what would change' },
    list: { short: 'l', excludes: ['diff'], help: 'print the names of the files that would change' },
    fail: { help: 'exit with 1 where a file would change' },
    ...VERSION_FLAGS,
  },
  run: (args, io) => withProgress(io, 'formatting', () => withWorkbench((bench) => format(args, io, bench))),
};

/** A file before and after. */
interface Laid {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

async function format(args: Args, io: Io, { toolchain }: Workbench): Promise<ExitCode> {
  const sources = await sourcesOf(args, io);
  const texts = await toolchain.format(sources);
  const all = sources.map(
    ({ file, text }, index): Laid => ({ file, before: text, after: texts[index] ?? text }),
  );
  const changed = all.filter(({ before, after }) => before !== after);
  print(args, io, all, changed);
  if (args.has('write')) for (const laid of changed) write(laid);
  return args.has('fail') && changed.length > 0 ? 1 : 0;
}

async function sourcesOf(args: Args, io: Io): Promise<readonly RegoSource[]> {
  const { positionals } = args;
  if (positionals.length > 0 && !positionals.includes('-')) return readFiles(positionals, args);
  if (positionals.length > 1 || args.has('write'))
    throw new UsageError('standard input is one text and cannot be written', 'name files, or pipe one in');
  return inVersion([{ file: '-', text: textOf(await io.stdin()) }], versionOf(args));
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', 'standard input is not UTF-8 text', { cause });
  }
}

/** What is asked for by name is printed alone; the texts themselves only where nothing else is asked for. */
function print(args: Args, io: Io, all: readonly Laid[], changed: readonly Laid[]): void {
  const isPlain = !['list', 'diff', 'write', 'fail'].some((flag) => args.has(flag));
  if (args.has('list')) io.out(changed.map(({ file }) => `${file}\n`).join(''));
  else if (args.has('diff'))
    io.out(changed.map(({ file, before, after }) => unifiedDiff(file, before, after)).join(''));
  else if (isPlain) io.out(all.map(({ after }) => after).join(''));
  else if (args.has('fail'))
    io.err(changed.map(({ file }) => `${file}:1:1: not laid out as OPA does [format]\n`).join(''));
}

/** A file is replaced in one step, so that whatever happens it is either the old one or the new one. */
function write({ file, after }: Laid): void {
  try {
    writeWhole(file, after);
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `cannot write ${JSON.stringify(file)}: ${codeOf(cause)}`, {
      cause,
      hint: 'check that this user may write the file and its folder',
    });
  }
}
