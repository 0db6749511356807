// SPDX-License-Identifier: Apache-2.0
// What is new against a commit and against a folder, for plain files, charts and overlays.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../engine/index.ts';
import { countersign, type Outcome } from './world.ts';

const start = process.cwd();
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'countersign-against-test-')));
const environment = { PATH: process.env['PATH'], HOME: folder };
const git = (...parameters: readonly string[]): void =>
  void execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@shop.example', ...parameters], {
    cwd: folder,
    env: environment,
  });

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const pod = (name: string, privileged = true): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  containers:\n    - name: c\n      image: registry.shop.example/c:1\n      securityContext: {privileged: ${privileged}}\n`;
const POLICY = `package main
deny contains {"msg": "privileged", "path": "/spec/containers/0/securityContext/privileged"} if input.spec.containers[0].securityContext.privileged
`;

async function check(
  ...parameters: readonly string[]
): Promise<Outcome & { readonly findings: readonly string[] }> {
  const argv = ['check', ...parameters, '--policy', 'policy.rego', '--format', 'json'];
  const ended = await countersign(argv, { env: environment });
  const findings: readonly Finding[] = ended.out === '' ? [] : JSON.parse(ended.out).findings;
  return {
    ...ended,
    findings: findings.map(
      ({ object, result, inherited }) => `${object.name} ${result} ${inherited ?? false}`,
    ),
  };
}

beforeAll(() => {
  process.chdir(folder);
  write({
    'policy.rego': POLICY,
    'files/a.yaml': pod('a'),
    'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'chart/values.yaml': 'names: [a]\n',
    'chart/templates/p.yaml': `{{- range .Values.names }}\n---\n${pod('{{ . }}')}{{- end }}\n`,
    'base/kustomization.yaml': 'resources: [p.yaml]\n',
    'base/p.yaml': pod('a'),
    'over/kustomization.yaml': 'resources: [../base]\n',
  });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'before');
  write({
    'files/b.yaml': pod('b'),
    'new/c.yaml': pod('c'),
    'chart/values.yaml': 'names: [a, b]\n',
    'base/q.yaml': pod('b'),
    'base/kustomization.yaml': 'resources: [p.yaml, q.yaml]\n',
  });
});
const leftovers = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => /^countersign-against-(?!test)/.test(name));
const before = leftovers();
afterEach(() => expect(leftovers()).toEqual(before));
afterAll(() => {
  process.chdir(start);
  rmSync(folder, { recursive: true, force: true });
});

describe('check --against a commit', () => {
  it.each(['files', 'chart', 'over'])(
    'blocks what is new in %s, and warns of the rest',
    async (path) => {
      const { exit, findings } = await check(path, '--against', 'HEAD');
      expect({ exit, findings }).toEqual({ exit: 1, findings: ['a warn true', 'b fail false'] });
    },
    120_000,
  );

  it('allows what was there before', async () => {
    const { exit, findings } = await check('files/a.yaml', '--against', 'main');
    expect({ exit, findings }).toEqual({ exit: 0, findings: ['a warn true'] });
  });

  it('takes all for new where nothing was', async () => {
    const { exit, findings } = await check('new', '--against', 'HEAD');
    expect({ exit, findings }).toEqual({ exit: 1, findings: ['c fail false'] });
  });

  it('touches neither the work tree nor the index', async () => {
    const status = (): string =>
      execFileSync('git', ['status', '--porcelain'], { cwd: folder, env: environment, encoding: 'utf8' });
    const is = status();
    await check('files', '--against', 'HEAD');
    expect(status()).toBe(is);
  });

  it.each(['no-such-commit', '--upload-pack=x', 'HEAD:files/a.yaml'])('refuses %s', async (commit) => {
    const { exit, err, out } = await check('files', `--against=${commit}`);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toContain('is no folder and no commit');
  });
});

describe('check --against a folder', () => {
  it('compares with the same paths in it', async () => {
    write({ 'old/files/b.yaml': pod('b'), 'old/files/a.yaml': pod('a', false) });
    const { exit, findings } = await check('files', '--against', 'old');
    expect({ exit, findings }).toEqual({ exit: 1, findings: ['a fail false', 'b warn true'] });
  });

  it('is an error where the earlier state cannot be read', async () => {
    write({ 'broken/files/a.yaml': 'a: [\n' });
    expect(await check('files', '--against', 'broken')).toMatchObject({ exit: 3, out: '' });
  });

  it('names the file in the commit that could not be rendered, not a temporary folder', async () => {
    write({
      'broken/Chart.yaml': 'apiVersion: v2\nname: b\nversion: 1.0.0\n',
      'broken/templates/p.yaml': '{{ .Values.x.y }}\n',
    });
    git('checkout', '-q', '-b', 'bad');
    git('add', 'broken');
    git('commit', '-q', '-m', 'broken');
    git('checkout', '-q', 'main');
    write({
      'broken/Chart.yaml': 'apiVersion: v2\nname: b\nversion: 1.0.0\n',
      'broken/templates/p.yaml': pod('a'),
    });
    const { exit, out, err } = await check('broken', '--against', 'bad');
    rmSync(join(folder, 'broken'), { recursive: true });
    expect([exit, out, err]).toEqual([
      3,
      '',
      'bad:broken/templates/p.yaml:1:11: template: b/templates/p.yaml:1:10: executing "b/templates/p.yaml" at <.Values.x.y>: nil pointer evaluating interface {}.y [RENDER_FAILED]\n',
    ]);
  });

  it('gives the earlier objects the same namespace, and judges them by the same schema', async () => {
    const service = (port: string): string =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {prts: [], ports: [{port: ${port}}]}\n`;
    write({
      'old/svc/s.yaml': service('80'),
      'svc/s.yaml': service('81'),
      'old/svc/p.yaml': pod('p'),
      'svc/p.yaml': pod('p'),
    });
    const { exit, findings } = await check('svc', '--against', 'old', '--namespace', 'shop');
    expect({ exit, findings }).toEqual({ exit: 0, findings: ['p warn true', 's warn true'] });
  });

  it('needs the leave of the environment', async () => {
    const project = (more: string): string =>
      `apiVersion: countersign.dev/v1alpha1\nkind: Project\nenvironments: [{name: eu, tier: production, packs: [{name: baseline, parameters: {images.registry: {registries: [registry.shop.example]}}}]${more}}]\n`;
    write({
      'deny.yaml': project(''),
      'no.yaml': project(', against: deny'),
      'allow.yaml': project(', against: allow'),
    });
    const asked = ['files/a.yaml', '--against', 'HEAD', '--env', 'eu'];
    for (const file of ['deny.yaml', 'no.yaml'])
      expect(await check(...asked, '--project', file)).toMatchObject({
        exit: 2,
        out: '',
        err: expect.stringMatching(/environment "eu" does not allow --against\nhint: .*"against: allow"/),
      });
    const allowed = await check(...asked, '--project', 'allow.yaml');
    expect(allowed.exit).toBe(0);
    expect(new Set(allowed.findings)).toEqual(new Set(['a warn true']));
  });

  it('is of files only, and of nothing that is recorded', async () => {
    expect(await check('-', '--against', 'old')).toMatchObject({ exit: 3 });
    expect(await check('../elsewhere', '--against', 'old')).toMatchObject({ exit: 3 });
    expect(await check('files', '--against', 'old', '--record', 'r.json', '--key', 'k.pem')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('--record beside --against'),
    });
  });
});
