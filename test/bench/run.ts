// SPDX-License-Identifier: Apache-2.0
//
// The benchmark against Conftest and OPA:
//   npm run bench -- [evaluate] [toolchain] [attest] [check] [webhook] [ledger] [--objects 10,1000,10000] [--runs 5] [--requests 8000]
//     [--connections 16,64] [--records 1000000]
// Exit code 0 when it ran and both sides gave the same answers, 1 when they did not, 77 where Go is missing. Whether a target was
// reached does not change the exit code: a benchmark is read, it is no test.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stopAllAtExit } from '../cluster/process.ts';
import { benchAttest } from './attest.ts';
import { benchCheck } from './check.ts';
import { benchEvaluate } from './evaluate.ts';
import { benchLedger } from './ledger.ts';
import { buildPeers } from './peers.ts';
import { benchToolchain } from './toolchain.ts';
import { benchWebhook } from './webhook.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const PARTS = ['evaluate', 'toolchain', 'attest', 'check', 'webhook', 'ledger'];

interface Settings {
  readonly parts: readonly string[];
  readonly sizes: readonly number[];
  readonly runs: number;
  readonly requests: number;
  readonly records: number;
  readonly connections: readonly number[];
}

function settings(): Settings {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      objects: { type: 'string', default: '10,1000,10000' },
      runs: { type: 'string', default: '5' },
      requests: { type: 'string', default: '8000' },
      records: { type: 'string', default: '1000000' },
      connections: { type: 'string', default: '16,64' },
    },
  });
  const sizes = values.objects.split(',').map(Number);
  const connections = values.connections.split(',').map(Number);
  const [runs, requests, records] = [Number(values.runs), Number(values.requests), Number(values.records)];
  const unknown = positionals.filter((part) => !PARTS.includes(part));
  if (unknown.length > 0) throw new Error(`unknown part ${unknown.join(', ')}: ${PARTS.join(' or ')}`);
  if (
    ![...sizes, ...connections, runs, requests, records].every(
      (number) => Number.isInteger(number) && number > 0,
    )
  )
    throw new Error('--objects, --runs, --requests, --records and --connections take whole numbers above 0');
  return {
    parts: positionals.length === 0 ? PARTS : positionals,
    sizes,
    runs,
    requests,
    records,
    connections,
  };
}

async function main(): Promise<void> {
  const asked = settings();
  const { parts, runs } = asked;
  const root = join(import.meta.dirname, '..', '..');
  if (!existsSync(join(root, 'dist', 'main.cjs'))) throw new Error('dist/ is missing: npm run build');
  const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  stopAllAtExit();
  print(
    `on ${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`,
  );
  const tables: string[] = [];
  if (parts.includes('evaluate')) tables.push(await benchEvaluate({ runs, print }));
  if (parts.includes('toolchain')) tables.push(await benchToolchain({ runs, directory, print }));
  if (parts.includes('attest')) tables.push(await benchAttest({ runs, print }));
  if (parts.includes('ledger')) tables.push(await benchLedger({ ...asked, directory, print }));
  if (parts.includes('check') || parts.includes('webhook'))
    tables.push(...(await againstPeers({ ...asked, directory })));
  print(`\n${tables.join('\n')}`);
}

/** The parts that need Conftest and OPA. */
async function againstPeers(o: Settings & { readonly directory: string }): Promise<string[]> {
  const { parts, sizes, runs, requests, directory } = o;
  const peers = await buildPeers();
  const tables: string[] = [];
  if (parts.includes('check')) tables.push(await benchCheck({ peers, sizes, runs, directory, print }));
  if (parts.includes('webhook'))
    for (const connections of o.connections)
      tables.push(await benchWebhook({ peers, runs, requests, connections, directory, print }));
  return tables;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.exit();
