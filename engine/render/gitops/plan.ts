// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { EngineError } from '../../error.ts';
import { type Document, readDocuments, type Source } from '../../manifest/index.ts';
import type { YamlReader } from '../../toolchain/yaml.ts';
import { openReading } from '../folder.ts';
import type { ChartSource, KustomizeSource } from '../render.ts';
import { isBelow, shownPath } from '../root.ts';
import { argoApplication } from './argo.ts';
import { fluxKustomization, helmRelease } from './flux.ts';
import { Spec } from './spec.ts';

/** What is to be rendered for a GitOps source; `files` are taken as they are. */
export type Plan =
  | { readonly kind: 'chart'; readonly source: ChartSource }
  | { readonly kind: 'kustomize'; readonly source: KustomizeSource }
  | { readonly kind: 'files'; readonly path: string; readonly isRecursive: boolean };

/** What a GitOps source is read against. */
export interface GitOpsFrame {
  /** The folder that its paths are relative to: the repository. */
  readonly root: string;
  /** A chart's folder or archive, for a source that names a remote one. */
  readonly chart?: string;
  /** ConfigMaps and Secrets that it refers to. */
  readonly objects: readonly Document[];
  readonly cluster: { readonly kubeVersion?: string; readonly apiVersions?: readonly string[] };
  readonly yaml: YamlReader;
}

/** The frame with what its readers need. */
export interface Scene extends GitOpsFrame {
  /** A path in the repository, as seen from the working folder. @throws {EngineError} RENDER_SOURCE where it leads out */
  below(spec: Spec, path: string): string;
  /** A file of the repository. */
  read(path: string): Uint8Array;
}

const FLUX = 'kustomize.toolkit.fluxcd.io/';
const HELM = 'helm.toolkit.fluxcd.io/';
const ARGO = 'argoproj.io/';

/**
 * Reads the Flux Kustomizations, HelmReleases and Argo CD Applications of a file, in its order; its ConfigMaps and Secrets are there for
 * what refers to them.
 * @throws {EngineError} RENDER_SOURCE | RENDER_REMOTE, with the place; INPUT_*
 */
export function planGitOps(source: Source, frame: GitOpsFrame): readonly Plan[] {
  const documents = readDocuments([source], frame.yaml);
  const reading = openReading(frame.root);
  const scene: Scene = {
    ...frame,
    objects: [...frame.objects, ...documents],
    below: (spec, path) => belowRoot(frame.root, spec, path),
    read: (path) => reading.file(resolve(path)),
  };
  const plans = documents.flatMap((document) =>
    plansOf(document, new Spec(document, source, document.value, ''), scene),
  );
  if (plans.length > 0) return plans;
  throw new EngineError(
    'RENDER_SOURCE',
    `${JSON.stringify(source.name)} holds no Flux Kustomization, HelmRelease or Argo CD Application`,
    { hint: 'name a chart or a folder itself without --from' },
  );
}

function plansOf({ id }: Document, spec: Spec, scene: Scene): readonly Plan[] {
  const { apiVersion = '', kind } = id ?? {};
  if (apiVersion.startsWith(FLUX) && kind === 'Kustomization')
    return [fluxKustomization(spec.at('spec'), scene)];
  if (apiVersion.startsWith(HELM) && kind === 'HelmRelease') return [helmRelease(spec, scene)];
  if (apiVersion.startsWith(ARGO) && kind === 'Application') return argoApplication(spec, scene);
  if (apiVersion.startsWith(ARGO) && kind === 'ApplicationSet')
    return spec
      .at('spec')
      .refuse(
        'makes Applications, and that is not done here',
        'check each Application that it makes: argocd appset generate prints them',
      );
  return [];
}

function belowRoot(root: string, spec: Spec, path: string): string {
  const real = resolve(root, path.replace(/^\/+/, ''));
  if (!isBelow(real, root)) return spec.refuse('leads out of the repository');
  return shownPath(real);
}
