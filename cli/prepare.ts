// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type Environment, type Project, readProject } from '../engine/context/project.ts';
import { EngineError } from '../engine/index.ts';
import {
  type CompileRequest,
  checkParameters,
  compileCached,
  DEFAULT_NAMESPACES,
  isBundlePath,
  loadPolicy,
  type Namespaces,
  type Policy,
  type PolicyCache,
  readLibraries,
  readPack,
  readPackSources,
  readRegoSources,
  refuseUnknownRules,
  unreadPackages,
  withoutTests,
} from '../engine/policy/index.ts';
import type { BuiltinServer } from '../engine/rego/index.ts';
import type { Bench } from '../engine/review.ts';
import { openRegoBuiltins } from '../engine/toolchain/builtins.ts';
import { openRegoToolchain, type RegoToolchain } from '../engine/toolchain/rego.ts';
import type { YamlReader } from '../engine/toolchain/yaml.ts';
import type { BundleSettings } from './bundles/flags.ts';
import type { LoadedBundles, ReleasedBundle } from './bundles/policies.ts';
import { readSource } from './files.ts';
import type { Installation } from './installation.ts';
import type { Io } from './io.ts';

const COMPILE_DEADLINE_MS = 120_000;
const PROJECT_FILE = 'countersign.yaml';

/** One folder or file of policies beside the packs. */
interface Extra {
  readonly path: string;
  readonly namespaces: Namespaces;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether flags set its parameters and data: never for what an environment asks for. */
  readonly takesFlags: boolean;
}

/** What is to be loaded. */
export interface Request {
  readonly project?: Project;
  readonly environment?: Environment;
  /** Folders from `--policy`: they add to the environment's packs, and stand alone where there is no Project. */
  readonly policies: readonly string[];
  readonly namespaces: Namespaces;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>>;
  /** Where compiled policies are kept; absent where something is signed. */
  readonly cache?: PolicyCache;
  readonly bundles: BundleSettings;
  /** A builtin that fails is an error in Conftest's style too. */
  readonly strictErrors: boolean;
  /** Shared by all policies of the process; opened here where it is absent. */
  readonly builtins?: BuiltinServer;
}

/** A bench and what was assumed on the way, to be said on stderr. */
export interface Prepared {
  readonly bench: Bench;
  readonly notes: readonly string[];
  /** Of the bundles among the policies, where somebody is trusted for them. */
  readonly releases: readonly ReleasedBundle[];
}

/**
 * Loads the Project named by a flag, or `countersign.yaml` of the working folder where there is one.
 * @throws {EngineError} INPUT_UNREADABLE | PROJECT_SYNTAX | PROJECT_SCHEMA
 */
export function findProject(
  file: string | undefined,
  reader: YamlReader,
): { project: Project; directory: string } | undefined {
  const path = file ?? (existsSync(PROJECT_FILE) ? PROJECT_FILE : undefined);
  if (path === undefined) return undefined;
  const directory = dirname(resolve(path));
  const project = readProject(readSource(path), reader);
  const policies = project.policies.map((policy) => ({
    ...policy,
    path: policy.path.startsWith('oci://') ? policy.path : join(directory, policy.path),
  }));
  return { project: { ...project, policies }, directory };
}

const DEFAULT_STATE = '.countersign';

/** The folder of key, ledger and certificates: as stated by a flag, else the Project's ledger, relative to its own folder. */
export function stateOf(
  stated: string | undefined,
  found: { readonly project: Project; readonly directory: string } | undefined,
): string {
  if (stated !== undefined) return stated;
  const ledger = found?.project.ledger;
  return found === undefined || ledger === undefined
    ? DEFAULT_STATE
    : resolve(found.directory, ledger.directory);
}

/** Compiles or takes from the cache, checks parameters and loads every policy that the request names. */
export async function prepare(
  request: Request,
  installation: Installation,
  reader: YamlReader,
): Promise<Prepared> {
  let toolchain: RegoToolchain | undefined;
  const open = (): RegoToolchain => {
    toolchain ??= openRegoToolchain({ directory: installation.toolchain, deadlineMs: COMPILE_DEADLINE_MS });
    return toolchain;
  };
  try {
    const builtins = request.builtins ?? openRegoBuiltins(installation.toolchain);
    return await loadAll(request, { installation, reader, open, builtins });
  } finally {
    await toolchain?.close();
  }
}

interface Tools {
  readonly installation: Installation;
  readonly reader: YamlReader;
  readonly open: () => RegoToolchain;
  readonly builtins: BuiltinServer;
}

async function loadAll(request: Request, tools: Tools): Promise<Prepared> {
  const { environment, project } = request;
  const notes: string[] = [];
  const policies: Policy[] = [];
  const packs = packsOf(request, notes);
  const extras = extrasOf(request);
  refuseWeakened(request);
  if (packs.length > 0) policies.push(await loadPacks(packs, request, tools, notes));
  const isBundle = ({ path }: Extra): boolean =>
    request.bundles.verificationKey !== undefined || path.startsWith('oci://') || isBundlePath(path);
  const bundles = extras.filter(isBundle);
  // Loaded only where a bundle is named: plain folders of Rego pay nothing for it.
  const loaded = bundles.length > 0 ? await loadAllBundles(bundles, request, tools) : undefined;
  policies.push(...(loaded?.policies ?? []));
  const flagged = environment === undefined ? [...policies] : [];
  if (environment !== undefined && bundles.every(({ takesFlags }) => takesFlags))
    flagged.push(...(loaded?.policies ?? []));
  for (const extra of extras) {
    if (isBundle(extra)) continue;
    const policy = await loadExtra(extra, request, tools, notes);
    policies.push(policy);
    if (extra.takesFlags) flagged.push(policy);
  }
  refuseUnknownRules([
    { where: '--parameters', codes: Object.keys(request.parameters), policies: flagged },
    {
      where: `environment ${JSON.stringify(environment?.name)}: rules`,
      codes: Object.keys(environment?.rules ?? {}),
      policies,
    },
  ]);
  const bench: Bench = {
    policies,
    enforcement: environment?.rules ?? {},
    ...(environment === undefined ? {} : { environment: { name: environment.name, tier: environment.tier } }),
    ...(project === undefined ? {} : { projectDigest: project.digest }),
    ...(request.strictErrors || project?.strictErrors === true ? { strictErrors: true } : {}),
  };
  return { bench, notes, releases: loaded?.releases ?? [] };
}

/** What a job brings along adds to its environment and never stands for it. */
function refuseWeakened({ environment, project, policies, data }: Request): void {
  if (environment === undefined) return;
  const name = JSON.stringify(environment.name);
  if ((environment.packs ?? []).length === 0 && (project?.policies ?? []).length === 0)
    throw new EngineError(
      'POLICY_EMPTY',
      `environment ${name} asks for nothing: it has no packs, and the Project no policies`,
      {
        hint: 'list a pack, such as baseline, or policies in the Project; --policy alone decides for no environment',
      },
    );
  if (policies.length === 0 && Object.keys(data).length > 0)
    throw new EngineError(
      'POLICY_DATA',
      `--data reaches only what --policy names, never the policies of environment ${name}`,
      {
        hint: 'name policies with --policy, or leave --data out',
      },
    );
}

type PackChoice = NonNullable<Environment['packs']>[number];

function packsOf(request: Request, notes: string[]): readonly PackChoice[] {
  if (request.environment !== undefined) return request.environment.packs ?? [];
  if (request.policies.length > 0) return [];
  notes.push('no environment and no --policy: checking against the pack "baseline"');
  return [{ name: 'baseline' }];
}

function extrasOf(request: Request): readonly Extra[] {
  const named = (request.project?.policies ?? []).map(
    (policy): Extra => ({
      path: policy.path,
      namespaces:
        policy.namespaces === undefined ? DEFAULT_NAMESPACES : { names: policy.namespaces, all: false },
      parameters: policy.parameters ?? {},
      takesFlags: request.environment === undefined,
    }),
  );
  return [
    ...named,
    ...request.policies.map((path) => ({
      path,
      namespaces: request.namespaces,
      parameters: {},
      takesFlags: true,
    })),
  ];
}

/**
 * Loads the packs as one policy. Without an environment a rule that needs parameters and has none is left out, and that is said;
 * an environment that lists a pack must set what its rules need.
 */
async function loadPacks(
  choices: readonly PackChoice[],
  request: Request,
  tools: Tools,
  notes: string[],
): Promise<Policy> {
  const packs = choices.map((choice) => readPack(tools.installation.policies, choice.name, tools.reader));
  const sources = readPackSources(tools.installation.policies, packs);
  const name = packs.map((pack) => pack.name).join('+');
  const codes = [...new Set(packs.flatMap((pack) => pack.rules))].sort();
  const stated: Record<string, unknown> = Object.assign(
    {},
    ...choices.map((choice) => choice.parameters ?? {}),
  );
  // The judged job's flags set nothing of what its environment asks for.
  const isAsked = request.environment !== undefined;
  const parameters = isAsked ? stated : { ...request.parameters, ...stated };
  const data = isAsked ? {} : request.data;
  const compiled = await compile(
    { name, sources, namespaces: { names: [], all: false }, codes },
    request,
    tools,
  );
  const unset = compiled.entries
    .filter(({ rule }) => rule.parameters !== undefined && parameters[rule.code] === undefined)
    .map(({ rule }) => rule.code);
  const revision = tools.installation.version;
  if (unset.length === 0 || request.environment !== undefined)
    return load(compiled, { name, revision, parameters, stated, data }, request, tools);
  for (const code of new Set(unset))
    notes.push(
      `rule ${code} needs parameters and is not evaluated: set them with --parameters or in a Project`,
    );
  const kept = await compile(
    {
      name,
      sources,
      namespaces: { names: [], all: false },
      codes: codes.filter((code) => !unset.includes(code)),
    },
    request,
    tools,
  );
  return load(kept, { name, revision, parameters, stated, data }, request, tools);
}

async function loadExtra(extra: Extra, request: Request, tools: Tools, notes: string[]): Promise<Policy> {
  const own = withoutTests(readRegoSources(extra.path));
  const needsLibraries = own.some((source) => source.text.includes('data.countersign.lib.'));
  const sources = needsLibraries ? [...own, ...readLibraries(tools.installation.policies)] : own;
  const compiled = await compile({ name: extra.path, sources, namespaces: extra.namespaces }, request, tools);
  for (const name of unreadPackages(own, compiled.entries))
    notes.push(
      `rules of package ${JSON.stringify(name)} in ${JSON.stringify(extra.path)} are not read: name it with --policy-namespace`,
    );
  const [flags, data] = extra.takesFlags ? [request.parameters, request.data] : [{}, {}];
  const stated = extra.parameters;
  const parameters = { ...flags, ...stated };
  return load(compiled, { name: extra.path, revision: '', parameters, stated, data }, request, tools);
}

/** All bundles of a run are one policy, as in one OPA: they own parts of `data` that do not overlap, and may use each other's. */
async function loadAllBundles(
  bundles: readonly Extra[],
  request: Request,
  tools: Tools,
): Promise<LoadedBundles> {
  const { loadBundles } = await import('./bundles/policies.ts');
  // As one policy they take what flags bring only where flags brought all of them.
  const takesFlags = bundles.every((bundle) => bundle.takesFlags);
  return loadBundles(
    {
      references: bundles.map(({ path }) => path),
      namespaces: {
        names: [...new Set(bundles.flatMap(({ namespaces }) => namespaces.names))],
        all: bundles.some(({ namespaces }) => namespaces.all),
      },
      parameters: Object.assign(
        {},
        takesFlags ? request.parameters : {},
        ...bundles.map(({ parameters }) => parameters),
      ),
      data: takesFlags ? request.data : {},
      builtins: tools.builtins,
      ...(request.project?.limits === undefined ? {} : { limits: request.project.limits }),
      settings: {
        ...request.bundles,
        ...(request.environment === undefined ? {} : { environment: request.environment.name }),
      },
    },
    {
      yaml: () => tools.reader,
      libraries: () => readLibraries(tools.installation.policies),
      compile: (wanted) => compile(wanted, request, tools),
    },
  );
}

type Compiled = Awaited<ReturnType<typeof compileCached>>;

const compile = (wanted: CompileRequest, request: Request, tools: Tools): Promise<Compiled> =>
  compileCached(wanted, tools.open, request.cache);

interface LoadFacts {
  readonly name: string;
  readonly revision: string;
  /** From flags, which several policies share, and from the Project. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Those that the Project states for this policy: each must be of one of its rules. */
  readonly stated: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>>;
}

async function load(
  compiled: Compiled,
  facts: LoadFacts,
  request: Request,
  { builtins }: Tools,
): Promise<Policy> {
  const { name, revision, stated, data } = facts;
  const own = new Set(compiled.entries.map(({ rule }) => rule.code));
  const parameters = Object.fromEntries(
    Object.entries(facts.parameters).filter(([code]) => own.has(code) || Object.hasOwn(stated, code)),
  );
  const limits = request.project?.limits ?? {};
  const policy = loadPolicy(compiled, { name, revision, parameters, data, limits, builtins });
  checkParameters(policy.rules, parameters);
  return policy;
}

/**
 * The cache of the user: `$COUNTERSIGN_CACHE`, `$XDG_CACHE_HOME/countersign` or `~/.cache/countersign`, the first that is an absolute
 * path. None inside the working folder: what a repository brings along must not pass for what was compiled from its policies.
 * @see https://specifications.freedesktop.org/basedir-spec/latest/  relative paths are invalid and to be ignored
 */
export function userCache(io: Io, installation: Installation): PolicyCache | undefined {
  const base = [
    io.env['COUNTERSIGN_CACHE'],
    below(io.env['XDG_CACHE_HOME'], 'countersign'),
    below(io.homeDirectory, '.cache/countersign'),
  ].find((path) => path !== undefined && isAbsolute(path));
  if (base === undefined || !relative(resolve('.'), base).startsWith('..')) return undefined;
  return { directory: join(base, 'policies'), userId: io.userId, toolVersion: installation.toolVersion };
}

const below = (folder: string | undefined, path: string): string | undefined =>
  folder === undefined || folder === '' ? undefined : join(folder, path);
