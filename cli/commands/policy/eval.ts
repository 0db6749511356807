// SPDX-License-Identifier: Apache-2.0
import { evaluateOnModule, openRegoBuiltins } from '../../../engine/toolchain/index.ts';
import type { RegoEvalOptions, RegoEvaluation, RegoSource } from '../../../engine/toolchain/rego.ts';
import { type Args, needing, type Verb } from '../../args.ts';
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
    target: {
      short: 't',
      value: 'rego|wasm',
      help: "rego: OPA's evaluator (default); wasm: the module that the query is compiled to, with the limits of a policy",
    },
    explain: {
      help: 'say of each rule body whether it fired, or its first expression that was undefined or false',
    },
    'strict-builtin-errors': { help: 'the first failing builtin is an error, not undefined' },
    fail: { help: 'exit with 1 where the query is undefined' },
    'fail-defined': { help: 'exit with 1 where the query is defined' },
    ...needing(['policy', 'data'], VERSION_FLAGS),
  },
  run: (args, io) =>
    withProgress(io, 'evaluating', () => withWorkbench((bench) => evaluate(args, io, bench))),
};

async function evaluate(args: Args, io: Io, bench: Workbench): Promise<ExitCode> {
  const format = formatOf(args, ['pretty', 'json', 'text']);
  const query = queryOf(args);
  if (args.has('fail') && args.has('fail-defined'))
    throw new UsageError('--fail and --fail-defined exclude each other', 'give one of them');
  const target = targetOf(args);
  const { sources, data } = await worldOf({ args, io, bench });
  const input = await inputOf(args, io, bench.installation);
  const asked: RegoEvalOptions = {
    query,
    data,
    time: io.now(),
    ...(input === undefined ? {} : { input }),
    ...(args.has('strict-builtin-errors') ? { strictBuiltinErrors: true } : {}),
  };
  const answer =
    target === 'wasm'
      ? await onModule(sources, bench, asked)
      : await bench.toolchain.eval(sources, { ...asked, ...(args.has('explain') ? { explain: true } : {}) });
  if (answer.printed !== '') io.err(visible(answer.printed));
  io.out(format === 'json' ? evalJson(answer, args.has('explain')) : evalText(answer, format));
  if (args.has('explain') && format !== 'json') io.out(explanation(answer.rules));
  const isDefined = answer.result.length > 0;
  return args.has(isDefined ? 'fail-defined' : 'fail') ? 1 : 0;
}

function targetOf(args: Args): 'rego' | 'wasm' {
  const target = args.text('target') ?? 'rego';
  if (target !== 'rego' && target !== 'wasm')
    throw new UsageError(`unknown target ${JSON.stringify(target)}`, 'targets are rego and wasm');
  if (target === 'wasm' && args.has('explain'))
    throw new UsageError(
      '--explain and --target wasm exclude each other',
      "only OPA's evaluator can explain",
    );
  return target;
}

async function onModule(
  sources: readonly RegoSource[],
  { toolchain, installation }: Workbench,
  asked: RegoEvalOptions,
): Promise<RegoEvaluation> {
  return evaluateOnModule(sources, toolchain, {
    ...asked,
    builtins: openRegoBuiltins(installation.toolchain),
  });
}
