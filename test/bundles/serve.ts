// SPDX-License-Identifier: Apache-2.0
// A webhook that follows a tag: what is newer and signed comes in, all else leaves the last good policies in place.
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectParts, expectSame } from '../cluster/checks/tally.ts';
import { freePort, type Running, start } from '../cluster/process.ts';
import { countersign, expectOutcome, type Scene, write } from './scene.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../cli/launcher.cjs');
const REFRESH_SECONDS = 10;

/** Signs the bundle `ours.tar.gz` as this version, or leaves it unsigned, and pushes it. */
function publish(scene: Scene, target: string, version: number | undefined): void {
  const name = `release-${version ?? 'none'}.tar.gz`;
  const revision = `v${version ?? 'none'}`;
  expectOutcome(countersign(scene, 'policy', 'build', '-b', 'policy', '-o', name, '--revision', revision), 0);
  const flags = [
    '--key',
    'ec.pem',
    '--name',
    'team/served',
    '--release',
    String(version),
    '--expires',
    '30d',
  ];
  if (version !== undefined) expectOutcome(countersign(scene, 'policy', 'sign', name, ...flags), 0);
  expectOutcome(countersign(scene, 'policy', 'push', name, target, '--plain-http'), 0);
}

/** From nothing at all to a newer release, past what must not come in. */
export async function served(scene: Scene): Promise<void> {
  const { directory, registry, tally } = scene;
  const target = `oci://${registry}/team/served:stable`;
  const publicKey = readFileSync(join(directory, 'ec.pub'), 'utf8');
  const keys = [{ name: 'author', uses: ['policy'], environments: ['*'], publicKey }];
  const trust = { apiVersion: 'countersign.dev/v1alpha1', kind: 'Trust', keys, logs: [] };
  write(scene, { 'trust.json': JSON.stringify(trust) });
  const port = await freePort();
  const serve = start({
    name: 'serve',
    program: process.execPath,
    args: [
      LAUNCHER,
      ...['serve', '--listen', `127.0.0.1:${port}`, '--state', 'state', '--policy', target],
      ...['--trust', 'trust.json', '--refresh', String(REFRESH_SECONDS), '--follow', '--plain-http'],
    ],
    log: join(directory, 'serve.log'),
    cwd: directory,
  });
  const said = (text: string): Promise<void> => until(() => serve.output().includes(text), serve);
  const loads = (count: number): Promise<void> =>
    until(() => serve.output().split('"result":"loaded"').length > count, serve);
  try {
    await tally.check('serve without a good bundle is not ready', async () => {
      await said('listening');
      expectSame('/readyz', await status(port, '/readyz'), 503);
      return undefined;
    });
    await tally.check('a release that is pushed makes it ready', async () => {
      publish(scene, target, 5);
      await loads(1);
      expectSame('/readyz', await status(port, '/readyz'), 200);
      return undefined;
    });
    await tally.check(
      'an unsigned bundle and an older release leave the last good one in place',
      async () => {
        publish(scene, target, undefined);
        await said('"code":"BUNDLE_SIGNATURE"');
        publish(scene, target, 4);
        await said('"code":"BUNDLE_ROLLBACK"');
        expectParts('the log', serve.output(), ['"about":"policies","lastGoodKept":true']);
        expectSame('/readyz', await status(port, '/readyz'), 200);
        return undefined;
      },
    );
    await tally.check('a newer release comes in, and is remembered', async () => {
      publish(scene, target, 6);
      const before = serve.output().split('"result":"loaded"').length;
      await until(() => serve.output().split('"result":"loaded"').length > before, serve);
      expectParts('what was seen', readFileSync(join(directory, 'state/releases.json'), 'utf8'), [
        '"version": 6',
      ]);
      return undefined;
    });
  } finally {
    await serve.stop('SIGTERM');
  }
}

async function until(isTrue: () => boolean, serve: Running): Promise<void> {
  for (let attempt = 0; attempt < 300 && serve.ended() === undefined; attempt++) {
    if (isTrue()) return;
    await sleep(200);
  }
  throw new Error(`it did not come about\n${serve.output().slice(-2000)}`);
}

function status(port: number, path: string): Promise<number | undefined> {
  return new Promise((fulfil, reject) => {
    const options = { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false };
    get(options, (answer) => {
      answer.resume();
      fulfil(answer.statusCode);
    }).on('error', reject);
  });
}
