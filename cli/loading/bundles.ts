// SPDX-License-Identifier: Apache-2.0
import {
  type Policy,
  readLibraries,
  refuseUnknownRules,
  refuseUnmatched,
} from '../../engine/policy/index.ts';
import { type LoadedBundles, loadBundles, type ReleasedBundle } from '../bundles/policies.ts';
import type { Request } from '../prepare.ts';
import { compile, type Tools } from './load.ts';
import { ownData } from './maps.ts';
import type { Extra } from './policies.ts';

/** What came of all bundles of a run. */
export interface BundlePolicies {
  readonly policies: readonly Policy[];
  /** Those among them that flags set parameters and data of. */
  readonly flagged: readonly Policy[];
  readonly releases: readonly ReleasedBundle[];
}

/**
 * Loads the bundles that an environment asks for as one policy, as in one OPA: they own parts of `data` that do not overlap, and may
 * use each other's. Those that a job brings along are another: their data, and its flags, reach nothing of the first.
 * @throws {EngineError} whatever a bundle is refused for | POLICY_EMPTY | POLICY_PARAMETERS
 */
export async function loadBundleGroups(
  extras: readonly Extra[],
  request: Request,
  tools: Tools,
  notes: string[],
): Promise<BundlePolicies> {
  const [asked, brought] = [false, true].map((wanted) =>
    extras.filter(({ takesFlags }) => takesFlags === wanted),
  );
  const first = await loadGroup(asked ?? [], request, tools, notes);
  const second = await loadGroup(brought ?? [], request, tools, notes);
  return {
    policies: [...first.policies, ...second.policies],
    flagged: second.policies,
    releases: [...first.releases, ...second.releases],
  };
}

async function loadGroup(
  extras: readonly Extra[],
  request: Request,
  tools: Tools,
  notes: string[],
): Promise<Omit<LoadedBundles, 'unread'>> {
  const [first] = extras;
  if (first === undefined) return { policies: [], releases: [] };
  const { project, environment } = request;
  const [flags, given] = first.takesFlags ? [request.parameters, request.data] : [{}, {}];
  // One OPA, one document under data: what one policy of the Project names, the others of this group see too.
  const files = [...new Set(extras.flatMap(({ data }) => data))];
  const stated: Record<string, unknown> = Object.assign({}, ...extras.map(({ parameters }) => parameters));
  const loaded = await loadBundles(
    {
      references: extras.map(({ path }) => path),
      versions: new Map(extras.map(({ path, regoVersion }) => [path, regoVersion])),
      namespaces: {
        names: [...new Set(extras.flatMap(({ namespaces }) => namespaces.names))],
        all: extras.some(({ namespaces }) => namespaces.all),
      },
      parameters: { ...flags, ...stated },
      takesFlags: first.takesFlags,
      data: ownData(files, given, tools.reader),
      builtins: tools.builtins,
      ...(project?.limits === undefined ? {} : { limits: project.limits }),
      settings: {
        ...request.bundles,
        ...(environment === undefined ? {} : { environment: environment.name }),
      },
    },
    {
      yaml: () => tools.reader,
      libraries: (sources) => readLibraries(tools.installation.policies, sources),
      compile: (wanted) => compile(wanted, request, tools),
    },
  );
  for (const { namespaces } of extras.filter((extra) => extra.namespaces !== request.namespaces))
    refuseUnmatched(
      namespaces,
      loaded.policies.flatMap(({ rules }) => rules),
    );
  const name = extras.map(({ path }) => JSON.stringify(path)).join(', ');
  for (const unread of loaded.unread)
    notes.push(
      `rules of package ${JSON.stringify(unread)} in ${name} are not read: name it with --policy-namespace`,
    );
  refuseUnknownRules([
    { where: `policies ${name}: parameters`, codes: Object.keys(stated), policies: loaded.policies },
  ]);
  return loaded;
}
