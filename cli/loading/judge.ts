// SPDX-License-Identifier: Apache-2.0
// The judge of a server: one of one environment, or one of a whole Project whose environments follow from the requests.
import { environmentNamed, environmentOfNamespace, type Project } from '../../engine/context/project.ts';
import { trustDigest } from '../../engine/context/trust.ts';
import { partsOf } from '../../engine/parts.ts';
import type { Lock } from '../../engine/policy/release/index.ts';
import type { BuiltinServer } from '../../engine/rego/index.ts';
import { openYamlReader, type YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args } from '../args.ts';
import { type BundleSettings, bundleSettings } from '../bundles/flags.ts';
import type { AskedClaims, LoadedJudge } from '../bundles/serving.ts';
import { gatherFor } from '../commands/people/standing.ts';
import { UsageError } from '../exit.ts';
import type { Installation } from '../installation.ts';
import type { Io } from '../io.ts';
import { type Prepared, prepare } from '../prepare.ts';
import { type Checks, checksOf } from '../remote/environments.ts';
import { policiesAsked } from './asked.ts';
import { findProject } from './project.ts';

/** Loads what `serve`'s flags and its Project name. `notes` are told what was assumed. */
export async function loadJudge(
  args: Args,
  given: Pick<Frame, 'installation' | 'builtins' | 'notes'>,
  { io, memory }: { readonly io: Io; readonly memory: Lock },
): Promise<LoadedJudge> {
  const reader = openYamlReader(given.installation.toolchain);
  const found = findProject(args.text('project'), reader);
  const project = found?.project;
  const name = args.text('env');
  const bundles = { ...bundleSettings(args, io, found), memory, follow: args.has('follow') };
  const frame = { ...given, reader, bundles, found, now: io.now() };
  if (project === undefined && name !== undefined)
    throw new UsageError('--env needs a Project and there is none', 'name one with --project FILE');
  if (project !== undefined) given.notes.push(scopeOf(project, args));
  if (project === undefined || name !== undefined) {
    const of = project === undefined || name === undefined ? {} : { project, environment: name };
    const { bench, releases } = await benchFor(args, frame, of);
    const environments = (project?.environments ?? []).filter((environment) => environment.name === name);
    const { asked, ...roots } = await askedBy(environments, frame);
    const only = environments.find((environment) => asked.has(environment.name))?.name;
    const parts = partsOf(bench);
    const benches = new Map(name === undefined ? [] : [[name, parts]]);
    return {
      parts: { bench: parts },
      releases,
      asked: only === undefined ? undefined : () => asked.get(only),
      ...(found === undefined ? {} : checking(() => checksOf(found, benches, asked), roots)),
    };
  }
  const loaded = await Promise.all(
    project.environments.map(async ({ name: environment }) => ({
      environment,
      ...(await benchFor(args, frame, { project, environment })),
    })),
  );
  const benches = new Map(loaded.map(({ environment, bench }) => [environment, partsOf(bench)] as const));
  const { asked, ...roots } = await askedBy(project.environments, frame);
  return {
    parts: { project, benches },
    releases: loaded.flatMap(({ releases }) => releases),
    // Whose environment a namespace is, the judge finds out in the same way.
    asked:
      asked.size === 0
        ? undefined
        : (namespace) => asked.get(environmentOfNamespace(project, namespace)?.name ?? ''),
    ...(found === undefined ? {} : checking(() => checksOf(found, benches, asked), roots)),
  };
}

/** What sets are checked by. It is a copy, so they are given it anew where trusted roots were fetched: also where one of them was not. */
function checking(
  checksOfNow: () => Checks,
  { refreshRoots }: Pick<AskedBy, 'refreshRoots'>,
): Pick<LoadedJudge, 'checks' | 'refreshRoots'> {
  const checks = checksOfNow();
  if (refreshRoots === undefined) return { checks };
  return {
    checks,
    refreshRoots: (useChecks) => refreshRoots().finally(() => useChecks(checksOfNow())),
  };
}

/** What environments ask about images, by their names; those that ask nothing are not there. */
interface AskedBy {
  readonly asked: ReadonlyMap<string, AskedClaims>;
  /** Fetches the trusted roots anew; absent where none is fetched. */
  readonly refreshRoots?: () => Promise<void>;
}

async function askedBy(
  environments: Project['environments'],
  { found, bundles }: Pick<Frame, 'found' | 'bundles'>,
): Promise<AskedBy> {
  const asking = environments.flatMap(({ name, attestations }) =>
    attestations === undefined ? [] : [{ name, attestations }],
  );
  if (found === undefined || asking.length === 0) return { asked: new Map() };
  const { proverParts, rootDigest } = await import('./attestations.ts');
  const asked = new Map<string, AskedClaims>();
  const prepareOne = async (environment: (typeof asking)[number]): Promise<void> => {
    const { registries, fetch } = environment.attestations;
    const parts = await proverParts(environment, bundles);
    const whom = trustDigest(found.project, rootDigest(parts));
    asked.set(environment.name, { parts, registries, isLive: fetch === 'live', trustDigest: whom });
  };
  await Promise.all(asking.map(prepareOne));
  const fetched = asking.filter(({ attestations: { tuf } }) => tuf !== undefined && tuf.offline !== true);
  return { asked, ...(fetched.length === 0 ? {} : { refreshRoots: () => eachOf(fetched, prepareOne) }) };
}

/** One that fails keeps none of the others back. Rejects with what the first failed with. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const settled = await Promise.allSettled(items.map(work));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** What is judged by what: a Project may have been found in the working folder that nobody had in mind. */
function scopeOf(project: Project, args: Args): string {
  const file = args.text('project') ?? 'countersign.yaml';
  const name = args.text('env');
  if (name !== undefined)
    return `Project ${JSON.stringify(file)}: every request is judged for environment ${JSON.stringify(name)}`;
  const environments = project.environments.map(({ name: environment, namespaces = [], clusterScoped }) => {
    const objects = [...namespaces, ...(clusterScoped ? ['cluster-scoped objects'] : [])];
    return `${JSON.stringify(environment)} (${objects.length === 0 ? 'nothing' : objects.join(', ')})`;
  });
  return `Project ${JSON.stringify(file)}: environments ${environments.join(', ') || 'none'}; unmapped: ${project.unmapped}`;
}

interface Frame {
  /** One for all environments. */
  readonly builtins: BuiltinServer;
  readonly installation: Installation;
  readonly reader: YamlReader;
  /** What was assumed, to be said. */
  readonly notes: string[];
  readonly bundles: BundleSettings;
  readonly found: ReturnType<typeof findProject>;
  readonly now: Date;
}

async function benchFor(
  args: Args,
  frame: Frame,
  of: { project?: Project; environment?: string },
): Promise<Prepared> {
  const environment =
    of.project === undefined || of.environment === undefined
      ? undefined
      : environmentNamed(of.project, of.environment);
  const prepared = await prepare(
    {
      ...(of.project === undefined ? {} : { project: of.project }),
      ...(environment === undefined ? {} : { environment }),
      ...policiesAsked(args, frame.reader),
      bundles: frame.bundles,
      builtins: frame.builtins,
    },
    frame.installation,
    frame.reader,
  );
  frame.notes.push(...prepared.notes);
  if (frame.found === undefined || environment === undefined) return prepared;
  // Approvals that are asked for are missing where nobody has signed anything.
  if (frame.found.project.statements === undefined && environment.approvals === undefined) return prepared;
  const { standing, notes } = await gatherFor({
    found: frame.found,
    environment,
    folders: [],
    now: frame.now,
  });
  frame.notes.push(...notes);
  const whom = trustDigest(frame.found.project);
  return { ...prepared, bench: { ...prepared.bench, standing, trustDigest: whom } };
}
