// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { KustomizeEdit, ValueStep } from '../program.ts';
import { recognise } from '../recognise.ts';
import type { Plan, Scene } from './plan.ts';
import type { Instead, Spec } from './spec.ts';

const IDLE = ['project', 'syncPolicy', 'ignoreDifferences', 'info', 'revisionHistoryLimit'];

/** What Argo CD would generate for an Application: each of its sources, in their order. A source that only lends values has none. */
export function argoApplication(application: Spec, scene: Scene): readonly Plan[] {
  const spec = application.at('spec');
  spec.only(['source', 'sources', 'destination'], IDLE);
  const several = spec.at('sources').list();
  const sources = several.length > 0 ? several : [spec.at('source')];
  const facts = {
    name: application.at('metadata').at('name').needed(),
    namespace: spec.at('destination').at('namespace').text() ?? 'default',
  };
  const refs = new Set(sources.flatMap((source) => source.at('ref').text() ?? []));
  return sources.flatMap((source) => sourcePlan(source, { ...facts, refs }, scene));
}

const NOT_DONE: Instead = {
  plugin: [
    "runs a program beside Argo CD's repository server, and no program is run here",
    'run the plugin in the pipeline and check what it prints: countersign check -',
  ],
};

const DIRECTORY_NOT_DONE: Instead = {
  jsonnet: [
    'evaluates Jsonnet, and that is not done here',
    'evaluate it in the pipeline and check what it prints: countersign check -',
  ],
  include: [
    'chooses files, and that is not done here',
    'put the files that are applied into a folder of their own',
  ],
  exclude: [
    'leaves files out, and that is not done here',
    'put the files that are applied into a folder of their own',
  ],
};

interface Facts {
  readonly name: string;
  readonly namespace: string;
  readonly refs: ReadonlySet<string>;
}

function sourcePlan(source: Spec, facts: Facts, scene: Scene): readonly Plan[] {
  source.only(
    ['path', 'chart', 'ref', 'helm', 'kustomize', 'directory'],
    ['repoURL', 'targetRevision', 'name'],
    NOT_DONE,
  );
  refuseEnvironment(source);
  const isLending = source.at('ref').isThere && !source.at('path').isThere && !source.at('chart').isThere;
  if (isLending) return [];
  const path = pathOf(source, scene);
  const kind = recognise(path);
  if (kind === 'chart' || kind === 'archive') return [chartPlan(source, path, facts, scene)];
  if (kind === 'kustomize' || source.at('kustomize').isThere)
    return [
      { kind: 'kustomize', source: { path, root: scene.root, edit: editOf(source.at('kustomize'), path) } },
    ];
  const directory = source.at('directory');
  directory.only(['recurse'], [], DIRECTORY_NOT_DONE);
  return [{ kind: 'files', path, isRecursive: directory.at('recurse').flag() }];
}

/** Argo CD replaces its build environment in values and parameters; what stands there then is not known here. */
function refuseEnvironment(source: Spec): void {
  if (JSON.stringify(source.value ?? null).includes('$ARGOCD_'))
    source.refuse('uses the build environment of Argo CD', 'write out what $ARGOCD_… stands for');
}

function pathOf(source: Spec, scene: Scene): string {
  const chart = source.at('chart').text();
  if (chart !== undefined)
    return scene.chart ?? source.at('chart').refuseRemote(`chart ${JSON.stringify(chart)}`);
  return scene.below(source.at('path'), source.at('path').needed());
}

const HELM_USED = [
  'valueFiles',
  'values',
  'valuesObject',
  'parameters',
  'fileParameters',
  'releaseName',
  'ignoreMissingValueFiles',
  'skipCrds',
  'skipTests',
  'skipSchemaValidation',
  'namespace',
  'kubeVersion',
  'apiVersions',
];

function chartPlan(source: Spec, path: string, facts: Facts, scene: Scene): Plan {
  const helm = source.at('helm');
  helm.only(HELM_USED, ['version', 'passCredentials']);
  const kubeVersion = helm.at('kubeVersion').text();
  const apiVersions = helm.at('apiVersions').texts();
  return {
    kind: 'chart',
    source: {
      path,
      root: scene.root,
      job: {
        release: helm.at('releaseName').text() ?? facts.name,
        namespace: helm.at('namespace').text() ?? facts.namespace,
        includeCrds: !helm.at('skipCrds').flag(),
        skipTests: helm.at('skipTests').flag(),
        skipSchema: helm.at('skipSchemaValidation').flag(),
        ...scene.cluster,
        ...(kubeVersion === undefined ? {} : { kubeVersion }),
        ...(apiVersions.length === 0 ? {} : { apiVersions }),
        values: [
          ...helm
            .at('valueFiles')
            .list()
            .flatMap((file) => valueFile(file, { helm, path, facts }, scene)),
          ...inlineValues(helm),
          ...parametersOf(helm),
        ],
      },
      readGiven: (name) => scene.read(join(path, name)),
    },
  };
}

function valueFile(
  file: Spec,
  { helm, path, facts }: { readonly helm: Spec; readonly path: string; readonly facts: Facts },
  scene: Scene,
): readonly ValueStep[] {
  const name = file.needed();
  if (/^[a-z]+:\/\//.test(name)) return file.refuseRemote(`values file ${JSON.stringify(name)}`);
  const [, ref, rest = ''] = /^\$([^/]+)\/(.*)$/.exec(name) ?? [];
  if (ref !== undefined && !facts.refs.has(ref))
    return file.refuse(`names no source: ${JSON.stringify(ref)}`);
  const real =
    ref !== undefined || name.startsWith('/')
      ? scene.below(file, ref === undefined ? name.slice(1) : rest)
      : join(path, name);
  if (!existsSync(real) && helm.at('ignoreMissingValueFiles').flag()) return [];
  return [{ kind: 'yaml', name, text: Buffer.from(scene.read(real)).toString('utf8') }];
}

/** Of both, Argo CD takes the object. */
function inlineValues(helm: Spec): readonly ValueStep[] {
  const object = helm.at('valuesObject');
  if (object.isThere)
    return [{ kind: 'yaml', name: 'helm.valuesObject', text: JSON.stringify(object.object()) }];
  const text = helm.at('values').text();
  return text === undefined ? [] : [{ kind: 'yaml', name: 'helm.values', text }];
}

/** Commas part assignments for Helm, so Argo CD escapes those of a value; what sets text and files comes after what sets values. */
function parametersOf(helm: Spec): readonly ValueStep[] {
  const steps = helm
    .at('parameters')
    .list()
    .map((parameter): ValueStep => {
      parameter.only(['name', 'value', 'forceString']);
      const value = (parameter.at('value').text() ?? '').replace(/([^\\]),/g, '$1\\,');
      const name = parameter.at('name').needed();
      return {
        kind: parameter.at('forceString').flag() ? 'string' : 'set',
        name: `parameter ${JSON.stringify(name)}`,
        text: `${name}=${value}`,
      };
    });
  const files = helm
    .at('fileParameters')
    .list()
    .map((parameter): ValueStep => {
      parameter.only(['name', 'path']);
      const name = parameter.at('name').needed();
      return { kind: 'file', name, text: `${name}=${parameter.at('path').needed()}` };
    });
  return [
    ...steps.filter(({ kind }) => kind === 'set'),
    ...steps.filter(({ kind }) => kind === 'string'),
    ...files,
  ];
}

const KUSTOMIZE_USED = [
  'namePrefix',
  'nameSuffix',
  'namespace',
  'images',
  'replicas',
  'patches',
  'components',
  'ignoreMissingComponents',
  'commonLabels',
  'commonAnnotations',
  'labelWithoutSelector',
];
const KUSTOMIZE_IDLE = [
  'version',
  'forceCommonLabels',
  'forceCommonAnnotations',
  'kubeVersion',
  'apiVersions',
];

function editOf(kustomize: Spec, path: string): KustomizeEdit {
  kustomize.only(KUSTOMIZE_USED, KUSTOMIZE_IDLE);
  const labels = kustomize.at('commonLabels').map() ?? {};
  const mayMiss = kustomize.at('ignoreMissingComponents').flag();
  return {
    namePrefix: kustomize.at('namePrefix').text() ?? '',
    nameSuffix: kustomize.at('nameSuffix').text() ?? '',
    namespace: kustomize.at('namespace').text() ?? '',
    images: kustomize.at('images').list().map(imageOf),
    replicas: kustomize.at('replicas').objects(),
    patches: kustomize.at('patches').objects(),
    components: kustomize
      .at('components')
      .texts()
      .filter((component) => !mayMiss || existsSync(join(path, component))),
    commonAnnotations: kustomize.at('commonAnnotations').map() ?? {},
    ...(kustomize.at('labelWithoutSelector').flag() ? { labels } : { commonLabels: labels }),
  };
}

/** `name`, `=newName`, `:tag` or `@digest`, as `kustomize edit set image` takes them. */
function imageOf(spec: Spec): object {
  const text = spec.needed();
  const [, name = '', renamed, rest = ''] =
    /^([^=:@]+(?::\d+\/[^=:@]+)?)(?:=([^:@]+(?::\d+\/[^:@]+)?))?(.*)$/.exec(text) ?? [];
  const [, tag, digest] = /^(?::([^@]+))?(?:@(.+))?$/.exec(rest) ?? spec.refuse('is no image');
  if (name === '') return spec.refuse('is no image');
  return {
    name,
    ...(renamed === undefined ? {} : { newName: renamed }),
    ...(tag === undefined ? {} : { newTag: tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}
