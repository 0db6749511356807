// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../engine/index.ts';
import { type JoinedBundles, joinBundles, loadWasmPolicy } from '../../engine/policy/bundle/index.ts';
import {
  type CompiledPolicy,
  type CompileRequest,
  checkParameters,
  inVersion,
  loadPolicy,
  type Namespaces,
  type Policy,
  type RegoVersion,
  unreadPackages,
  withoutTests,
} from '../../engine/policy/index.ts';
import type { Release } from '../../engine/policy/release/index.ts';
import type { BuiltinServer, RegoLimits } from '../../engine/rego/index.ts';
import type { RegoSource } from '../../engine/toolchain/rego.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import type { BundleSettings } from './flags.ts';
import { openReferences } from './open.ts';

/** The bundles of one run and what they are read with. */
export interface BundleRequest {
  readonly references: readonly string[];
  /** By reference: of files whose manifest does not state it. */
  readonly versions?: ReadonlyMap<string, RegoVersion | undefined>;
  readonly namespaces: Namespaces;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether flags set them. */
  readonly takesFlags: boolean;
  readonly data: Readonly<Record<string, unknown>>;
  readonly settings: BundleSettings;
  readonly limits?: Partial<RegoLimits>;
  readonly builtins: BuiltinServer;
}

/** What loading needs of its caller. */
export interface BundleTools {
  readonly yaml: () => YamlReader;
  readonly libraries: (sources: readonly RegoSource[]) => readonly RegoSource[];
  readonly compile: (wanted: CompileRequest) => Promise<CompiledPolicy>;
}

/** What came of the bundles of a run. */
export interface LoadedBundles {
  readonly policies: readonly Policy[];
  readonly releases: readonly ReleasedBundle[];
  /** Packages that hold rules which no namespace names. */
  readonly unread: readonly string[];
}

/** What a reference stood for, proved. */
export interface ReleasedBundle {
  readonly reference: string;
  readonly release: Release;
}

/**
 * Loads all bundles of a run: their Rego as one policy, and each module whose rules that Rego does not hold as another.
 * @throws {EngineError} POLICY_EMPTY where no rule comes of it
 */
export async function loadBundles(request: BundleRequest, tools: BundleTools): Promise<LoadedBundles> {
  const opened = await openReferences(request.references, request.settings, tools.yaml);
  const bundles = opened.map((bundle) => ({
    ...bundle,
    sources: inVersion(bundle.sources, request.versions?.get(bundle.name)),
  }));
  const joined = joinBundles(bundles, request.data);
  const compiled = await compiledOf(joined, request, tools);
  const policies: Policy[] = [];
  if (compiled !== undefined) policies.push(await load(compiled, joined, request));
  const answered = new Set((compiled?.entries ?? []).map(({ path }) => path.join('/')));
  for (const file of joined.modules) {
    const policy = loadWasmPolicy(file, { ...joined, ...request, data: joined.data, answered });
    if (policy !== undefined) policies.push(policy);
  }
  const releases = bundles.flatMap(({ name, release }) =>
    release === undefined ? [] : [{ reference: name, release }],
  );
  const unread = compiled === undefined ? [] : unreadPackages(withoutTests(joined.sources), compiled.entries);
  if (policies.length > 0) return { policies, releases, unread };
  throw new EngineError('POLICY_EMPTY', `${JSON.stringify(joined.name)} has no rule`, {
    hint: 'name the package of its rules with --policy-namespace; a module needs entrypoints such as main/deny',
  });
}

/** The Rego of the bundles, compiled; undefined where all rules may be in modules, as `opa build -t wasm` takes them out of the Rego. */
async function compiledOf(
  joined: JoinedBundles,
  request: BundleRequest,
  tools: BundleTools,
): Promise<CompiledPolicy | undefined> {
  const own = withoutTests(joined.sources);
  if (own.length === 0) return undefined;
  const needs = own.some(({ text }) => text.includes('data.countersign.lib.'));
  const brings = own.some(({ text }) => /^package countersign\.lib\./m.test(text));
  const sources = needs && !brings ? [...own, ...tools.libraries(own)] : own;
  try {
    return await tools.compile({ name: joined.name, sources, namespaces: request.namespaces });
  } catch (error) {
    const isModule =
      joined.modules.length > 0 && error instanceof EngineError && error.code === 'POLICY_EMPTY';
    if (isModule) return undefined;
    throw error;
  }
}

async function load(
  compiled: CompiledPolicy,
  joined: JoinedBundles,
  request: BundleRequest,
): Promise<Policy> {
  const own = new Set(compiled.entries.map(({ rule }) => rule.code));
  const parameters = Object.fromEntries(Object.entries(request.parameters).filter(([code]) => own.has(code)));
  const { name, revision, data } = joined;
  const policy = loadPolicy(compiled, {
    name,
    revision,
    parameters,
    data,
    builtins: request.builtins,
    ...(request.limits === undefined ? {} : { limits: request.limits }),
  });
  checkParameters(policy.rules, parameters, request.takesFlags);
  return policy;
}
