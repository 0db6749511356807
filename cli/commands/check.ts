// SPDX-License-Identifier: Apache-2.0

import type { Environment, Project } from '../../engine/context/project.ts';
import type { Change, Decision, Judgement } from '../../engine/index.ts';
import { type Document, readDocuments } from '../../engine/manifest/index.ts';
import { openJudge } from '../../engine/review.ts';
import { openYamlReader, type YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { BUNDLE_FLAGS, type BundleSettings, bundleSettings, REGISTRY_FLAGS } from '../bundles/flags.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { failOnOf } from '../inputs/fail_on.ts';
import { claimsFor, SERVER_FLAGS, TOKEN_FLAG, tokensOf, trustFor } from '../inputs/proved.ts';
import { readInputs, refuseUnstable, withInputs } from '../inputs/render.ts';
import { RENDER_FLAGS } from '../inputs/render_flags.ts';
import { SCHEMA_FLAGS, schemaFor, strangersTo } from '../inputs/schema.ts';
import { findInstallation, type Installation } from '../installation.ts';
import type { Io } from '../io.ts';
import { policiesAsked } from '../loading/asked.ts';
import { refuseAgainst, refuseIdleFlags } from '../loading/idle.ts';
import { NAMESPACE_FLAGS_OF_POLICY } from '../loading/namespaces.ts';
import { asksPeople, PEOPLE_FLAGS } from '../loading/people_flags.ts';
import { environmentOf, findProject, userCache } from '../loading/project.ts';
import { VERSION_FLAGS } from '../loading/version.ts';
import { type Prepared, prepare } from '../prepare.ts';
import { withProgress } from '../report/progress.ts';
import { parseTargets, writeReports } from '../report/report.ts';
import { oneLine } from '../report/text.ts';
import type { RecordRequest } from '../seal.ts';
import { keyRequest, PASSWORD_FLAG } from '../signing/flags.ts';
import type { OpenedKey } from '../signing/key.ts';
import { uuidv7 } from '../uuid.ts';
import { asksEvery, type Checked, checkEvery } from './check_every.ts';

// Loaded with this one: they share nearly all that they need.
export { render } from './render.ts';

export const check: Verb = {
  name: 'check',
  summary: 'Evaluates manifests against policies and decides: allow, deny or no answer.',
  positionals: 'PATH|-…',
  details: [
    'PATH is a file or a folder (searched recursively for .yaml, .yml and .json); - is standard input. A Helm chart (a folder with',
    'Chart.yaml, or a .tgz) and a Kustomize folder are rendered first, as countersign render shows them.',
    'Without a Project and without --policy the shipped pack "baseline" is used.',
    'Exit code: 0 allowed, 1 denied, 2 usage, 3 input, 4 policy, 5 trust; 2 and above mean there is no answer.',
  ].join('\n'),
  flags: {
    policy: {
      value: 'PATH',
      multiple: true,
      help: 'folder, file or bundle of Rego policies, native or Conftest style; adds to the packs of the environment',
    },
    ...NAMESPACE_FLAGS_OF_POLICY,
    'strict-errors': {
      help: 'a builtin that fails is an error in Conftest rules too, as it always is in native ones',
    },
    env: {
      value: 'NAME',
      help: 'environment of the Project to check for; all: each of them, with its own values',
    },
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
    against: {
      value: 'DIR|COMMIT',
      help: 'block only what is new since then; what was there before warns (not with --record)',
    },
    ...SCHEMA_FLAGS,
    ...TOKEN_FLAG,
    ...SERVER_FLAGS,
    'no-cache': { help: 'compile policies anew, and keep nothing of them' },
    'fail-on': { value: 'fail|warn', help: 'warn: exit 1 for warnings too' },
    record: {
      value: 'FILE',
      help: 'sign the decision, append it to the ledger and write the record here (needs --key and an environment, or --server)',
    },
    key: {
      value: 'FILE|URI',
      help: 'private key that signs the record (ECDSA P-256: PEM or of cosign, or in a KMS; countersign init makes one)',
    },
    ...PASSWORD_FLAG,
    state: {
      value: 'DIR',
      needs: ['record'],
      help: "folder that holds the ledger (default .countersign, or the Project's ledger)",
    },
    ...PEOPLE_FLAGS,
    ...VERSION_FLAGS,
    ...RENDER_FLAGS,
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const targets = parseTargets(args.list('format'));
  const failOn = failOnOf(args);
  if (args.positionals.length === 0 && !args.has('from'))
    throw new UsageError('no path is given', 'countersign check PATH…, or - for standard input');
  if (args.has('server'))
    return (await import('../remote/index.ts')).checkAt(args, io, { targets, failOn, exitOf });
  const isRecorded = recordWanted(args);
  if (isRecorded && args.has('against'))
    throw new UsageError(
      '--record beside --against',
      'a record holds the whole decision: leave --against out',
    );
  const installation = findInstallation();
  const reader = openYamlReader(installation.toolchain);
  const found = findProject(args.text('project'), reader);
  const tokens = await tokensOf(args, found?.project, io);
  const key = isRecorded ? (await import('../signing/key.ts')).keyOnce(keyRequest(args), io) : undefined;
  const setting = { args, failOn, key, installation, reader, found, tokens };
  if (found !== undefined && asksEvery(args, found.project))
    return checkEvery(found.project, { args, io, targets }, (environment, shared) =>
      checkFor(environment, setting, shared),
    );
  const environment = environmentOf(args, found?.project);
  if (isRecorded && environment === undefined) throw withoutEnvironment();
  const checked = await checkFor(environment, setting, io);
  writeReports(checked.decision, targets, io, checked.report);
  if (checked.exit === 1 && checked.decision.verdict === 'allow')
    io.err('note: allowed with warnings; exit code 1, as --fail-on warn says\n');
  return checked.exit;
}

/** What a check is made with. */
export interface Setting {
  readonly args: Args;
  readonly failOn: 'fail' | 'warn';
  /** Opens the key that signs the record, where there is to be one. */
  readonly key: (() => Promise<OpenedKey>) | undefined;
  readonly installation: Installation;
  readonly reader: YamlReader;
  readonly found: ReturnType<typeof findProject>;
  /** What the id tokens prove; nothing where there are none. */
  readonly tokens: Pick<Change, 'oidc'>;
}

/** Reads, evaluates and, where it is wanted, records for one environment, or for none. */
async function checkFor(environment: Environment | undefined, setting: Setting, io: Io): Promise<Checked> {
  const { args, failOn, key, installation, found } = setting;
  const place = key === undefined ? undefined : (await import('../ledger/place.ts')).ledgerPlace(args, found);
  const { judgement, prepared } = await judgeFor(environment, setting, io);
  // Signed and durable before anything is answered: an allow that nobody can find later is none.
  if (place !== undefined && key !== undefined)
    await record(judgement, args, io, { key, installation, place, policies: prepared.bench.policies });
  return {
    decision: judgement.decision,
    report: { version: installation.version, titles: titlesOf(prepared) },
    exit: exitOf(judgement.decision, failOn),
  };
}

/** Reads and evaluates for one environment, or for none. */
export async function judgeFor(
  environment: Environment | undefined,
  { args, key, installation, reader, found, tokens }: Setting,
  io: Io,
): Promise<{ readonly judgement: Judgement; readonly prepared: Prepared }> {
  const isRecorded = key !== undefined;
  refuseIdleFlags(args, io, { found, environment: environment?.name });
  refuseAgainst(args, environment);
  const isAsked = asksPeople(args, found?.project, environment);
  const inputs = await withProgress(io, 'reading', () =>
    readInputs(args, io, { installation, reader, environment, namesObjects: true }),
  );
  const { sources } = inputs;
  if (isRecorded) await refuseUnstable(inputs);
  const read = await withProgress(io, 'reading manifests', (onProgress) =>
    readDocuments(sources, reader, onProgress),
  );
  const { documents, bench, placed } = await schemaFor(args, io, {
    reader,
    documents: read,
    environment,
    project: found?.project,
  });
  const bundles = bundleSettings(args, io, found);
  const frame = { installation, reader, isRecorded, project: found?.project, environment, bundles };
  const prepared = await withProgress(io, 'compiling policies', () => prepareFor(args, io, frame));
  const proved = await claimsFor(documents, { environment, bundles }, io);
  for (const warning of inputs.warnings) io.err(`warning: ${oneLine(warning)}\n`);
  for (const note of [...prepared.notes, ...strangersTo(environment, documents), ...(proved?.notes ?? [])])
    io.err(`note: ${oneLine(note)}\n`);
  const question = { args, io, found, environment, key, tokens };
  const people = isAsked ? await (await import('./people/asked.ts')).askPeople(question) : undefined;
  const trust = await trustFor(found?.project, { claims: proved, ...tokens, people });
  const judged = await withProgress(io, 'checking objects', (onProgress) =>
    openJudge({ ...prepared.bench, ...bench, ...people?.bench }).review(
      {
        phase: 'check',
        operation: 'CREATE',
        documents,
        sources,
        ...tokens,
        ...people?.change,
        ...(proved && { claims: proved.claims }),
        ...trust,
      },
      { time: io.now(), id: uuidv7(io.now()), ...(onProgress === undefined ? {} : { onProgress }) },
    ),
  );
  const whole = await withInputs(judged, inputs);
  const since = {
    setting: { args, installation, reader },
    bench: { ...prepared.bench, ...bench },
    placed,
    facts: { ...tokens, ...people?.change },
    io,
    claimsFor: (then: readonly Document[]) => claimsFor(then, { environment, bundles }, io),
  };
  const judgement = args.has('against')
    ? await (await import('../inputs/since.ts')).judgeSince(whole, environment, since)
    : whole;
  people?.announce(judgement);
  return { judgement, prepared };
}

/** A record without a scope would be one for everywhere, and an unset scope is no scope. */
const withoutEnvironment = (): UsageError =>
  new UsageError(
    '--record needs an environment: an allow holds for one, never for all',
    'declare it in a Project (countersign init makes one) and name it with --env',
  );

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
  const cache = args.has('no-cache') ? undefined : userCache(io, frame.installation);
  return prepare(
    {
      ...(project === undefined ? {} : { project }),
      ...(environment === undefined ? {} : { environment }),
      ...policiesAsked(args, frame.reader),
      bundles: frame.bundles,
      // A cache never decides what is signed.
      ...(frame.isRecorded || cache === undefined ? {} : { cache }),
    },
    frame.installation,
    frame.reader,
  );
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
  setting: Omit<RecordRequest, 'file'>,
): Promise<void> {
  const { writeRecord } = await import('../seal.ts');
  await writeRecord(judgement, { file: args.text('record') ?? '', ...setting }, io);
}

function exitOf(decision: Decision, failOn: 'fail' | 'warn'): ExitCode {
  if (decision.verdict === 'error') return 4;
  if (decision.verdict === 'deny') return 1;
  return failOn === 'warn' && decision.findings.some((finding) => finding.result === 'warn') ? 1 : 0;
}
