// SPDX-License-Identifier: Apache-2.0
//
// The cluster suite: a real API server asks `countersign serve` for each change, and the answers hold.
//   npm run test:cluster
// Prints one line for each check and ends with "N passed, N failed". Exit code 0, 1, or 77 where Go is missing.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCluster, type ClusterPrograms } from './build.ts';
import { ownWrites, registration, services, writes } from './checks/admission.ts';
import { images } from './checks/images.ts';
import { crowd, drain, outage } from './checks/outage.ts';
import { records } from './checks/records.ts';
import { roles } from './checks/roles.ts';
import { startTally, type Tally } from './checks/tally.ts';
import { startControlPlane } from './control-plane.ts';
import { stopAllAtExit } from './process.ts';
import { serveSettings, startServe } from './serve.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function suite(programs: ClusterPrograms, directory: string, tally: Tally): Promise<void> {
  const plane = await startControlPlane(programs, join(directory, 'control-plane'));
  const settings = await serveSettings(directory);
  const { cosign, registry } = programs;
  const scene = { plane, settings, tally, cosign, registry };
  const serve = await startServe(settings, 'first');
  await registration(scene);
  await writes(scene);
  await services(scene);
  await roles(scene);
  await ownWrites(scene, 'up');
  const again = await outage(scene, serve);
  await crowd(scene);
  await drain(scene, again);
  await records(scene);
  await images(scene);
  await plane.apiServer.stop('SIGTERM');
  await plane.etcd.stop('SIGTERM');
}

/** The end of each log: where to look first when a check failed. */
function printLogs(directory: string): void {
  const logs = [
    'control-plane/etcd.log',
    'control-plane/kube-apiserver.log',
    'serve-first.log',
    'serve-second.log',
    'serve-images.log',
  ];
  for (const log of logs) {
    const file = join(directory, log);
    if (!existsSync(file)) continue;
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-12);
    print([`--- ${log}`, ...lines].join('\n'));
  }
}

async function main(): Promise<number> {
  const programs = await buildCluster();
  const directory = mkdtempSync(join(tmpdir(), 'countersign-cluster-'));
  stopAllAtExit();
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const tally = startTally(print);
  await tally.check('the suite ran to its end', () =>
    suite(programs, directory, tally).then(() => undefined),
  );
  if (tally.failed() > 0) printLogs(directory);
  print(`${tally.passed()} passed, ${tally.failed()} failed`);
  return tally.failed() === 0 ? 0 : 1;
}

process.exit(await main());
