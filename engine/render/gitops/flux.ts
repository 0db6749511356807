// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ValueStep } from '../program.ts';
import { heldBy } from './objects.ts';
import type { Plan, Scene } from './plan.ts';
import type { Instead, Spec } from './spec.ts';

/** Fields that say when and how Flux applies, not what. */
const IDLE = [
  'interval',
  'retryInterval',
  'timeout',
  'prune',
  'wait',
  'force',
  'suspend',
  'sourceRef',
  'dependsOn',
  'healthChecks',
  'healthCheckExprs',
  'serviceAccountName',
  'kubeConfig',
  'deletionPolicy',
  'buildMetadata',
];
const USED = [
  'path',
  'targetNamespace',
  'namePrefix',
  'nameSuffix',
  'patches',
  'images',
  'components',
  'ignoreMissingComponents',
  'commonMetadata',
  'postBuild',
];

const NOT_DONE: Instead = {
  decryption: [
    'decrypts files with a key of the cluster, and nothing is decrypted here',
    'check a copy of the source without it, and with the encrypted files in a folder outside of its path: only their values are not known here',
  ],
  patchesStrategicMerge: [
    'is of versions that Flux no longer serves',
    'write each of its patches under "patches"',
  ],
  patchesJson6902: ['is of versions that Flux no longer serves', 'write each of its patches under "patches"'],
  validation: ['is of versions that Flux no longer serves', 'leave it out: the API server validates'],
};

/** What Flux's kustomize-controller builds: the folder, changed as the Kustomization says, its variables replaced. */
export function fluxKustomization(spec: Spec, scene: Scene): Plan {
  spec.only(USED, IDLE, NOT_DONE);
  const path = scene.below(spec.at('path'), spec.at('path').text() ?? '.');
  const metadata = spec.at('commonMetadata');
  metadata.only(['labels', 'annotations']);
  const substitute = variablesOf(spec.at('postBuild'), scene);
  const isMissing = (component: string): boolean => !existsSync(join(path, component));
  const mayMiss = spec.at('ignoreMissingComponents').flag();
  return {
    kind: 'kustomize',
    source: {
      path,
      root: scene.root,
      edit: {
        generate: true,
        namespace: spec.at('targetNamespace').text() ?? '',
        namePrefix: spec.at('namePrefix').text() ?? '',
        nameSuffix: spec.at('nameSuffix').text() ?? '',
        patches: spec.at('patches').objects(),
        images: spec.at('images').objects(),
        components: spec
          .at('components')
          .texts()
          .filter((component) => !mayMiss || !isMissing(component)),
      },
      after: {
        ...(substitute === undefined ? {} : { substitute }),
        labels: metadata.at('labels').map() ?? {},
        annotations: metadata.at('annotations').map() ?? {},
      },
    },
  };
}

/** Values in line go before those of objects; line ends are dropped, as Flux drops them. */
function variablesOf(postBuild: Spec, scene: Scene): Readonly<Record<string, string>> | undefined {
  postBuild.only(['substitute', 'substituteFrom']);
  if (!postBuild.isThere) return undefined;
  const variables: Record<string, string> = {};
  for (const reference of postBuild.at('substituteFrom').list()) {
    reference.only(['kind', 'name', 'optional']);
    Object.assign(variables, held(reference, scene) ?? {});
  }
  Object.assign(variables, postBuild.at('substitute').map() ?? {});
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replaceAll('\n', '')] as const),
  );
}

function held(reference: Spec, scene: Scene): Readonly<Record<string, string>> | undefined {
  const [kind, name] = [reference.at('kind').needed(), reference.at('name').needed()];
  const found = heldBy(scene.objects, kind, name);
  if (found !== undefined || reference.at('optional').flag()) return found;
  return reference.refuse(
    `names ${kind} ${JSON.stringify(name)}, which is in the cluster`,
    'give its manifest with --values-from FILE',
  );
}

const RELEASE_IDLE = [
  'interval',
  'timeout',
  'suspend',
  'dependsOn',
  'maxHistory',
  'serviceAccountName',
  'kubeConfig',
  'test',
  'rollback',
  'uninstall',
  'upgrade',
  'driftDetection',
  'persistentClient',
  'storageNamespace',
];
const RELEASE_USED = [
  'chart',
  'chartRef',
  'releaseName',
  'targetNamespace',
  'values',
  'valuesFrom',
  'install',
];

const RELEASE_NOT_DONE: Instead = {
  postRenderers: [
    'changes what the chart renders to, and that is not done here',
    'render a copy of the source without it to a file, and check a Kustomize folder with that file as a resource and the same patches and images',
  ],
  commonMetadata: [
    'labels and annotates what the chart renders to, and that is not done here',
    'check a copy of the source without it: labels and annotations are all that it adds',
  ],
};

/** What Flux's helm-controller installs: the chart with the values of objects in their order and the release's own on top. */
export function helmRelease(release: Spec, scene: Scene): Plan {
  const [spec, metadata] = [release.at('spec'), release.at('metadata')];
  spec.only(RELEASE_USED, RELEASE_IDLE, RELEASE_NOT_DONE);
  const name = metadata.at('name').needed();
  const target = spec.at('targetNamespace').text();
  const chart = spec.at('chart').at('spec');
  chart.only(
    ['chart', 'valuesFiles', 'sourceRef'],
    ['version', 'reconcileStrategy', 'interval', 'verify', 'ignoreMissingValuesFiles'],
  );
  return {
    kind: 'chart',
    source: {
      path: chartPath(spec, scene),
      root: scene.root,
      job: {
        release: shortened(
          spec.at('releaseName').text() ?? (target === undefined ? name : `${target}-${name}`),
        ),
        namespace: target ?? metadata.at('namespace').text() ?? 'default',
        includeCrds: spec.at('install').at('crds').text() !== 'Skip',
        skipSchema: spec.at('install').at('disableSchemaValidation').flag(),
        valuesFiles: chart.at('valuesFiles').texts(),
        values: [
          ...spec
            .at('valuesFrom')
            .list()
            .flatMap((item) => stepOf(item, scene)),
          ...ownValues(spec),
        ],
        ...scene.cluster,
      },
    },
  };
}

function chartPath(spec: Spec, scene: Scene): string {
  if (scene.chart !== undefined) return scene.chart;
  const chart = spec.at('chart').at('spec');
  if (!chart.isThere) return spec.at('chartRef').refuseRemote('the chart that "chartRef" names');
  const name = chart.at('chart').needed();
  const kind = chart.at('sourceRef').at('kind').needed();
  if (kind === 'HelmRepository') return chart.refuseRemote(`chart ${JSON.stringify(name)}`);
  return scene.below(chart.at('chart'), name);
}

function ownValues(spec: Spec): readonly ValueStep[] {
  const values = spec.at('values');
  return values.isThere ? [{ kind: 'yaml', name: 'spec.values', text: JSON.stringify(values.object()) }] : [];
}

function stepOf(reference: Spec, scene: Scene): readonly ValueStep[] {
  reference.only(['kind', 'name', 'valuesKey', 'targetPath', 'optional']);
  const name = `${reference.at('kind').needed()} ${JSON.stringify(reference.at('name').needed())}`;
  const key = reference.at('valuesKey').text() ?? 'values.yaml';
  const value = held(reference, scene)?.[key];
  if (value === undefined)
    return reference.at('optional').flag() ? [] : reference.refuse(`has no key ${JSON.stringify(key)}`);
  const target = reference.at('targetPath').text();
  if (target === undefined) return [{ kind: 'yaml', name, text: value }];
  const quoted = /^(['"])([\s\S]*)\1$/.exec(value);
  return quoted === null
    ? [{ kind: 'set', name, text: `${target}=${value}` }]
    : [{ kind: 'string', name, text: `${target}=${quoted[2] ?? ''}` }];
}

const NAME_MAX = 53;
const HASH_LENGTH = 12;

/** Helm's limit for names; Flux keeps what is longer apart by a part of its hash. */
const shortened = (name: string): string =>
  name.length <= NAME_MAX
    ? name
    : `${name.slice(0, NAME_MAX - HASH_LENGTH - 1)}-${hash('sha256', name, 'hex').slice(0, HASH_LENGTH)}`;
