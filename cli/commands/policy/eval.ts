// SPDX-License-Identifier: Apache-2.0
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { VERSION_FLAGS } from '../../loading/version.ts';
import { evalJson, evalText, explanation } from '../../report/eval_text.ts';
import { withProgress } from '../../report/progress.ts';
import { visible } from '../../report/text.ts';
import { inputOf, QUERY_FLAGS, queryOf, worldOf } from './query.ts';
import { formatOf, type Workbench, withWorkbench } from './workbench.ts';

export const policyEval: Verb = {
  name: 'policy eval',
  summary:
    "Answers a Rego query with OPA's evaluator, and says with --explain which rules fired and where the others stopped.",
  positionals: '[QUERY]',
  details:
    'What rules print goes to stderr. Exit code: 0 also where the query is undefined, unless --fail; 4 where it cannot be answered.',
  flags: {
    entrypoint: { short: 'e', value: 'PATH', help: 'the query data.<path>, such as main/deny' },
    ...QUERY_FLAGS,
    input: { short: 'i', value: 'FILE|-', help: 'JSON or YAML that becomes input' },
    format: {
      short: 'f',
      value: 'pretty|json|text',
      help: "pretty: values with their variables; json: OPA's result; text: a value a line",
    },
    explain: {
      help: 'say of each rule body whether it fired, or its first expression that was undefined or false',
    },
    'strict-builtin-errors': { help: 'the first failing builtin is an error, not undefined' },
    fail: { help: 'exit with 1 where the query is undefined' },
    'fail-defined': { help: 'exit with 1 where the query is defined' },
    ...VERSION_FLAGS,
  },
  run: (args, io) =>
    withProgress(io, 'evaluating', () => withWorkbench((bench) => evaluate(args, io, bench))),
};

async function evaluate(args: Args, io: Io, bench: Workbench): Promise<ExitCode> {
  const format = formatOf(args, ['pretty', 'json', 'text']);
  const query = queryOf(args);
  if (args.has('fail') && args.has('fail-defined'))
    throw new UsageError('--fail and --fail-defined exclude each other', 'give one of them');
  const { sources, data } = await worldOf({ args, io, bench });
  const input = await inputOf(args, io, bench.installation);
  const answer = await bench.toolchain.eval(sources, {
    query,
    data,
    time: io.now(),
    ...(input === undefined ? {} : { input }),
    ...(args.has('explain') ? { explain: true } : {}),
    ...(args.has('strict-builtin-errors') ? { strictBuiltinErrors: true } : {}),
  });
  if (answer.printed !== '') io.err(visible(answer.printed));
  io.out(format === 'json' ? evalJson(answer, args.has('explain')) : evalText(answer, format));
  if (args.has('explain') && format !== 'json') io.out(explanation(answer.rules));
  const isDefined = answer.result.length > 0;
  return args.has(isDefined ? 'fail-defined' : 'fail') ? 1 : 0;
}
