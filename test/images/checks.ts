// SPDX-License-Identifier: Apache-2.0
// Images that real cosign signed and attested, in each of its layouts, as our verbs see them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  attestImage,
  countersign,
  expectOutcome,
  type Layout,
  makeKey,
  type Outcome,
  pushImage,
  type Scene,
  signImage,
  write,
} from './scene.ts';

export const PROVENANCE = 'https://slsa.dev/provenance/v1';
const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1';

/** SLSA provenance of a build of this repository. */
export const provenanceOf = (repository: string): string =>
  JSON.stringify({
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters: {
        workflow: { ref: 'refs/heads/main', repository, path: '.github/workflows/release.yml' },
      },
      internalParameters: {},
      resolvedDependencies: [],
    },
    runDetails: {
      builder: { id: 'https://builder.example/runner' },
      metadata: { invocationId: `${repository}/actions/runs/1` },
    },
  });

export const SOURCE = 'https://git.example/shop/web';

/** A Project whose production runs only what was built from that source, signed by `pipeline`. */
export const projectOf = (registry: string, publicKey: string): string =>
  JSON.stringify({
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'Project',
    environments: [
      {
        name: 'production',
        tier: 'production',
        namespaces: ['shop'],
        packs: [
          {
            name: 'supply-chain',
            parameters: {
              'images.provenance': {
                builds: [
                  {
                    images: [`${registry}/shop`],
                    signers: [{ name: 'pipeline' }],
                    builders: ['https://builder.example/runner'],
                    sources: [SOURCE],
                    refs: ['refs/heads/main'],
                  },
                ],
              },
            },
          },
        ],
        attestations: { registries: [registry], types: [PROVENANCE], log: false },
      },
    ],
    trust: { keys: [{ name: 'pipeline', uses: ['provenance'], environments: ['production'], publicKey }] },
  });

export const podOf = (image: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { containers: [{ name: 'web', image }] },
  });

export async function layouts(scene: Scene): Promise<void> {
  const { tally } = scene;
  makeKey(scene, 'pipeline');
  makeKey(scene, 'somebody');
  write(scene, { 'web.json': provenanceOf(SOURCE), 'fork.json': provenanceOf('https://git.example/fork') });
  const verify = (image: string, key: string, ...more: readonly string[]): Outcome =>
    countersign(scene, 'verify', 'image', image, '--key', `${key}.pub`, '--no-log', '--plain-http', ...more);
  for (const layout of ['bundle', 'tag'] as const satisfies readonly Layout[]) {
    const image = await pushImage(scene, `shop/${layout}:v1`, layout);
    await tally.check(`an image that cosign signed and attested (${layout}) is verified`, async () => {
      expectOutcome(verify(image, 'pipeline'), 1, 'not verified');
      signImage(scene, 'pipeline', image, layout);
      expectOutcome(verify(image, 'pipeline'), 0, 'verified', `says ${SIGNATURE}`);
      expectOutcome(verify(image, 'pipeline', '--type', PROVENANCE), 1, '[PREDICATE_TYPE]');
      attestImage(scene, 'pipeline', image, layout, 'web.json');
      return expectOutcome(verify(image, 'pipeline', '--type', PROVENANCE), 0, `says ${PROVENANCE}`);
    });
    await tally.check(`and not by another key, nor another image (${layout})`, async () => {
      expectOutcome(verify(image, 'somebody'), 1, 'not verified');
      const other = await pushImage(scene, `shop/${layout}:v2`, `${layout} two`);
      return expectOutcome(verify(other, 'pipeline'), 1, 'not verified');
    });
  }
  await tally.check('a tag is resolved once, and its digest said', async () => {
    const [name, digest = ''] = (await pushImage(scene, 'shop/bundle:v1', 'bundle')).split('@');
    return expectOutcome(
      verify(`${name}:v1`, 'pipeline'),
      0,
      `:v1 stands for ${digest} now`,
      `${name}@${digest}: verified`,
    );
  });
  await tally.check('a registry that does not answer leaves no answer', async () =>
    expectOutcome(
      verify(`localhost:1/shop/web@sha256:${'0'.repeat(64)}`, 'pipeline'),
      5,
      '[REGISTRY_UNAVAILABLE]',
    ),
  );
}

export async function checks(scene: Scene): Promise<void> {
  const { tally, registry, directory } = scene;
  write(scene, {
    'countersign.yaml': projectOf(registry, readFileSync(join(directory, 'pipeline.pub'), 'utf8')),
  });
  const check = (image: string): Outcome => {
    write(scene, { 'pod.json': podOf(image) });
    return countersign(scene, 'check', 'pod.json', '--env', 'production', '--plain-http');
  };
  const denied = 'has no verified provenance of the build that is named for it [images.provenance]';
  for (const layout of ['bundle', 'tag'] as const satisfies readonly Layout[]) {
    await tally.check(
      `check allows the image that the pipeline built, and denies forged ones (${layout})`,
      async () => {
        const image = await pushImage(scene, `shop/check-${layout}:v1`, `check ${layout}`);
        expectOutcome(check(image), 1, denied);
        attestImage(scene, 'somebody', image, layout, 'web.json');
        expectOutcome(check(image), 1, denied, 'does not count');
        attestImage(scene, 'pipeline', image, layout, 'fork.json');
        expectOutcome(check(image), 1, denied);
        attestImage(scene, 'pipeline', image, layout, 'web.json');
        return expectOutcome(check(image), 0, 'allowed');
      },
    );
  }
  await tally.check('check has no answer where the registry has none', async () => {
    const image = await pushImage(scene, 'shop/gone:v1', 'gone');
    write(scene, { 'pod.json': podOf(image) });
    return expectOutcome(
      countersign(scene, 'check', 'pod.json', '--env', 'production'),
      5,
      '[REGISTRY_ADDRESS]',
    );
  });
}
