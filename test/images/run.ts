// SPDX-License-Identifier: Apache-2.0
//
// Images in a real registry, signed and attested by real cosign:
//   npm run test:images
// Prints one line for each check and ends with "N passed, N failed". Exit code 0, 1, or 77 where Go is missing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTally } from '../cluster/checks/tally.ts';
import { freePort, start, stopAllAtExit } from '../cluster/process.ts';
import { buildImagePrograms } from './build.ts';
import { checks, layouts } from './checks.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const programs = await buildImagePrograms();
  const directory = mkdtempSync(join(tmpdir(), 'countersign-images-'));
  stopAllAtExit();
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const tally = startTally(print);
  const port = await freePort();
  const registry = start({
    name: 'registry',
    program: programs.registry,
    args: ['-port', String(port)],
    log: join(directory, 'registry.log'),
  });
  const scene = { directory, programs, tally, registry: `localhost:${port}` };
  await tally.check('the suite ran to its end', async () => {
    await answers(`http://localhost:${port}/v2/`, registry.ended);
    await layouts(scene);
    await checks(scene);
    return undefined;
  });
  await registry.stop('SIGTERM');
  print(`${tally.passed()} passed, ${tally.failed()} failed`);
  return tally.failed() === 0 ? 0 : 1;
}

async function answers(url: string, ended: () => unknown): Promise<void> {
  for (let attempt = 0; attempt < 100 && ended() === undefined; attempt++) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(100);
  }
  throw new Error('the registry does not answer');
}

process.exit(await main());
