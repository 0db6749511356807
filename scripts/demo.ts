// SPDX-License-Identifier: Apache-2.0
// `npm run demo`: the main job on real input, from a denied manifest to verified records. Everything it makes is in a temporary
// folder that it removes; it listens on a free loopback port only.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openLedger } from '../attest/index.ts';

const ROOT = resolve(import.meta.dirname, '..');
const LAUNCHER = join(ROOT, 'cli/launcher.cjs');
const folder = mkdtempSync(join(tmpdir(), 'countersign-demo-'));
const state = join(folder, 'project', '.countersign');
let failures = 0;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const step = (title: string): void => say(process.stdout.isTTY ? `\n\x1b[1m${title}\x1b[0m` : `\n${title}`);

/** Runs one command, shows it as typed, and checks its exit code. */
function run(wanted: number, ...parameters: string[]): void {
  say(`$ countersign ${parameters.map((parameter) => parameter.replace(folder, '$TMP')).join(' ')}`);
  const result = spawnSync(process.execPath, [LAUNCHER, ...parameters], { cwd: ROOT, encoding: 'utf8' });
  say(`${result.stdout}${result.stderr}`.replaceAll(folder, '$TMP').trimEnd());
  expectEqual(`exit code of ${parameters[0]}`, result.status, wanted);
}

function expectEqual(what: string, is: unknown, wanted: unknown): void {
  const holds = is === wanted;
  say(holds ? `-> ${what}: ${String(is)}` : `-> UNEXPECTED ${what}: ${String(is)}, not ${String(wanted)}`);
  if (!holds) failures++;
}

/** Starts the webhook and resolves with its address once it says that it listens. */
function serve(): Promise<{ child: ChildProcess; url: string }> {
  const parameters = [
    LAUNCHER,
    'serve',
    '--listen',
    '127.0.0.1:0',
    '--state',
    state,
    '--parameters',
    join(ROOT, 'examples/parameters.yaml'),
  ];
  const child = spawn(process.execPath, parameters, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((fulfil, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      const url = /listening on (\S+)/.exec(data.toString())?.[1];
      if (url !== undefined) fulfil({ child, url });
    });
    child.on('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
}

function post(
  url: string,
  body: Buffer,
): Promise<{ response: { allowed: boolean; status?: { code: number; message: string } } }> {
  return new Promise((fulfil, reject) => {
    const options = {
      method: 'POST',
      ca: readFileSync(join(state, 'ca.pem')),
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    };
    const call = request(`${url}/v1/admit?timeout=10s`, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => fulfil(JSON.parse(Buffer.concat(chunks).toString())));
    });
    call.on('error', reject);
    call.end(body);
  });
}

async function admit(url: string, name: string, allowed: boolean): Promise<void> {
  const file = join('examples/admission', `${name}.json`);
  say(`POST ${url}/v1/admit < ${file}`);
  const { response } = await post(url, readFileSync(join(ROOT, file)));
  say(response.allowed ? 'allowed' : `denied, code ${response.status?.code}:\n${response.status?.message}`);
  expectEqual('allowed', response.allowed, allowed);
}

async function webhook(): Promise<void> {
  const { child, url } = await serve();
  say(`listening on ${url}, with a certificate of its own making`);
  try {
    await admit(url, 'denied', false);
    await admit(url, 'allowed', true);
  } finally {
    const ended = new Promise((fulfil) => child.once('exit', fulfil));
    child.kill('SIGTERM');
    expectEqual('exit code of serve after SIGTERM', await ended, 0);
  }
}

async function records(): Promise<void> {
  const ledger = openLedger({ directory: state, now: () => new Date(), create: false });
  const verdicts: string[] = [];
  for (const { index, bundle } of ledger.records()) {
    const file = join(folder, `record-${index}.json`);
    writeFileSync(file, JSON.stringify(bundle));
    const payload: { predicate: { verdict: string } } = JSON.parse(
      Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString(),
    );
    verdicts.push(payload.predicate.verdict);
    run(
      payload.predicate.verdict === 'allow' ? 0 : 1,
      'verify',
      'record',
      file,
      '--trust',
      join(state, 'trust.json'),
    );
  }
  await ledger.close();
  expectEqual('records in the ledger', verdicts.join(', '), 'allow, deny, allow');
}

try {
  step('1. A shop with typical mistakes, checked before a deploy: denied');
  run(1, 'check', 'examples/shop', '--parameters', 'examples/parameters.yaml');
  step('2. The mended shop: allowed, and the record of it signed and kept');
  run(0, 'init', join(folder, 'project'));
  run(
    0,
    'check',
    'examples/shop-mended',
    '--project',
    join(folder, 'project', 'countersign.yaml'),
    '--env',
    'production',
    '--record',
    join(folder, 'record.json'),
    '--key',
    join(state, 'key.pem'),
    '--state',
    state,
  );
  step('3. The same rules in a cluster: the webhook, over TLS');
  await webhook();
  step('4. The ledger holds one record for each decision, and each is verified offline');
  await records();
  step(failures === 0 ? 'All as expected.' : `${failures} things were not as expected.`);
  process.exitCode = failures === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
