// SPDX-License-Identifier: Apache-2.0
import type { Environment, Project } from '../../engine/context/project.ts';
import type { Decision } from '../../engine/index.ts';
import type { Args } from '../args.ts';
import { type ExitCode, reportError, UsageError } from '../exit.ts';
import type { Io } from '../io.ts';
import { type ReportFrame, type Target, writeReports } from '../report/report.ts';
import { oneLine } from '../report/text.ts';

/** What one environment's check came to. */
export interface Checked {
  readonly decision: Decision;
  readonly report: Omit<ReportFrame, 'colour'>;
  readonly exit: ExitCode;
}

const EVERY = 'all';

/** Whether `--env all` asks for every environment; one that is called so is meant itself. */
export const asksEvery = (args: Args, project: Project | undefined): boolean =>
  args.text('env') === EVERY &&
  project !== undefined &&
  !project.environments.some(({ name }) => name === EVERY);

/**
 * Checks for each environment of the Project, in its order: a Decision each, and the highest exit code. An environment that has no
 * answer does not keep the others from theirs.
 * @throws {UsageError} for what is of one environment: a record, a report to a file, formats that hold one Decision
 */
export async function checkEvery(
  project: Project,
  { args, io, targets }: { readonly args: Args; readonly io: Io; readonly targets: readonly Target[] },
  check: (environment: Environment, io: Io) => Promise<Checked>,
): Promise<ExitCode> {
  const format = formatOf(args, project, targets);
  let stdin: Promise<Uint8Array> | undefined;
  const shared: Io = {
    ...io,
    stdin: () => {
      stdin ??= io.stdin();
      return stdin;
    },
  };
  const decisions: Decision[] = [];
  let highest: ExitCode = 0;
  for (const environment of project.environments) {
    const own = underHeading(`environment ${oneLine(JSON.stringify(environment.name))}:\n`, shared);
    try {
      const { decision, report, exit } = await check(environment, own);
      decisions.push(decision);
      if (format === 'text') writeReports(decision, targets, own, report);
      if (exit > highest) highest = exit;
    } catch (error) {
      const exit = reportError(error, own);
      if (exit > highest) highest = exit;
    }
  }
  if (format === 'json') io.out(`${JSON.stringify(decisions, null, 2)}\n`);
  return highest;
}

/** The same, with a heading before the first text on each stream; once for both where both are read together, on a terminal. */
function underHeading(heading: string, io: Io): Io {
  const isOne = io.outIsTerminal && io.errIsTerminal;
  const headed = new Set<'out' | 'err'>();
  const head = (stream: 'out' | 'err'): void => {
    if (headed.has(stream) || (isOne && headed.size > 0)) return;
    headed.add(stream);
    io[stream](heading);
  };
  return {
    ...io,
    out: (text) => {
      head('out');
      io.out(text);
    },
    err: (text) => {
      head('err');
      io.err(text);
    },
  };
}

function formatOf(args: Args, project: Project, targets: readonly Target[]): 'text' | 'json' {
  if (project.environments.length === 0)
    throw new UsageError('--env all, and the Project declares no environments', 'leave --env out');
  if (args.has('record'))
    throw new UsageError(
      '--record is for one environment',
      'record each by itself: --env NAME --record FILE',
    );
  const [target, more] = targets;
  if (more === undefined && target?.file === undefined)
    if (target?.format === 'text' || target?.format === 'json') return target.format;
  throw new UsageError(
    '--env all prints text or json, to standard output',
    'for other reports check each environment by itself',
  );
}
