// SPDX-License-Identifier: Apache-2.0
// OPA reads what we write, and we read what OPA writes.
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectSame } from '../cluster/checks/tally.ts';
import { freePort, start } from '../cluster/process.ts';
import { countersign, expectOutcome, run, type Scene, write } from './scene.ts';

const OBJECT = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 1}\n';
const INPUT = '{"kind": "Deployment", "spec": {"replicas": 1}}';
const FILES = {
  'policy/main/main.rego':
    'package main\n\ndeny contains msg if {\n\tinput.spec.replicas < data.limits.minimum\n\tmsg := sprintf("%d replicas", [input.spec.replicas])\n}\n',
  'policy/limits/data.json':
    '{"minimum": 2, "big": 9007199254740993, "float": 1.0, "exponent": 1e3, "text": "<&>\\u2028\\u0001é"}',
  'policy/more/data.yaml': 'a: [1, 2.50, true, null]\nb: "on"\n',
  'object.yaml': OBJECT,
  'input.json': INPUT,
} as const;

function writeKeys(scene: Scene): void {
  const encoding = {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  } as const;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256', ...encoding });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048, ...encoding });
  const secret = 'a secret of thirty-two characters!';
  write(scene, {
    'ec.pem': ec.privateKey,
    'ec.pub': ec.publicKey,
    'rsa.pem': rsa.privateKey,
    'rsa.pub': rsa.publicKey,
    'secret.pem': secret,
    'secret.pub': secret,
  });
}

const KEYS = [
  ['ES256', 'ec'],
  ['RS256', 'rsa'],
  ['PS384', 'rsa'],
  ['HS512', 'secret'],
] as const;

/** Rego from before OPA 1.0 beside Rego of today: each reads what the other wrote, from an archive and from a folder. */
async function versions(scene: Scene): Promise<void> {
  const { tally, programs } = scene;
  write(scene, {
    'mixed/.manifest': '{"rego_version": 1, "file_rego_versions": {"/main/[o]ld.r*": 0}}',
    'mixed/main/old.rego': 'package main\n\ndeny[msg] {\n\tmsg := "old"\n}\n',
    'mixed/main/new.rego': 'package main\n\nwarn contains "new" if true\n',
  });
  const said = '{"deny":["old"],"warn":["new"]}';
  const opa = (bundle: string): void =>
    expectOutcome(run(scene, programs.opa, 'eval', '-b', bundle, '-f', 'raw', 'data.main'), 0, said);
  const ours = (bundle: string): void =>
    expectOutcome(countersign(scene, 'check', '--policy', bundle, 'object.yaml'), 1, 'old [main.deny]');
  await tally.check('opa and we read Rego v0 by the manifest of a bundle, and write it', async () => {
    opa('mixed');
    ours('mixed');
    expectOutcome(countersign(scene, 'policy', 'build', '-b', 'mixed', '-o', 'mixed-ours.tar.gz'), 0);
    opa('mixed-ours.tar.gz');
    ours('mixed-ours.tar.gz');
    expectOutcome(run(scene, programs.opa, 'build', '-b', 'mixed', '-o', 'mixed-theirs.tar.gz'), 0);
    opa('mixed-theirs.tar.gz');
    ours('mixed-theirs.tar.gz');
    return undefined;
  });
}

/** Our bundles in OPA. */
export async function ourBundles(scene: Scene): Promise<void> {
  const { tally, programs } = scene;
  write(scene, FILES);
  writeKeys(scene);
  await tally.check('opa loads a bundle that we built, and evaluates it alike', async () => {
    const roots = ['main', 'limits', 'more'].flatMap((root) => ['--root', root]);
    expectOutcome(
      countersign(
        scene,
        'policy',
        'build',
        '-b',
        'policy',
        '-o',
        'ours.tar.gz',
        '--revision',
        'r1',
        ...roots,
      ),
      0,
    );
    const evaluated = run(
      scene,
      programs.opa,
      'eval',
      '-b',
      'ours.tar.gz',
      '-i',
      'input.json',
      '-f',
      'raw',
      'data.main.deny',
    );
    expectOutcome(evaluated, 0, '["1 replicas"]');
    const data = run(
      scene,
      programs.opa,
      'eval',
      '-b',
      'ours.tar.gz',
      '-f',
      'raw',
      '[data.limits.big, data.limits.float, data.more.a]',
    );
    expectOutcome(data, 0, '[9007199254740993,1.0,[1,2.5,true,null]]');
    expectOutcome(run(scene, programs.opa, 'inspect', 'ours.tar.gz'), 0, 'r1');
    expectOutcome(countersign(scene, 'check', '--policy', 'ours.tar.gz', 'object.yaml'), 1, '1 replicas');
    return undefined;
  });
  await versions(scene);
  for (const [algorithm, key] of KEYS)
    await tally.check(`opa verifies our signature with ${algorithm}, and we verify that of opa`, async () => {
      const sign = ['--signing-key', `${key}.pem`, '--signing-alg', algorithm];
      const verify = ['--verification-key', `${key}.pub`, '--signing-alg', algorithm];
      expectOutcome(countersign(scene, 'policy', 'build', '-b', 'policy', '-o', 'signed.tar.gz', ...sign), 0);
      expectOutcome(
        run(scene, programs.opa, 'build', '-b', 'signed.tar.gz', '-o', 'again.tar.gz', ...verify),
        0,
      );
      expectOutcome(run(scene, programs.opa, 'build', '-b', 'policy', '-o', 'theirs.tar.gz', ...sign), 0);
      expectOutcome(
        countersign(scene, 'check', '--policy', 'theirs.tar.gz', ...verify, 'object.yaml'),
        1,
        '1 replicas',
      );
      const other = key === 'rsa' ? ['ec.pub', 'ES256'] : ['rsa.pub', 'RS256'];
      const wrong = ['--verification-key', other[0] ?? '', '--signing-alg', other[1] ?? ''];
      const refused = run(
        scene,
        programs.opa,
        'build',
        '-b',
        'signed.tar.gz',
        '-o',
        'again.tar.gz',
        ...wrong,
      );
      expectOutcome(refused, 1, 'failed to verify JWT signature');
      for (const policy of ['signed.tar.gz', 'theirs.tar.gz'])
        expectOutcome(
          countersign(scene, 'check', '--policy', policy, ...wrong, 'object.yaml'),
          5,
          'does not hold',
        );
      const unsigned = countersign(scene, 'check', '--policy', 'ours.tar.gz', ...verify, 'object.yaml');
      expectOutcome(unsigned, 5, 'it has no .signatures.json');
      return undefined;
    });
  await tally.check('we verify a folder that opa sign signed, its YAML by value', async () => {
    write(scene, Object.fromEntries(Object.entries(FILES).map(([name, text]) => [`signed/${name}`, text])));
    write(scene, {
      'signed/policy/more/data.yaml': 'a: [1, 2.50, 1e3, 0x10, 1_000, .5, 0777, -0.0, 1e-7]\nb: "on"\n',
    });
    const inside = { ...scene, directory: join(scene.directory, 'signed/policy') };
    const sign = ['--signing-key', '../../ec.pem', '--signing-alg', 'ES256'];
    expectOutcome(run(inside, programs.opa, 'sign', ...sign, '-b', '.', '-o', '.'), 0);
    const verify = ['--verification-key', 'ec.pub'];
    expectOutcome(
      countersign(scene, 'check', '--policy', 'signed/policy', ...verify, 'object.yaml'),
      1,
      '1 replicas',
    );
    write(scene, { 'signed/policy/more/data.yaml': 'a: [2]\n' });
    const changed = countersign(scene, 'check', '--policy', 'signed/policy', ...verify, 'object.yaml');
    expectOutcome(changed, 5, '"more/data.yaml" is not the one that was signed');
    return undefined;
  });
  await tally.check('we evaluate a module that opa compiled, where its Rego is gone', async () => {
    expectOutcome(
      run(scene, programs.opa, 'build', '-t', 'wasm', '-e', 'main/deny', '-b', 'policy', '-o', 'wasm.tar.gz'),
      0,
    );
    expectOutcome(countersign(scene, 'check', '--policy', 'wasm.tar.gz', 'object.yaml'), 1, '1 replicas');
    return undefined;
  });
}

/** Our artefact, fetched, verified and activated by a running OPA. */
export async function opaDownloads(scene: Scene): Promise<void> {
  const { tally, programs, directory, registry } = scene;
  await tally.check('the OCI downloader of opa activates what we pushed, signature verified', async () => {
    const sign = ['--signing-key', 'ec.pem', '--revision', 'pushed'];
    expectOutcome(countersign(scene, 'policy', 'build', '-b', 'policy', '-o', 'pushed.tar.gz', ...sign), 0);
    const target = `${registry}/team/opa:v1`;
    expectOutcome(
      countersign(scene, 'policy', 'push', 'pushed.tar.gz', `oci://${target}`, '--plain-http'),
      0,
      '@sha256:',
    );
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const { readFileSync } = await import('node:fs');
    const config = {
      services: { registry: { url: `http://${registry}`, type: 'oci' } },
      keys: { default: { key: readFileSync(join(directory, 'ec.pub'), 'utf8'), algorithm: 'ES256' } },
      bundles: {
        policies: {
          service: 'registry',
          resource: target,
          persist: false,
          polling: { min_delay_seconds: 1, max_delay_seconds: 2 },
          signing: { keyid: 'default' },
        },
      },
      persistence_directory: join(directory, 'opa-state'),
    };
    write(scene, { 'opa.json': JSON.stringify(config) });
    const args = [
      'run',
      '--server',
      '--addr',
      address,
      '-c',
      join(directory, 'opa.json'),
      '--disable-telemetry',
    ];
    const log = join(directory, 'opa.log');
    const opa = start({ name: 'opa', program: programs.opa, args, log, cwd: directory });
    try {
      expectSame('deny', await denyOf(address, opa.ended), ['1 replicas']);
    } catch (error) {
      throw new Error(`${String(error)}\n${opa.output().slice(-2000)}`);
    } finally {
      await opa.stop('SIGTERM');
    }
    return undefined;
  });
}

async function denyOf(address: string, ended: () => unknown): Promise<unknown> {
  for (let attempt = 0; attempt < 100 && ended() === undefined; attempt++) {
    try {
      const answer = await fetch(`http://${address}/v1/data/main/deny`, {
        method: 'POST',
        body: `{"input": ${INPUT}}`,
        headers: { 'content-type': 'application/json' },
      });
      const { result } = JSON.parse(await answer.text());
      if (result !== undefined) return result;
    } catch {
      // Not listening yet.
    }
    await sleep(300);
  }
  throw new Error('no bundle was activated');
}
