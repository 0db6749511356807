// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Environment, type Project, readProject } from '../engine/context/project.ts';
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
  if (packs.length > 0) policies.push(await loadPacks(packs, request, tools, notes));
  const extras = extrasOf(request);
  const isBundle = ({ path }: Extra): boolean =>
    request.bundles.verificationKey !== undefined || path.startsWith('oci://') || isBundlePath(path);
  const bundles = extras.filter(isBundle);
  // Loaded only where a bundle is named: plain folders of Rego pay nothing for it.
  const loaded = bundles.length > 0 ? await loadAllBundles(bundles, request, tools) : undefined;
  policies.push(...(loaded?.policies ?? []));
  for (const extra of extras) if (!isBundle(extra)) policies.push(await loadExtra(extra, request, tools));
  const bench: Bench = {
    policies,
    enforcement: environment?.rules ?? {},
    ...(environment === undefined ? {} : { environment: { name: environment.name, tier: environment.tier } }),
    ...(project === undefined ? {} : { projectDigest: project.digest }),
    ...(request.strictErrors || project?.strictErrors === true ? { strictErrors: true } : {}),
  };
  return { bench, notes, releases: loaded?.releases ?? [] };
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
    }),
  );
  return [
    ...named,
    ...request.policies.map((path) => ({ path, namespaces: request.namespaces, parameters: {} })),
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
  const parameters = { ...request.parameters, ...stated };
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
    return load(compiled, { name, revision, parameters }, request, tools);
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
  return load(kept, { name, revision, parameters }, request, tools);
}

async function loadExtra(extra: Extra, request: Request, tools: Tools): Promise<Policy> {
  const own = withoutTests(readRegoSources(extra.path));
  const needsLibraries = own.some((source) => source.text.includes('data.countersign.lib.'));
  const sources = needsLibraries ? [...own, ...readLibraries(tools.installation.policies)] : own;
  const compiled = await compile({ name: extra.path, sources, namespaces: extra.namespaces }, request, tools);
  return load(
    compiled,
    { name: extra.path, revision: '', parameters: { ...request.parameters, ...extra.parameters } },
    request,
    tools,
  );
}

/** All bundles of a run are one policy, as in one OPA: they own parts of `data` that do not overlap, and may use each other's. */
async function loadAllBundles(
  bundles: readonly Extra[],
  request: Request,
  tools: Tools,
): Promise<LoadedBundles> {
  const { loadBundles } = await import('./bundles/policies.ts');
  return loadBundles(
    {
      references: bundles.map(({ path }) => path),
      namespaces: {
        names: [...new Set(bundles.flatMap(({ namespaces }) => namespaces.names))],
        all: bundles.some(({ namespaces }) => namespaces.all),
      },
      parameters: Object.assign({}, request.parameters, ...bundles.map(({ parameters }) => parameters)),
      data: request.data,
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

async function load(
  compiled: Compiled,
  facts: { name: string; revision: string; parameters: Readonly<Record<string, unknown>> },
  request: Request,
  { builtins }: Tools,
): Promise<Policy> {
  const own = new Set(compiled.entries.map(({ rule }) => rule.code));
  const parameters = Object.fromEntries(Object.entries(facts.parameters).filter(([code]) => own.has(code)));
  const limits = request.project?.limits ?? {};
  const policy = loadPolicy(compiled, { ...facts, parameters, data: request.data, limits, builtins });
  checkParameters(policy.rules, parameters);
  return policy;
}

/** The cache of the user, outside the workspace: `$XDG_CACHE_HOME/countersign`, or `~/.cache/countersign`. */
export function userCache(io: Io, installation: Installation): PolicyCache {
  const base =
    io.env['COUNTERSIGN_CACHE'] ??
    join(io.env['XDG_CACHE_HOME'] ?? join(io.homeDirectory, '.cache'), 'countersign');
  return { directory: join(base, 'policies'), userId: io.userId, toolVersion: installation.toolVersion };
}
