// SPDX-License-Identifier: Apache-2.0
import type { Environment } from '../../engine/context/project.ts';
import { EngineError } from '../../engine/index.ts';
import type { ValueStep } from '../../engine/render/index.ts';
import type { Args, Flag } from '../args.ts';
import { UsageError } from '../exit.ts';
import { readSource } from '../files.ts';

/** The flags that say how charts, Kustomize folders and GitOps sources are rendered; `check` and `render` have the same. */
export const RENDER_FLAGS = {
  values: { value: 'FILE', multiple: true, help: 'YAML of values for a chart, as helm template --values' },
  set: { value: 'KEY=VALUE', multiple: true, help: "one value of a chart, in Helm's own notation" },
  'set-string': { value: 'KEY=VALUE', multiple: true, help: 'the same, and the value is text' },
  'set-file': { value: 'KEY=FILE', multiple: true, help: 'the same, and the value is what the file holds' },
  release: { value: 'NAME', help: 'name of the release (default release-name)' },
  namespace: {
    value: 'NAME',
    help: 'namespace of the release (default default), and of objects that name none; --record needs it for those',
  },
  'kube-version': { value: 'VERSION', help: 'Kubernetes version that a chart sees (default 1.37)' },
  'api-versions': {
    value: 'GROUP/VERSION',
    multiple: true,
    help: 'API versions that a chart sees besides those of Kubernetes',
  },
  'include-crds': { help: 'render the CRDs of a chart too' },
  from: {
    value: 'FILE',
    help: 'a Flux Kustomization or HelmRelease, or an Argo CD Application: what its controller would apply',
  },
  'values-from': {
    value: 'FILE',
    multiple: true,
    help: 'ConfigMaps and Secrets that the source of --from refers to',
  },
  chart: { value: 'PATH', help: 'folder or archive of the chart that the source of --from names' },
  root: {
    value: 'DIR',
    help: 'folder that may be read (default the Git work tree, or the working folder)',
  },
} as const satisfies Readonly<Record<string, Flag>>;

const OF_CHARTS = ['values', 'set', 'set-string', 'set-file', 'release', 'include-crds'] as const;
const OF_SOURCES = ['values-from', 'chart'] as const;
const OF_CLUSTERS = ['kube-version', 'api-versions'] as const;

/** Refuses flags that nothing would read: who gives them expects that they do something. */
export function refuseIdle(
  args: Args,
  given: { readonly hasChart: boolean; readonly hasSource: boolean; readonly namesObjects: boolean },
): void {
  const isRendered = given.hasChart || given.hasSource;
  const idle = [
    ...(given.hasChart ? [] : OF_CHARTS),
    ...(given.hasSource ? [] : OF_SOURCES),
    ...(isRendered ? [] : OF_CLUSTERS),
    ...(isRendered || given.namesObjects ? [] : (['namespace'] as const)),
  ].find((name) => args.has(name));
  if (idle === undefined) return;
  const isOfSource = OF_SOURCES.some((name) => name === idle);
  throw new UsageError(
    isOfSource ? `--${idle} needs --from` : `--${idle} is for charts, and no path is one`,
    isOfSource
      ? 'name a Flux or Argo CD source with --from FILE'
      : 'name the folder that holds Chart.yaml, or a packed chart',
  );
}

/** What a chart is rendered with, from flags and from the environment: there the environment has the word, and its values come first. */
export function chartJob(args: Args, environment: Environment | undefined) {
  return {
    release: args.text('release') ?? 'release-name',
    namespace: args.text('namespace') ?? 'default',
    includeCrds: args.has('include-crds'),
    values: [...(environment?.values ?? []).flatMap(valuesFile), ...valueSteps(args)],
    ...clusterOf(args, environment),
  };
}

/** Which Kubernetes a chart sees. */
export function clusterOf(
  args: Args,
  environment: Environment | undefined,
): { readonly kubeVersion?: string; readonly apiVersions?: readonly string[] } {
  const stated = args.text('kube-version');
  const own = environment?.kubernetes;
  if (stated !== undefined && own !== undefined)
    throw new UsageError(
      `--kube-version beside environment ${JSON.stringify(environment?.name)}, which states its own`,
      'leave --kube-version out',
    );
  const kubeVersion = own ?? stated;
  const apiVersions = [
    ...(environment?.apiVersions ?? []),
    ...args.list('api-versions').flatMap((list) => list.split(',')),
  ];
  return {
    ...(kubeVersion === undefined ? {} : { kubeVersion }),
    ...(apiVersions.length === 0 ? {} : { apiVersions }),
  };
}

/** In the order in which Helm takes them. */
function valueSteps(args: Args): readonly ValueStep[] {
  const flag = (name: string, kind: ValueStep['kind']): readonly ValueStep[] =>
    args.list(name).map((text) => ({ kind, name: `--${name} ${text}`, text }));
  return [
    ...args.list('values').flatMap(valuesFile),
    ...flag('set', 'set'),
    ...flag('set-string', 'string'),
    ...flag('set-file', 'file'),
  ];
}

function valuesFile(path: string): readonly ValueStep[] {
  return [{ kind: 'yaml', name: path, text: Buffer.from(readLocal(path)).toString('utf8') }];
}

/** @throws {EngineError} RENDER_REMOTE for an address: nothing is fetched */
export function readLocal(path: string): Uint8Array {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path))
    throw new EngineError('RENDER_REMOTE', `${JSON.stringify(path)} is remote, and nothing is fetched`, {
      hint: 'fetch it, keep it in the repository, and name the file',
    });
  return readSource(path).bytes;
}
