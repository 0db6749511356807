// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from 'node:util';
import { codeOf, messageOf } from './cause.ts';
import type { ExitCode } from './exit.ts';
import { UsageError } from './exit.ts';
import type { Io } from './io.ts';

/** One flag of a verb; `value` is how its value is called in the help, absent for a switch. */
export interface Flag {
  readonly value?: string;
  readonly multiple?: true;
  /** One letter, as other tools have it: `-o`. */
  readonly short?: string;
  /** Flags of which one must be given too: without them it would have no effect. */
  readonly needs?: readonly string[];
  /** Flags that may not be given too: they would take its effect away. */
  readonly excludes?: readonly string[];
  readonly help: string;
}

/** Flags by name. */
export type Flags = Readonly<Record<string, Flag>>;

/** The same flags, which have an effect only beside one of these. */
export const needing = (needs: readonly string[], flags: Flags): Flags =>
  Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, { ...flag, needs }]));

/** The same flags, whose effect another one takes away. */
export const excluding = (other: string, flags: Flags): Flags =>
  Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      { ...flag, excludes: [...(flag.excludes ?? []), other] },
    ]),
  );

/** One verb: what the help says of it, its flags, and what it does. */
export interface Verb {
  /** As typed: `check`, `policy test`. */
  readonly name: string;
  readonly summary: string;
  readonly positionals: string;
  readonly details: string;
  readonly flags: Flags;
  readonly run: (args: Args, io: Io) => Promise<ExitCode>;
}

/** A verb's arguments, in any order on the command line. */
export interface Args {
  readonly positionals: readonly string[];
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  has(name: string): boolean;
}

/**
 * Parses a verb's arguments. Unknown flags, missing values and repeated single flags are errors.
 * @throws {UsageError}
 */
export function parseVerb(verb: Verb, argv: readonly string[]): Args {
  const options = Object.fromEntries(
    Object.entries(verb.flags).map(([name, flag]) => [
      name,
      {
        type: flag.value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: true,
        ...(flag.short === undefined ? {} : { short: flag.short }),
      },
    ]),
  );
  const { values, positionals } = parse(verb, argv, options);
  const given = new Map<string, readonly (string | boolean)[]>(
    Object.entries(values).flatMap(([name, value]) => (Array.isArray(value) ? [[name, value] as const] : [])),
  );
  for (const [name, value] of given) {
    if (value.length > 1 && verb.flags[name]?.multiple !== true)
      throw new UsageError(`--${name} is given ${value.length} times`, 'give it once');
    if (value.includes('')) throw new UsageError(`--${name} has an empty value`, helpHint(verb));
  }
  refuseIdle(verb, new Set(given.keys()));
  const list = (name: string): readonly string[] =>
    (given.get(name) ?? []).filter((value) => typeof value === 'string');
  return { positionals, list, text: (name) => list(name)[0], has: (name) => given.has(name) };
}

/** What has no effect is refused: somebody counts on it. */
function refuseIdle(verb: Verb, given: ReadonlySet<string>): void {
  for (const name of given) {
    const { needs, excludes = [] } = verb.flags[name] ?? {};
    const other = excludes.find((flag) => given.has(flag));
    if (other !== undefined)
      throw new UsageError(`--${name} and --${other} exclude each other`, 'give one of them');
    if (needs === undefined || needs.some((flag) => given.has(flag))) continue;
    const missing = needs.map((flag) => `--${flag}`).join(' or ');
    throw new UsageError(
      `--${name} needs ${missing}`,
      `without it --${name} has no effect; ${helpHint(verb)}`,
    );
  }
}

function parse(
  verb: Verb,
  argv: readonly string[],
  options: Record<string, { type: 'boolean' | 'string'; multiple: boolean; short?: string }>,
): { values: object; positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!codeOf(error).startsWith('ERR_PARSE_ARGS')) throw error;
    throw new UsageError(usageMessage(error, argv), helpHint(verb));
  }
}

const helpHint = (verb: Verb): string => `see countersign ${verb.name} --help`;

/** Node's own sentences give advice about "--" that does not fit; ours names the flag. */
function usageMessage(error: unknown, argv: readonly string[]): string {
  const message = messageOf(error);
  const flag = /'(-[^' ]+)/.exec(message)?.[1] ?? argv.find((argument) => argument.startsWith('-')) ?? '';
  if (codeOf(error) === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return `unknown flag ${JSON.stringify(flag)}`;
  return `${flag} ${message.includes('does not take an argument') ? 'takes no value' : 'needs a value'}`;
}

/** The help of one verb. */
export function helpOf(verb: Verb): string {
  const flags = Object.entries(verb.flags).map(
    ([name, flag]) =>
      [
        `${flag.short === undefined ? '' : `-${flag.short}, `}--${name}${flag.value === undefined ? '' : ` ${flag.value}`}${flag.multiple ? '…' : ''}`,
        flag.help,
      ] as const,
  );
  const width = Math.max(...flags.map(([left]) => left.length), 6);
  const lines = flags.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`);
  const usage = ['countersign', verb.name, verb.positionals, '[flags]']
    .filter((part) => part !== '')
    .join(' ');
  return [
    verb.summary,
    '',
    `usage: ${usage}`,
    ...(verb.details === '' ? [] : ['', verb.details]),
    '',
    'flags:',
    ...lines,
    `  ${'--help'.padEnd(width)}  print this help`,
    '',
  ].join('\n');
}
