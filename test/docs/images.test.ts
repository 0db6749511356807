// SPDX-License-Identifier: Apache-2.0
// The example of docs/images.md, line by line, against a registry in this process.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { newKey, newWorld, pemOf, statement } from '../attest/bundle/world.ts';
import { BUNDLE_TYPE, descriptorOf, indexOf, putManifest, REPOSITORY } from '../attest/image/shop.ts';
import { digestOf, type FakeRegistry, startRegistry } from '../attest/oci/registry.ts';
import { place } from '../cli/bundles/place.ts';
import { podOf, projectOf, provenanceOf, SOURCE } from '../images/checks.ts';

const here = place();
const [key, other] = [newKey(), newKey()];
let registry: FakeRegistry;
let digest: string;
beforeAll(async () => {
  registry = await startRegistry();
  digest = await pushAttested('web', 'v1', SOURCE);
  const forged = await pushAttested('forged', 'v2', 'https://git.example/fork');
  const name = `${registry.host}/${REPOSITORY}`;
  here.write({
    'key.pub': pemOf(key),
    'other.pub': pemOf(other),
    'project.yaml': projectOf(registry.host, pemOf(key)),
    'web.yaml': podOf(`${name}@${digest}`),
    'forged.yaml': podOf(`${name}@${forged}`),
  });
});
afterAll(async () => {
  await registry.close();
  here.remove();
});

/** Puts an image there, with provenance of a build of this repository. */
async function pushAttested(content: string, tag: string, source: string): Promise<string> {
  const image = putManifest(registry, [{ type: 'a/b', bytes: Buffer.from(content) }]);
  registry.manifests.set(`${REPOSITORY}:${tag}`, image);
  const subject = [{ digest: { sha256: digestOf(image).slice(7) } }];
  const payload = statement({ subject, predicate: JSON.parse(provenanceOf(source)) });
  const bundle = await (await newWorld()).make({ key, entries: [], content: { payload } });
  const layer = { type: BUNDLE_TYPE, bytes: Buffer.from(JSON.stringify(bundle)) };
  const index = indexOf([descriptorOf(putManifest(registry, [layer]))]);
  registry.manifests.set(`${REPOSITORY}:${digestOf(image).replace(':', '-')}`, index);
  return digestOf(image);
}

/** Not waited for with a blocking call: the registry answers from this process. */
function run(argv: readonly string[]): Promise<{ exit: number | null; text: string }> {
  const child = spawn(process.execPath, [resolve('cli/launcher.cjs'), ...argv], {
    cwd: here.at('.'),
    env: { PATH: process.env['PATH'] ?? '', HOME: here.at('.') },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  return new Promise((fulfil) => child.on('close', (exit) => fulfil({ exit, text })));
}

it('holds what docs/images.md shows', async () => {
  const page = readFileSync(join('docs', 'images.md'), 'utf8');
  const lines = /```sh\n([\s\S]+?)```/.exec(page)?.[1]?.trim().split('\n') ?? [];
  expect(lines).toHaveLength(5);
  const own = (text: string): string =>
    text.replaceAll('registry.example', registry.host).replaceAll('sha256:DIGEST', digest);
  for (const line of lines) {
    const [command = '', remark = ''] = line.split('  # ').map(own);
    const outcome = await run([...command.split(' ').slice(1), '--plain-http']);
    const [, exit = '0', part = ''] = /^exit (\d): (.*)$/.exec(remark) ?? [];
    expect({ line, ...outcome }).toEqual({ line, exit: Number(exit), text: expect.stringContaining(part) });
  }
}, 120_000);
