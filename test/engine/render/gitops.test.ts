// SPDX-License-Identifier: Apache-2.0
// What is planned for a GitOps source; test/cli/golden/render-flux-* and render-argo-* show what it renders to.
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/index.ts';
import { type Plan, planGitOps } from '../../../engine/render/gitops/index.ts';
import { thrownBy } from '../../expect.ts';
import { frame, makePlace } from './place.ts';

const place = makePlace({
  'web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'web/more.yaml': 'a: b\n',
  'over/kustomization.yaml': 'resources: []\n',
});
afterAll(place.remove);

const plan = (text: string, chart?: string): readonly Plan[] =>
  planGitOps(
    { name: 'source.yaml', bytes: Buffer.from(text) },
    {
      root: place.folder,
      objects: [],
      cluster: { kubeVersion: '1.37' },
      yaml: frame.yaml,
      ...(chart === undefined ? {} : { chart }),
    },
  );

const refused = (text: string): object => {
  const error = thrownBy(() => plan(text));
  if (!(error instanceof EngineError)) throw new Error('expected an EngineError', { cause: error });
  const { code, message, location } = error;
  return { code, message, line: location?.line };
};

const application = (source: string, name = 'shop'): string =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: ${name}}\nspec:\n  destination: {namespace: shop}\n  source: ${source}\n`;
const release = (spec: string, name = 'web'): string =>
  `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: ${name}, namespace: flux}\nspec: ${spec}\n`;
const LOCAL = 'chart: {spec: {chart: web, sourceRef: {kind: GitRepository, name: r}}}';
const jobOf = ([first]: readonly Plan[]): object | undefined =>
  first?.kind === 'chart' ? first.source.job : undefined;
const editOf = ([first]: readonly Plan[]): object | undefined =>
  first?.kind === 'kustomize' ? first.source.edit : undefined;

describe('what is known and not done', () => {
  const flux = (spec: string): string =>
    `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: ${spec}\n`;
  const hint = (text: string): string | undefined => {
    const error = thrownBy(() => plan(text));
    return error instanceof EngineError ? error.hint : undefined;
  };

  it.each([
    [
      flux('{path: ./over, decryption: {provider: sops}}'),
      4,
      '"spec.decryption" decrypts files',
      'encrypted files in a folder outside',
    ],
    [
      flux('{path: ./over, patchesJson6902: []}'),
      4,
      '"spec.patchesJson6902" is of versions',
      'under "patches"',
    ],
    [
      release(`{${LOCAL}, postRenderers: [{kustomize: {patches: []}}]}`),
      4,
      '"spec.postRenderers" changes',
      'check a Kustomize folder',
    ],
    [
      application('{path: web, plugin: {name: p}}'),
      6,
      '"spec.source.plugin" runs a program',
      'countersign check -',
    ],
    [
      application('{path: ., directory: {jsonnet: {}}}'),
      6,
      '"spec.source.directory.jsonnet" evaluates',
      'countersign check -',
    ],
    [
      'apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: a}\nspec: {}\n',
      4,
      '"spec" makes Applications',
      'each Application',
    ],
  ])('says what to do instead', (text, line, message, instead) => {
    expect(refused(text)).toMatchObject({
      code: 'RENDER_SOURCE',
      line,
      message: expect.stringContaining(message),
    });
    expect(hint(text)).toContain(instead);
  });
});

describe('an Application', () => {
  it.each([
    ['a:1', { name: 'a', newTag: '1' }],
    ['a=b', { name: 'a', newName: 'b' }],
    ['r:5000/a=s:5000/b:2', { name: 'r:5000/a', newName: 's:5000/b', newTag: '2' }],
    ['a@sha256:00', { name: 'a', digest: 'sha256:00' }],
    ['r.example/a:1@sha256:00', { name: 'r.example/a', newTag: '1', digest: 'sha256:00' }],
  ])('names the image %s', (image, is) => {
    expect(editOf(plan(application(`{path: over, kustomize: {images: ["${image}"]}}`)))).toMatchObject({
      images: [is],
    });
  });

  it('has release, namespace and values as Argo CD has them', () => {
    const helm =
      '{valueFiles: [/web/more.yaml], parameters: [{name: t, value: "x", forceString: true}, {name: s, value: "a,b\\\\,c"}]}';
    expect(jobOf(plan(application(`{path: web, helm: ${helm}}`)))).toMatchObject({
      release: 'shop',
      namespace: 'shop',
      includeCrds: true,
      kubeVersion: '1.37',
      values: [
        { kind: 'yaml', text: 'a: b\n' },
        { kind: 'set', text: 's=a\\,b\\,c' },
        { kind: 'string', text: 't=x' },
      ],
    });
  });

  it.each([
    ['{path: web, helm: {version: v3, postRender: x}}', '"spec.source.helm.postRender" is not supported'],
    ['{path: ../web}', '"spec.source.path" leads out of the repository'],
    ['{path: over, kustomize: {images: [":1"]}}', '"spec.source.kustomize.images.0" is no image'],
    [
      '{path: web, helm: {valueFiles: ["$other/a.yaml"]}}',
      '"spec.source.helm.valueFiles.0" names no source: "other"',
    ],
    ['{path: web, helm: [a]}', '"spec.source.helm" is no map'],
    ['{repoURL: x}', '"spec.source.path" is missing'],
  ])('of %s is refused with its place', (source, message) => {
    expect(refused(application(source))).toEqual({ code: 'RENDER_SOURCE', message, line: 6 });
  });

  it('with a remote chart is told to vendor it', () => {
    const source = '{repoURL: "https://charts.shop.example", chart: web, targetRevision: 1.x}';
    expect(refused(application(source))).toMatchObject({ code: 'RENDER_REMOTE' });
    expect(jobOf(plan(application(source), place.path('web')))).toMatchObject({ release: 'shop' });
  });
});

describe('a HelmRelease', () => {
  it('is called as Flux calls it', () => {
    expect(jobOf(plan(release(`{${LOCAL}}`)))).toMatchObject({ release: 'web', namespace: 'flux' });
    expect(jobOf(plan(release(`{${LOCAL}, targetNamespace: shop}`)))).toMatchObject({
      release: 'shop-web',
      namespace: 'shop',
      includeCrds: true,
    });
    expect(jobOf(plan(release(`{${LOCAL}, releaseName: own, install: {crds: Skip}}`)))).toMatchObject({
      release: 'own',
      includeCrds: false,
    });
    const long = 'a'.repeat(60);
    expect(jobOf(plan(release(`{${LOCAL}}`, long)))).toMatchObject({
      release: expect.stringMatching(/^a{40}-[0-9a-f]{12}$/),
    });
  });

  it.each([
    [
      `{${LOCAL}, valuesFrom: [{kind: Secret, name: s}]}`,
      '"spec.valuesFrom.0" names Secret "s", which is in the cluster',
    ],
  ])('of %s is refused', (spec, message) => {
    expect(refused(release(spec))).toEqual({ code: 'RENDER_SOURCE', message, line: 4 });
  });

  it('with a remote chart is told to vendor it', () => {
    expect(refused(release('{chartRef: {kind: OCIRepository, name: x}}'))).toMatchObject({
      code: 'RENDER_REMOTE',
    });
  });
});
