// SPDX-License-Identifier: Apache-2.0
import { type KeptRow, openInputs } from '../../../attest/index.ts';
import type { Project } from '../../../engine/context/project.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { findInstallation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { findProject, stateOf } from '../../loading/project.ts';
import { visible } from '../../report/text.ts';

export const inputsPrune: Verb = {
  name: 'inputs prune',
  summary: 'Deletes kept inputs whose years are over, as the Project says for each environment.',
  positionals: '',
  details: [
    'keepYears of an environment says for how long; without it, under legalHold, and of environments that the Project does not',
    'declare, nothing is deleted. Records are never deleted, and stay valid without their inputs.',
  ].join('\n'),
  flags: {
    project: { value: 'FILE', help: 'the Project (default countersign.yaml in this folder)' },
    state: {
      value: 'DIR',
      help: "folder of the kept inputs (default .countersign, or the Project's ledger)",
    },
    'dry-run': { help: 'count, and delete nothing' },
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const found = findProject(args.text('project'), openYamlReader(findInstallation().toolchain));
  if (found === undefined || args.positionals.length > 0)
    throw new UsageError('a Project is wanted, and no arguments', 'countersign inputs prune --project FILE');
  const inputs = openInputs(stateOf(args.text('state'), found), { create: false });
  try {
    const rows = inputs.rows();
    const isDry = args.has('dry-run');
    const all = [...standings(rows, found.project, io.now())];
    for (const [environment, standing] of all.sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { over, kept, why } = standing;
      if (!isDry && over.length > 0) inputs.remove(over);
      const done = isDry ? 'would be deleted' : 'deleted';
      io.out(`${visible(environment)}: ${over.length} ${done}, ${kept} kept (${why})\n`);
    }
  } finally {
    inputs.close();
  }
  return 0;
}

interface Standing {
  readonly over: KeptRow[];
  kept: number;
  readonly why: string;
}

/** What becomes of the rows of each environment, by its name. */
function standings(
  rows: readonly KeptRow[],
  project: Project,
  now: Date,
): ReadonlyMap<string, Readonly<Standing>> {
  const found = new Map<string, Standing>();
  for (const row of rows) {
    const name = row.environment === undefined ? 'no environment' : JSON.stringify(row.environment);
    const { years, why } = ruleOf(project, row.environment);
    const standing = found.get(name) ?? { over: [], kept: 0, why };
    found.set(name, standing);
    if (years !== undefined && isOver(row.time, years, now)) standing.over.push(row);
    else standing.kept++;
  }
  return found;
}

function ruleOf(
  { environments }: Project,
  name: string | undefined,
): { readonly years?: number; readonly why: string } {
  const environment = environments.find((one) => one.name === name);
  if (environment === undefined) return { why: 'the Project does not declare it' };
  const { keepYears, legalHold } = environment;
  if (legalHold === true) return { why: 'legal hold' };
  if (keepYears === undefined) return { why: 'for ever' };
  return { years: keepYears, why: `${keepYears} year${keepYears === 1 ? '' : 's'}` };
}

/** Calendar years: what was kept on the 29th of February is over on the first of March. */
function isOver(time: string, years: number, now: Date): boolean {
  const end = new Date(time);
  end.setUTCFullYear(end.getUTCFullYear() + years);
  // A time that cannot be read is no reason to delete.
  return end.getTime() <= now.getTime();
}
