// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { EngineError } from '../../../engine/index.ts';
import { readDocuments } from '../../../engine/manifest/index.ts';
import { entrypointOf } from '../../../engine/policy/entrypoint.ts';
import {
  type CompiledPolicy,
  compilePolicy,
  refuseUnknownRules,
  refuseUnmatched,
  withoutTests,
} from '../../../engine/policy/index.ts';
import { conftestInput, nativeInput } from '../../../engine/policy/input.ts';
import { loadRego, type RegoProgram } from '../../../engine/rego/index.ts';
import { openRegoBuiltins } from '../../../engine/toolchain/builtins.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import { type Args, excluding, type Verb } from '../../args.ts';
import { BUNDLE_FLAGS, REGISTRY_FLAGS } from '../../bundles/flags.ts';
import type { PolicySources } from '../../bundles/sources.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readManifests, readSource } from '../../files.ts';
import type { Io } from '../../io.ts';
import { mergeMaps } from '../../loading/maps.ts';
import { NAMESPACE_FLAGS, namespacesOf } from '../../loading/namespaces.ts';
import { VERSION_FLAGS } from '../../loading/version.ts';
import { benchText, measure } from '../../report/bench.ts';
import { withProgress } from '../../report/progress.ts';
import { inputOf } from './query.ts';
import {
  formatOf,
  numberOf,
  pathsOf,
  readPolicies,
  spanMsOf,
  type Workbench,
  withWorkbench,
} from './workbench.ts';

const DEFAULT_DURATION_MS = 2_000;

export const policyBench: Verb = {
  name: 'policy bench',
  summary: 'Measures how fast the compiled module decides, and what a decision costs in steps and memory.',
  positionals: 'PATH…',
  details:
    'Evaluates every rule over the objects of --input, one after the other, with the limits that hold everywhere; or, with\n' +
    '--entrypoint, one entrypoint over --input as it is. Compiling and loading are not part of the time.',
  flags: {
    input: { short: 'i', value: 'FILE|-', help: 'manifests; with --entrypoint the input itself' },
    entrypoint: {
      short: 'e',
      value: 'PATH',
      help: 'what to evaluate instead of every rule, such as authz/allow',
    },
    duration: { value: 'SPAN', help: 'for how long (default 2s), after a quarter of it to warm up' },
    optimize: { short: 'O', value: '0|1|2', help: "OPA's level of optimisation (default 0)" },
    data: {
      short: 'd',
      value: 'FILE',
      multiple: true,
      help: 'JSON or YAML whose keys become the document under data',
    },
    parameters: { value: 'FILE', multiple: true, help: 'JSON or YAML: rule code to parameters' },
    format: { short: 'f', value: 'text|json', help: 'how to print the result' },
    ...excluding('entrypoint', NAMESPACE_FLAGS),
    ...VERSION_FLAGS,
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run: (args, io) => withProgress(io, 'measuring', () => withWorkbench((tools) => bench(args, io, tools))),
};

/** One entrypoint and the bytes that it is given. */
interface Call {
  readonly entrypoint: string;
  readonly input: Uint8Array | undefined;
}

async function bench(args: Args, io: Io, tools: Workbench): Promise<ExitCode> {
  const format = formatOf(args, ['text', 'json']);
  const durationMs = spanMsOf(args, 'duration') ?? DEFAULT_DURATION_MS;
  const policies = await readPolicies(pathsOf(args), { args, io, bench: tools }, args.list('data'));
  const compiled = await compile(args, policies, tools);
  const calls = await callsOf(args, io, compiled, tools);
  const program = load(args, { ...compiled, data: policies.data }, tools);
  const time = io.now();
  const figures = measure(
    calls.map(
      ({ entrypoint, input }) =>
        () =>
          program.evaluate(entrypoint, input, { time }),
    ),
    durationMs,
  );
  const digest = createHash('sha256').update(compiled.wasm).digest('hex');
  const result = { ...figures, module: { bytes: compiled.wasm.length, sha256: digest } };
  io.out(format === 'json' ? `${JSON.stringify(result, null, 2)}\n` : benchText(result));
  return 0;
}

async function compile(
  args: Args,
  policies: PolicySources,
  { toolchain }: Workbench,
): Promise<CompiledPolicy> {
  const sources = withoutTests(policies.sources);
  const optimise = numberOf(args, 'optimize', { min: 0, max: 2, whole: true }) ?? 0;
  const namespaces = namespacesOf(args);
  const compiled = await compilePolicy({ name: pathsOf(args).join(' '), sources, namespaces }, toolchain, {
    entrypoints: args.list('entrypoint'),
    optimise,
  });
  refuseUnmatched(
    namespaces,
    compiled.entries.map(({ rule }) => rule),
  );
  return compiled;
}

function load(
  args: Args,
  { wasm, entries, data }: Pick<CompiledPolicy, 'wasm' | 'entries'> & Pick<PolicySources, 'data'>,
  { installation, yaml }: Workbench,
): RegoProgram {
  const parameters = mergeMaps(args.list('parameters').map(readSource), yaml(), 'parameters');
  const rules = entries.map(({ rule }) => rule);
  // An entrypoint may read what is there, whosever it is.
  if (!args.has('entrypoint'))
    refuseUnknownRules([{ where: '--parameters', codes: Object.keys(parameters), policies: [{ rules }] }]);
  return loadRego(wasm, {
    data: Buffer.from(JSON.stringify({ ...data, countersign: { parameters } })),
    builtins: openRegoBuiltins(installation.toolchain),
  });
}

async function callsOf(
  args: Args,
  io: Io,
  compiled: CompiledPolicy,
  { installation }: Workbench,
): Promise<readonly Call[]> {
  const entrypoint = args.text('entrypoint');
  if (entrypoint !== undefined) {
    const text = await inputOf(args, io, installation);
    return [{ entrypoint, input: text === undefined ? undefined : Buffer.from(text) }];
  }
  const path = args.text('input');
  if (path === undefined)
    throw new UsageError('no --input is given', 'name manifests to decide over, or --entrypoint PATH');
  const documents = readDocuments(await readManifests([path], io), openYamlReader(installation.toolchain));
  const calls = documents.flatMap((document) =>
    (compiled.entrypoints ?? []).flatMap((name): readonly Call[] => {
      const frame = { phase: 'check', operation: 'CREATE', context: '{}' } as const;
      if (name === entrypointOf('native')) return [{ entrypoint: name, input: nativeInput(document, frame) }];
      return name === entrypointOf('conftest')
        ? [{ entrypoint: name, input: conftestInput(document, frame) }]
        : [];
    }),
  );
  if (calls.length > 0) return calls;
  throw new EngineError('POLICY_EMPTY', 'there is no rule to evaluate', {
    hint: 'name what to evaluate with --entrypoint',
  });
}
