// SPDX-License-Identifier: Apache-2.0
import { helpOf, parseVerb } from './args.ts';
import { type ExitCode, reportError, UsageError } from './exit.ts';
import { findInstallation } from './installation.ts';
import type { Io } from './io.ts';
import { overview, VERBS } from './verbs.ts';

/** The command line as a value: arguments and a world in, an exit code out. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return reportError(error, io);
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [first] = argv;
  if (first === undefined) {
    io.err(overview());
    return 2;
  }
  if (first === 'help' || (argv.length === 1 && isHelp(first))) return help(argv.slice(1), io);
  if (argv.length === 1 && isVersion(first)) return printVersion(io);
  const name = nameOf(argv);
  if (!Object.hasOwn(VERBS, name)) return unknownVerb(first, argv, io);
  const rest = argv.slice(name.split(' ').length);
  const [only] = rest;
  if (rest.length === 1 && isHelp(only)) return help(name.split(' '), io);
  if (rest.length === 1 && only === '--version') return printVersion(io);
  refuseAside(name, rest);
  const verb = await VERBS[name]?.load();
  return verb === undefined ? unknownVerb(first, argv, io) : verb.run(parseVerb(verb, rest), io);
}

const isHelp = (argument: string | undefined): boolean => argument === '--help' || argument === '-h';
const isVersion = (argument: string | undefined): boolean =>
  argument === '--version' || argument === 'version';

/** The name of a verb, of one word or two. */
function nameOf([first = '', second]: readonly string[]): string {
  return second !== undefined && Object.hasOwn(VERBS, `${first} ${second}`) ? `${first} ${second}` : first;
}

/**
 * Help and version are answers of exit code 0, so they are given only where nothing else was asked: in `check *` a file may be
 * called `--help`, and then nothing would be checked.
 */
function refuseAside(name: string, rest: readonly string[]): void {
  const end = rest.indexOf('--');
  const flags = end < 0 ? rest : rest.slice(0, end);
  const aside = flags.find((flag) => /^(?:--help|-h|--version)(?:=|$)/.test(flag));
  if (aside === undefined) return;
  throw new UsageError(
    `${JSON.stringify(aside)} stands beside other arguments`,
    `countersign ${name} --help alone prints the help; a file of that name is ./${aside}`,
  );
}

async function help(words: readonly string[], io: Io): Promise<ExitCode> {
  const [first] = words;
  const known = Object.hasOwn(VERBS, words.join(' ')) ? VERBS[words.join(' ')] : undefined;
  if (known !== undefined) io.out(helpOf(await known.load()));
  else if (first === undefined) io.out(overview());
  else return unknownVerb(first, [...words, '--help'], io);
  return 0;
}

function printVersion(io: Io): ExitCode {
  const { version, opa } = findInstallation();
  io.out(`countersign ${version} (OPA ${opa})\n`);
  return 0;
}

/** `policy` or `verify` alone is a group: its verbs are what the reader wants to know. */
function unknownVerb(first: string, argv: readonly string[], io: Io): ExitCode {
  const group = Object.entries(VERBS).filter(([name]) => name.startsWith(`${first} `));
  const isAlone = argv.length === 2;
  if (group.length > 0 && isAlone && argv[1] === '--version') return printVersion(io);
  if (group.length > 0 && isAlone && isHelp(argv[1])) {
    io.out(`${group.map(([name, verb]) => `countersign ${name}: ${verb.summary}`).join('\n')}\n`);
    return 0;
  }
  const hint =
    group.length > 0
      ? `verbs are ${group.map(([name]) => name).join(', ')}`
      : 'countersign --help lists the verbs';
  throw new UsageError(
    `unknown verb ${JSON.stringify(group.length > 0 ? argv.slice(0, 2).join(' ') : first)}`,
    hint,
  );
}
