// SPDX-License-Identifier: Apache-2.0
import { type BenchEnvironment, startSeconds } from '../engine/bounds.ts';
import type { Environment, Project } from '../engine/context/project.ts';
import { EngineError } from '../engine/index.ts';
import {
  DEFAULT_NAMESPACES,
  isBundlePath,
  type Namespaces,
  type Policy,
  type PolicyCache,
  type RegoVersion,
  refuseUnknownRules,
  refuseUnmatched,
} from '../engine/policy/index.ts';
import type { BuiltinServer } from '../engine/rego/index.ts';
import type { Bench } from '../engine/review.ts';
import { SCHEMA_RULES } from '../engine/schema/index.ts';
import { openRegoBuiltins } from '../engine/toolchain/builtins.ts';
import { openRegoToolchain, type RegoToolchain } from '../engine/toolchain/rego.ts';
import type { YamlReader } from '../engine/toolchain/yaml.ts';
import type { BundleSettings } from './bundles/flags.ts';
import type { ReleasedBundle } from './bundles/policies.ts';
import type { Installation } from './installation.ts';
import type { BundlePolicies } from './loading/bundles.ts';
import type { Tools } from './loading/load.ts';
import { type Extra, loadExtra, loadPacks, type PackChoice } from './loading/policies.ts';

/** Rules that every check has, whatever is loaded. */
const BUILT_IN: ReadonlySet<string> = new Set(SCHEMA_RULES);
const COMPILE_DEADLINE_MS = 120_000;

/** What is to be loaded. */
export interface Request {
  readonly project?: Project;
  readonly environment?: Environment;
  /** Folders from `--policy`: they add to the environment's packs, and stand alone where there is no Project. */
  readonly policies: readonly string[];
  readonly namespaces: Namespaces;
  /** Of what `policies` name, where files do not state their own. */
  readonly regoVersion?: RegoVersion;
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
  const bundles = await bundlesOf(extras.filter(isBundle), request, tools, notes);
  const flagged = environment === undefined ? [...policies] : [];
  policies.push(...bundles.policies);
  flagged.push(...bundles.flagged);
  for (const extra of extras.filter((one) => !isBundle(one))) {
    const policy = await loadExtra(extra, request, tools, notes);
    policies.push(policy);
    if (extra.takesFlags) flagged.push(policy);
  }
  refuseUnmatched(
    request.namespaces,
    policies.flatMap(({ rules }) => rules),
  );
  refuseUnknownRules([
    { where: '--parameters', codes: Object.keys(request.parameters), policies: flagged },
    {
      where: `environment ${JSON.stringify(environment?.name)}: rules`,
      codes: Object.keys(environment?.rules ?? {}).filter((code) => !BUILT_IN.has(code)),
      policies,
    },
  ]);
  const bench: Bench = {
    policies,
    enforcement: environment?.rules ?? {},
    ...(environment === undefined ? {} : { environment: benchEnvironment(environment) }),
    ...(project === undefined ? {} : { projectDigest: project.digest }),
    ...(project === undefined || project.inputs === 'none' ? {} : { keepsInputs: true }),
    ...(request.strictErrors || project?.strictErrors === true ? { strictErrors: true } : {}),
  };
  return { bench, notes, releases: bundles.releases };
}

const benchEnvironment = (environment: Environment): BenchEnvironment => ({
  name: environment.name,
  tier: environment.tier,
  ...(environment.namespaces === undefined ? {} : { namespaces: environment.namespaces }),
  startWithin: startSeconds(environment),
});

/** What reads bundles is loaded only where one is named: plain folders of Rego pay nothing for it. */
async function bundlesOf(
  extras: readonly Extra[],
  request: Request,
  tools: Tools,
  notes: string[],
): Promise<BundlePolicies> {
  if (extras.length === 0) return { policies: [], flagged: [], releases: [] };
  const { loadBundleGroups } = await import('./loading/bundles.ts');
  return loadBundleGroups(extras, request, tools, notes);
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
      ...(policy.regoVersion === undefined ? {} : { regoVersion: policy.regoVersion }),
      parameters: policy.parameters ?? {},
      data: policy.data ?? [],
      takesFlags: request.environment === undefined,
    }),
  );
  return [
    ...named,
    ...request.policies.map((path) => ({
      path,
      namespaces: request.namespaces,
      ...(request.regoVersion === undefined ? {} : { regoVersion: request.regoVersion }),
      parameters: {},
      data: [],
      takesFlags: true,
    })),
  ];
}
