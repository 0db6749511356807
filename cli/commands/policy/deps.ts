// SPDX-License-Identifier: Apache-2.0
import { type Args, needing, type Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { VERSION_FLAGS } from '../../loading/version.ts';
import { withProgress } from '../../report/progress.ts';
import { QUERY_FLAGS, queryOf, worldOf } from './query.ts';
import { formatOf, type Workbench, withWorkbench } from './workbench.ts';

export const policyDeps: Verb = {
  name: 'policy deps',
  summary: 'Lists the documents that a reference or query reads.',
  positionals: 'REF',
  details: 'Base documents come from outside (input and data), virtual ones from rules.',
  flags: {
    ...QUERY_FLAGS,
    format: { short: 'f', value: 'text|json', help: 'how to print the result' },
    ...needing(['policy', 'data'], VERSION_FLAGS),
  },
  run: (args, io) => withProgress(io, 'looking', () => withWorkbench((bench) => deps(args, io, bench))),
};

async function deps(args: Args, io: Io, bench: Workbench): Promise<ExitCode> {
  const format = formatOf(args, ['text', 'json']);
  const query = queryOf(args);
  const plain = args.list('data').find((file) => !file.endsWith('.rego'));
  if (plain !== undefined)
    throw new UsageError(
      `--data ${JSON.stringify(plain)} has no effect: it is no Rego`,
      'what a reference reads follows from Rego alone',
    );
  const { base, virtual } = await bench.toolchain.deps((await worldOf({ args, io, bench })).sources, query);
  if (format === 'json') io.out(`${JSON.stringify({ base, virtual }, null, 2)}\n`);
  else
    io.out(
      [...base.map((ref) => `base     ${ref}\n`), ...virtual.map((ref) => `virtual  ${ref}\n`)].join(''),
    );
  return 0;
}
