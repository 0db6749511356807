// SPDX-License-Identifier: Apache-2.0

import { type Environment, environmentNamed, type Project } from '../../engine/context/project.ts';
import { type Decision, EngineError, type Judgement } from '../../engine/index.ts';
import { type Document, readDocuments, type Source } from '../../engine/manifest/index.ts';
import { DEFAULT_NAMESPACES, type Namespaces } from '../../engine/policy/index.ts';
import { openJudge } from '../../engine/review.ts';
import { openYamlReader, type YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { BUNDLE_FLAGS, type BundleSettings, bundleSettings, REGISTRY_FLAGS } from '../bundles/flags.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { readManifests, readSource } from '../files.ts';
import { findInstallation, type Installation } from '../installation.ts';
import type { Io } from '../io.ts';
import { findProject, stateOf, userCache } from '../loading/project.ts';
import { SCHEMA_FLAGS, schemaFor } from '../loading/schema.ts';
import { type Prepared, prepare } from '../prepare.ts';
import { withProgress } from '../report/progress.ts';
import { parseTargets, writeReports } from '../report/report.ts';
import { oneLine } from '../report/text.ts';
import { uuidv7 } from '../uuid.ts';

export const check: Verb = {
  name: 'check',
  summary: 'Evaluates manifests against policies and decides: allow, deny or no answer.',
  positionals: 'PATH|-…',
  details: [
    'PATH is a file or a folder (searched recursively for .yaml, .yml and .json); - is standard input.',
    'Without a Project and without --policy the shipped pack "baseline" is used.',
    'Exit code: 0 allowed, 1 denied, 2 usage, 3 input, 4 policy, 5 trust; 2 and above mean there is no answer.',
  ].join('\n'),
  flags: {
    policy: {
      value: 'PATH',
      multiple: true,
      help: 'folder, file or bundle of Rego policies, native or Conftest style; adds to the packs of the environment',
    },
    'policy-namespace': {
      value: 'NAME',
      multiple: true,
      help: 'package that Conftest rules are read from (default main)',
    },
    'all-policy-namespaces': { help: 'read Conftest rules from every package' },
    'strict-errors': {
      help: 'a builtin that fails is an error in Conftest rules too, as it always is in native ones',
    },
    env: { value: 'NAME', help: 'environment of the Project to check for' },
    project: {
      value: 'FILE',
      help: 'the Project (default countersign.yaml in this folder, if there is one)',
    },
    data: { value: 'FILE', multiple: true, help: 'JSON or YAML whose keys become the document under data' },
    parameters: {
      value: 'FILE',
      help: 'JSON or YAML of parameters by rule: {"images.registry": {"registries": […]}}',
    },
    format: {
      value: 'NAME[=FILE]',
      multiple: true,
      help: 'text, json, sarif or junit; several in one run, all but one to a file',
    },
    ...SCHEMA_FLAGS,
    'fail-on': { value: 'fail|warn', help: 'warn: exit 1 for warnings too' },
    record: {
      value: 'FILE',
      help: 'sign the decision, append it to the ledger and write the record here (needs --key)',
    },
    key: {
      value: 'FILE',
      help: 'private key that signs the record (PEM, ECDSA P-256; made by countersign init)',
    },
    state: {
      value: 'DIR',
      help: "folder that holds the ledger (default .countersign, or the Project's ledger)",
    },
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const targets = parseTargets(args.list('format'));
  const failOn = failOnOf(args);
  const isRecorded = recordWanted(args);
  if (args.positionals.length === 0)
    throw new UsageError('no path is given', 'countersign check PATH…, or - for standard input');
  const installation = findInstallation();
  const reader = openYamlReader(installation.toolchain);
  const found = findProject(args.text('project'), reader);
  const environment = environmentOf(args, found?.project);
  const sources = await readManifests(args.positionals, io);
  const read = readDocuments(sources, reader);
  const { documents, bench } = await schemaFor(args, io, { reader, documents: read, environment });
  const bundles = bundleSettings(args, io, found);
  const frame = { installation, reader, isRecorded, project: found?.project, environment, bundles };
  const prepared = await withProgress(io, 'compiling policies', () => prepareFor(args, io, frame));
  for (const note of [...prepared.notes, ...strangersTo(environment, documents)])
    io.err(`note: ${oneLine(note)}\n`);
  const judgement = await withProgress(io, 'checking objects', (onProgress) =>
    openJudge({ ...prepared.bench, ...bench }).review(
      { phase: 'check', operation: 'CREATE', documents, sources },
      { time: io.now(), id: uuidv7(io.now()), ...(onProgress === undefined ? {} : { onProgress }) },
    ),
  );
  // Signed and durable before anything is answered: an allow that nobody can find later is none.
  if (isRecorded)
    await record(judgement, args, io, { installation, state: stateOf(args.text('state'), found) });
  writeReports(judgement.decision, targets, io, {
    version: installation.version,
    titles: titlesOf(prepared),
  });
  const exit = exitOf(judgement.decision, failOn);
  if (exit === 1 && judgement.decision.verdict === 'allow')
    io.err('note: allowed with warnings; exit code 1, as --fail-on warn says\n');
  return exit;
}

/** Namespaces of the objects that are not the environment's: in the cluster another environment would judge them, or none. */
function strangersTo(
  environment: Environment | undefined,
  documents: readonly Document[],
): readonly string[] {
  const own = environment?.namespaces;
  if (environment === undefined || own === undefined) return [];
  const named = new Set(documents.flatMap(({ id }) => (id?.namespace === undefined ? [] : [id.namespace])));
  return [...named]
    .filter((namespace) => !own.includes(namespace))
    .sort()
    .map(
      (namespace) =>
        `namespace ${JSON.stringify(namespace)} is none of environment ${JSON.stringify(environment.name)}: at admission it judges nothing there`,
    );
}

function failOnOf(args: Args): 'fail' | 'warn' {
  const value = args.text('fail-on') ?? 'fail';
  if (value === 'fail' || value === 'warn') return value;
  throw new UsageError(`--fail-on ${JSON.stringify(value)} is not known`, '--fail-on fail or --fail-on warn');
}

function recordWanted(args: Args): boolean {
  if (args.has('record') === args.has('key')) return args.has('record');
  throw new UsageError(
    args.has('record') ? '--record needs --key' : '--key needs --record',
    'give both: --record FILE --key FILE',
  );
}

interface Frame {
  readonly installation: Installation;
  readonly reader: YamlReader;
  readonly isRecorded: boolean;
  readonly project: Project | undefined;
  readonly environment: Environment | undefined;
  readonly bundles: BundleSettings;
}

async function prepareFor(args: Args, io: Io, frame: Frame): Promise<Prepared> {
  const { project, environment } = frame;
  const cache = userCache(io, frame.installation);
  return prepare(
    {
      ...(project === undefined ? {} : { project }),
      ...(environment === undefined ? {} : { environment }),
      policies: args.list('policy'),
      bundles: frame.bundles,
      namespaces: namespacesOf(args),
      parameters: mergeMaps(args.list('parameters').map(readSource), frame.reader, 'parameters'),
      data: mergeMaps(args.list('data').map(readSource), frame.reader, 'data'),
      strictErrors: args.has('strict-errors'),
      // A cache never decides what is signed.
      ...(frame.isRecorded || cache === undefined ? {} : { cache }),
    },
    frame.installation,
    frame.reader,
  );
}

function environmentOf(args: Args, project: Project | undefined): Environment | undefined {
  const name = args.text('env');
  if (project === undefined) {
    if (name === undefined) return undefined;
    throw new UsageError(
      '--env needs a Project and there is none',
      'run countersign init, or name one with --project FILE',
    );
  }
  if (name !== undefined) return environmentNamed(project, name);
  if (project.environments.length === 0) return undefined;
  const known = project.environments.map((environment) => environment.name).join(', ');
  throw new UsageError(
    'the Project declares environments and none is chosen',
    `--env NAME, one of: ${known}`,
  );
}

function namespacesOf(args: Args): Namespaces {
  const names = args.list('policy-namespace');
  return {
    names: names.length === 0 ? DEFAULT_NAMESPACES.names : names,
    all: args.has('all-policy-namespaces'),
  };
}

/** Merges the top-level keys of several files; the same key twice is an error, since which one counts would be a matter of order. */
export function mergeMaps(
  sources: readonly Source[],
  reader: YamlReader,
  what: 'data' | 'parameters',
): Record<string, unknown> {
  const merged = new Map<string, unknown>();
  for (const source of sources) {
    const [document, second] = readDocuments([source], reader);
    const value = document?.value;
    if (second !== undefined || typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new EngineError('POLICY_DATA', `${JSON.stringify(source.name)} is not one map of ${what}`);
    }
    for (const [key, item] of Object.entries(value)) {
      if (merged.has(key))
        throw new EngineError(
          'POLICY_DATA',
          `${JSON.stringify(key)} is given in more than one file of ${what}`,
        );
      if (what === 'data' && key === 'countersign')
        throw new EngineError('POLICY_DATA', 'data may not set "countersign"');
      merged.set(key, item);
    }
  }
  return Object.fromEntries(merged);
}

function titlesOf(prepared: Prepared): ReadonlyMap<string, { title: string; remedy?: string }> {
  const rules = prepared.bench.policies.flatMap((policy) => policy.rules);
  return new Map(
    rules.map((rule) => [
      rule.code,
      { title: rule.title, ...(rule.remedy === undefined ? {} : { remedy: rule.remedy }) },
    ]),
  );
}

async function record(
  judgement: Judgement,
  args: Args,
  io: Io,
  { installation, state }: { installation: Installation; state: string },
): Promise<void> {
  const { writeRecord } = await import('../seal.ts');
  await writeRecord(
    judgement,
    { file: args.text('record') ?? '', key: args.text('key') ?? '', state, installation },
    io,
  );
}

function exitOf(decision: Decision, failOn: 'fail' | 'warn'): ExitCode {
  if (decision.verdict === 'error') return 4;
  if (decision.verdict === 'deny') return 1;
  return failOn === 'warn' && decision.findings.some((finding) => finding.result === 'warn') ? 1 : 0;
}
