// SPDX-License-Identifier: Apache-2.0
// The cache of compiled policies from outside: it never makes a record lie, and processes may share it.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { countersign } from './world.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-cli-cache-'));
afterAll(() => rmSync(root, { recursive: true }));

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n';
const policyOf = (name: string, body: string): string => {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'policy.rego'), `package main\nimport rego.v1\ndeny contains "no" if ${body}\n`);
  return folder;
};
const strict = policyOf('strict', 'input.kind == "Pod"');
const lax = policyOf('lax', 'input.kind == "Nothing"');
const manifest = join(root, 'pod.yaml');
writeFileSync(manifest, POD);

describe('--no-cache', () => {
  it('compiles anew and keeps nothing', async () => {
    const home = join(root, 'nothing');
    const folder = policyOf('fresh', 'input.kind == "Pod"');
    const argv = ['check', manifest, '--policy', folder, '--no-cache'];
    expect(await countersign(argv, { homeDirectory: home })).toMatchObject({ exit: 1 });
    expect(existsSync(home)).toBe(false);
  });
});

/** A Project that asks for the policies of one folder. */
const projectOf = (name: string): readonly string[] => {
  const file = join(root, `${name}.yaml`);
  const environments = 'environments: [{name: test, tier: testing}]';
  writeFileSync(
    file,
    `apiVersion: countersign.dev/v1alpha1\nkind: Project\n${environments}\npolicies: [{path: ${name}}]\n`,
  );
  return ['--project', file, '--env', 'test'];
};

describe('a forged cache', () => {
  const home = join(root, 'home');
  const folder = join(home, '.cache/countersign/policies');
  const check = (...argv: string[]): ReturnType<typeof countersign> =>
    countersign(['check', manifest, ...argv], { homeDirectory: home });

  it('may mislead a check that signs nothing, and never a record', async () => {
    expect(await check('--policy', strict)).toMatchObject({ exit: 1 });
    const [victim = ''] = readdirSync(folder);
    expect(await check('--policy', lax)).toMatchObject({ exit: 0 });
    const other = readdirSync(folder).find((name) => name !== victim) ?? '';

    // Another policy's file in its place is not taken, as its checksum is over its name too.
    const bytes = readFileSync(join(folder, other));
    writeFileSync(join(folder, victim), bytes);
    expect(await check('--policy', strict)).toMatchObject({ exit: 1 });

    // Only who runs as this user can make the checksum fit: then a check without a record believes it.
    const head = bytes.indexOf('\n') + 1;
    const body = bytes.subarray(head + 64);
    const sum = createHash('sha256').update(basename(victim)).update(body).digest('hex');
    writeFileSync(join(folder, victim), Buffer.concat([bytes.subarray(0, head), Buffer.from(sum), body]));
    expect(await check('--policy', strict)).toMatchObject({ exit: 0 });

    const project = join(root, 'project');
    await countersign(['init', project]);
    const state = join(project, '.countersign');
    const record = join(root, 'record.json');
    const signed = ['--record', record, '--key', join(state, 'key.pem'), '--state', state];
    expect(await check(...projectOf('strict'), ...signed)).toMatchObject({
      exit: 1,
      out: expect.stringContaining('denied'),
    });
    const { dsseEnvelope } = JSON.parse(readFileSync(record, 'utf8'));
    const { predicate } = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString());
    expect(predicate).toMatchObject({ verdict: 'deny', findings: [{ rule: 'main.deny', result: 'fail' }] });
    const verified = await countersign(['verify', 'record', record, '--trust', join(state, 'trust.json')]);
    expect(verified).toMatchObject({ exit: 1, out: expect.stringContaining('the verdict is deny') });
  });

  it('is not even looked at where something is signed', async () => {
    const before = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'hex'));
    const state = join(root, 'project/.countersign');
    const signed = ['--record', join(root, 'second.json'), '--key', join(state, 'key.pem'), '--state', state];
    policyOf('own', 'input.kind == "Service"');
    expect(await check(...projectOf('own'), ...signed)).toMatchObject({ exit: 0 });
    expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'hex'))).toEqual(before);
  });
});

describe('a place for the cache', () => {
  const inRepository = join(process.cwd(), 'not-made');
  it.each([
    ['nothing at all', '', {}],
    ['a relative home', 'home', {}],
    ['empty variables', '', { COUNTERSIGN_CACHE: '', XDG_CACHE_HOME: '' }],
    ['relative variables', '', { COUNTERSIGN_CACHE: 'not-made', XDG_CACHE_HOME: 'not-made' }],
    ['the working folder', process.cwd(), {}],
    ['a folder in the working folder', root, { COUNTERSIGN_CACHE: inRepository }],
  ])('%s is none', async (_, homeDirectory, env) => {
    const before = readdirSync('.');
    expect(await countersign(['check', manifest, '--policy', strict], { homeDirectory, env })).toMatchObject({
      exit: 1,
    });
    expect(readdirSync('.')).toEqual(before);
  });

  it('is the first absolute path of several', async () => {
    const [first, second] = [join(root, 'first'), join(root, 'second')];
    const check = (env: Record<string, string>): ReturnType<typeof countersign> =>
      countersign(['check', manifest, '--policy', strict], { env });
    await check({ COUNTERSIGN_CACHE: 'relative', XDG_CACHE_HOME: first });
    await check({ COUNTERSIGN_CACHE: second, XDG_CACHE_HOME: first });
    expect(readdirSync(join(first, 'countersign/policies'))).toHaveLength(1);
    expect(readdirSync(join(second, 'policies'))).toHaveLength(1);
  });
});

describe('processes that share a cache', () => {
  const cache = join(root, 'shared');
  const run = (policy: string): Promise<{ code: number | null; out: string }> =>
    new Promise((resolve, reject) => {
      const child = spawn(
        process.execPath,
        [join(process.cwd(), 'cli/launcher.cjs'), 'check', manifest, '--policy', policy],
        {
          cwd: process.cwd(),
          env: { ...process.env, NODE_OPTIONS: '', COUNTERSIGN_CACHE: cache },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, out }));
    });

  it('each get their own answer, whoever fills it first, and leave whole files only', async () => {
    const round = (): Promise<readonly unknown[]> => Promise.all([strict, lax, strict, lax].map(run));
    const denied = { code: 1, out: expect.stringContaining('denied: 1 failure') };
    const allowed = { code: 0, out: expect.stringContaining('allowed: 0 failures') };
    expect(await round()).toEqual([denied, allowed, denied, allowed]);
    const files = readdirSync(join(cache, 'policies'));
    expect(files).toHaveLength(2);
    for (const name of files) expect(name).toMatch(/^[0-9a-f]{64}\.policy$/);
    expect(await round()).toEqual([denied, allowed, denied, allowed]);
  });
});
