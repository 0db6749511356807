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
  const [first, second] = argv;
  if (first === undefined) {
    io.err(overview());
    return 2;
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    io.out(overview());
    return 0;
  }
  if (first === '--version' || first === 'version') return printVersion(io);
  const name =
    second !== undefined && Object.hasOwn(VERBS, `${first} ${second}`) ? `${first} ${second}` : first;
  const known = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (known === undefined) return unknownVerb(first, argv, io);
  const rest = argv.slice(name.split(' ').length);
  const end = rest.indexOf('--');
  const flags = end < 0 ? rest : rest.slice(0, end);
  if (flags.includes('--version')) return printVersion(io);
  const verb = await known.load();
  if (flags.includes('--help') || flags.includes('-h')) {
    io.out(helpOf(verb));
    return 0;
  }
  return verb.run(parseVerb(verb, rest), io);
}

function printVersion(io: Io): ExitCode {
  const { version, opa } = findInstallation();
  io.out(`countersign ${version} (OPA ${opa})\n`);
  return 0;
}

/** `policy` or `verify` alone is a group: its verbs are what the reader wants to know. */
function unknownVerb(first: string, argv: readonly string[], io: Io): ExitCode {
  const group = Object.entries(VERBS).filter(([name]) => name.startsWith(`${first} `));
  if (group.length > 0 && argv.some((argument) => argument === '--help' || argument === '-h')) {
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
