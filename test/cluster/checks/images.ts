// SPDX-License-Identifier: Apache-2.0
// Images that must have provenance: the webhook finds attestations, that cosign made, in a real registry.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { podOf, projectOf, provenanceOf, SOURCE } from '../../images/checks.ts';
import { attestImage, type Scene as ImageScene, makeKey, pushImage, write } from '../../images/scene.ts';
import { type ApiAnswer, call } from '../api.ts';
import { freePort, type Running, start, waitFor } from '../process.ts';
import { startServe } from '../serve.ts';
import { PATHS } from './objects.ts';
import type { Scene } from './scene.ts';
import { expectParts, expectSame } from './tally.ts';

const UNPROVED = 'has no verified provenance of the build that is named for it';

/** Starts a registry and the webhook with a Project that asks for provenance, and tries forged and good images. */
export async function images(scene: Scene): Promise<void> {
  const { settings, tally } = scene;
  const port = await freePort();
  const registry = start({
    name: 'registry',
    program: scene.registry,
    args: ['-port', String(port)],
    log: join(settings.directory, 'registry.log'),
  });
  const shop: ImageScene = {
    directory: settings.directory,
    programs: { cosign: scene.cosign, registry: scene.registry },
    registry: `localhost:${port}`,
    tally,
  };
  await waitFor('the registry answers', async () => answers(shop.registry), {
    patienceMs: 30_000,
    running: registry,
  });
  makeKey(shop, 'pipeline');
  makeKey(shop, 'somebody');
  const publicKey = readFileSync(join(settings.directory, 'pipeline.pub'), 'utf8');
  write(shop, {
    'project.yaml': projectOf(shop.registry, publicKey),
    'web.json': provenanceOf(SOURCE),
    'fork.json': provenanceOf('https://git.example/fork'),
  });
  const project = join(settings.directory, 'project.yaml');
  const serve = await startServe(settings, 'images', ['--project', project, '--plain-http']);
  await forged(scene, shop);
  await good(scene, shop, registry);
  await serve.running.stop('SIGTERM', 30_000);
}

async function answers(registry: string): Promise<true | undefined> {
  const status = await fetch(`http://${registry}/v2/`).then(
    (answer) => answer.status,
    () => 0,
  );
  return status === 200 ? true : undefined;
}

const admit = (scene: Scene, image: string): Promise<ApiAnswer> =>
  call(scene.plane.access, 'POST', PATHS.pods, JSON.parse(podOf(image)));

/** The answer once attestations are known; until then it is no, and nothing is stored. */
async function decided(scene: Scene, image: string): Promise<ApiAnswer> {
  return waitFor(
    'attestations are known',
    async () => {
      const answer = await admit(scene, image);
      return answer.message.includes('[CLAIMS_PENDING]') ? undefined : answer;
    },
    { patienceMs: 60_000 },
  );
}

async function forged(scene: Scene, shop: ImageScene): Promise<void> {
  const { tally } = scene;
  await tally.check('an image is refused while nothing is known of it, and nothing waits', async () => {
    const image = await pushImage(shop, 'shop/new:v1', 'new');
    const answer = await admit(scene, image);
    expectSame('HTTP status', answer.status, 500);
    expectParts('message', answer.message, ['[CLAIMS_PENDING]', 'attestations not available yet']);
    return undefined;
  });
  const cases = [
    ['without provenance', undefined, ''],
    ['with provenance that somebody else signed', 'somebody', 'web.json'],
    ['with provenance of another source', 'pipeline', 'fork.json'],
  ] as const;
  for (const [what, key, predicate] of cases)
    await tally.check(`an image ${what} is denied`, async () => {
      const image = await pushImage(shop, 'shop/forged:v1', what);
      if (key !== undefined) attestImage(shop, key, image, 'bundle', predicate);
      const answer = await decided(scene, image);
      expectSame('HTTP status', answer.status, 403);
      expectParts('message', answer.message, ['images.provenance', UNPROVED]);
      return undefined;
    });
  await tally.check('an image with the provenance of another one attached is denied', async () => {
    const built = await pushImage(shop, 'shop/swap:v1', 'built');
    attestImage(shop, 'pipeline', built, 'tag', 'web.json');
    const other = await pushImage(shop, 'shop/swap:v2', 'not built');
    await copyTag(shop.registry, 'shop/swap', digestOf(built), digestOf(other));
    const answer = await decided(scene, other);
    expectSame('HTTP status', answer.status, 403);
    expectParts('message', answer.message, [UNPROVED]);
    return undefined;
  });
}

const digestOf = (image: string): string => image.split('@')[1] ?? '';

/** What stands under one digest's tag, under another's. */
async function copyTag(registry: string, repository: string, from: string, to: string): Promise<void> {
  const url = (digest: string): string =>
    `http://${registry}/v2/${repository}/manifests/${digest.replace(':', '-')}.att`;
  const manifest = await fetch(url(from)).then((answer) => answer.text());
  const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
  expectSame('HTTP status', (await fetch(url(to), { method: 'PUT', headers, body: manifest })).status, 201);
}

async function good(scene: Scene, shop: ImageScene, registry: Running): Promise<void> {
  const { tally } = scene;
  const image = await pushImage(shop, 'shop/web:v1', 'web');
  await tally.check('the image that the pipeline built is admitted', async () => {
    attestImage(shop, 'pipeline', image, 'bundle', 'web.json');
    const answer = await decided(scene, image);
    expectSame(`HTTP status (${answer.message})`, answer.status, 201);
    expectSame('HTTP status', (await call(scene.plane.access, 'DELETE', `${PATHS.pods}/web`)).status, 200);
    return undefined;
  });
  await tally.check('by a tag that was moved since it is denied', async () => {
    await pushImage(shop, 'shop/web:v1', 'not web');
    for (const name of [`${shop.registry}/shop/web:v1`, await pushImage(shop, 'shop/web:v1', 'not web')]) {
      const answer = await decided(scene, name);
      expectSame('HTTP status', answer.status, 403);
    }
    return undefined;
  });
  await tally.check(
    'with the registry gone it is admitted by what was proved, and a new one refused',
    async () => {
      const unknown = `${shop.registry}/shop/web@sha256:${'0'.repeat(64)}`;
      await registry.stop('SIGKILL');
      const answer = await admit(scene, image);
      expectSame(`HTTP status (${answer.message})`, answer.status, 201);
      const refused = await decided(scene, unknown);
      expectSame('HTTP status', refused.status, 500);
      expectParts('message', refused.message, ['[CLAIMS_UNAVAILABLE]']);
      return refused.message.split('\n')[0];
    },
  );
}
