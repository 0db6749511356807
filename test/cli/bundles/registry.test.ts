// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openReferences } from '../../../cli/bundles/open.ts';
import { findInstallation } from '../../../cli/installation.ts';
import { readArchive, writeArchive } from '../../../engine/archive/index.ts';
import { EMPTY_LOCK, type Lock, lockText } from '../../../engine/policy/release/index.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import { type FakeRegistry, startRegistry } from '../../attest/oci/registry.ts';
import { countersign } from '../world.ts';
import { IO, OBJECT, POLICY, place, trustFiles } from './place.ts';

const here = place();
const { at } = here;
let registry: FakeRegistry;
let target: string;

const bundle = (minimum: number) =>
  writeArchive(
    [
      { path: 'main/main.rego', bytes: Buffer.from(POLICY['policy/main/main.rego']) },
      { path: 'limits/data.json', bytes: Buffer.from(`{"minimum": ${minimum}}`) },
      { path: '.manifest', bytes: Buffer.from('{"revision": "r1", "roots": ["main", "limits"]}') },
    ],
    'x',
  );

beforeAll(async () => {
  registry = await startRegistry();
  target = `oci://${registry.host}/team/policies:v1`;
  here.write({ ...trustFiles('author'), ...trustFiles('other'), 'object.yaml': OBJECT });
});
afterAll(async () => {
  await registry.close();
  here.remove();
});
beforeEach(() => {
  registry.manifests.clear();
  registry.blobs.clear();
  rmSync(at('countersign.lock'), { force: true });
});

const HTTP = ['--plain-http'];
const LOCK = (): string[] => ['--lock', at('countersign.lock'), ...HTTP];
const TRUST = (name = 'author'): string[] => ['--trust', at(`${name}.json`)];

/** Signs version `version` of a bundle and pushes it. */
async function release(
  version: number,
  more: { minimum?: number; name?: string; key?: string; expires?: string } = {},
) {
  const { minimum = version, name = 'team/policies', key = 'author', expires = '90d' } = more;
  here.write({ 'new.tar.gz': bundle(minimum) });
  const flags = [
    '--key',
    at(`${key}.pem`),
    '--name',
    name,
    '--release',
    String(version),
    '--expires',
    expires,
  ];
  expect(await countersign(['policy', 'sign', at('new.tar.gz'), ...flags])).toMatchObject({
    exit: 0,
    err: '',
  });
  const pushed = await countersign(['policy', 'push', at('new.tar.gz'), target, ...HTTP]);
  expect(pushed).toMatchObject({ exit: 0, err: '' });
  return pushed.out.trim();
}

async function unsigned(minimum: number): Promise<void> {
  here.write({ 'plain.tar.gz': bundle(minimum) });
  expect(await countersign(['policy', 'push', at('plain.tar.gz'), target, ...HTTP])).toMatchObject({
    exit: 0,
  });
}

const pull = (...more: string[]) =>
  countersign(['policy', 'pull', target, '-o', at('got.tar.gz'), ...LOCK(), ...more]);
const lock = () => JSON.parse(readFileSync(at('countersign.lock'), 'utf8'));
const refusal = (code: string, exit = 5) => ({ exit, out: '', err: expect.stringContaining(`[${code}]`) });

describe('policy pull', () => {
  it('gives what was pushed, pins it and remembers its version', async () => {
    const pushed = await release(3);
    expect(await pull('--update', ...TRUST())).toMatchObject({
      exit: 0,
      err: '',
      out: expect.stringContaining(pushed),
    });
    expect(readFileSync(at('got.tar.gz'))).toEqual(readFileSync(at('new.tar.gz')));
    expect(readFileSync(at('got.tar.gz.dsse.json'))).toEqual(readFileSync(at('new.tar.gz.dsse.json')));
    expect(lock()).toMatchObject({
      bundles: { [target]: { digest: pushed.split('@')[1], release: 'team/policies' } },
      releases: { 'team/policies': { version: 3 } },
    });
    expect(await pull(...TRUST())).toMatchObject({ exit: 0 });
  });

  it('refuses what has no pin, or another one', async () => {
    await unsigned(1);
    expect(await pull()).toMatchObject(refusal('BUNDLE_UNPINNED'));
    expect(await pull('--update')).toMatchObject({
      exit: 0,
      err: expect.stringContaining('by its digest alone'),
    });
    await unsigned(2);
    rmSync(at('got.tar.gz'));
    expect(await pull()).toMatchObject(refusal('BUNDLE_UNPINNED'));
    expect(existsSync(at('got.tar.gz'))).toBe(false);
    expect(await pull('--update')).toMatchObject({ exit: 0 });
  });

  it('takes a digest in the reference for a pin', async () => {
    const pushed = await release(1);
    const digest = pushed.split('@')[1] ?? '';
    const byDigest = (wanted: string) =>
      countersign(['policy', 'pull', `${target}@${wanted}`, '-o', at('got.tar.gz'), ...LOCK(), ...TRUST()]);
    expect(await byDigest(digest)).toMatchObject({ exit: 0 });
    expect(await byDigest(`sha256:${'0'.repeat(64)}`)).toMatchObject(refusal('REGISTRY_REFUSED'));
  });

  it('refuses an older release, and another of the same version, unless it is allowed by digest', async () => {
    await release(3);
    await pull('--update', ...TRUST());
    const before = readFileSync(at('countersign.lock'));
    await release(3, { minimum: 9 });
    expect(await pull('--update', ...TRUST())).toMatchObject(refusal('BUNDLE_ROLLBACK'));
    await release(2);
    const refused = await pull('--update', ...TRUST());
    expect(refused).toMatchObject(refusal('BUNDLE_ROLLBACK'));
    expect(readFileSync(at('countersign.lock'))).toEqual(before);
    const digest = /--allow-bundle (sha256:[0-9a-f]{64})/.exec(refused.err)?.[1] ?? '';
    expect(await pull('--update', ...TRUST(), '--allow-bundle', digest)).toMatchObject({ exit: 0 });
    expect(lock().releases['team/policies'].version).toBe(3);
    await release(4);
    expect(await pull('--update', ...TRUST())).toMatchObject({ exit: 0 });
  });

  it('refuses an expired release', async () => {
    await release(1, { expires: '2026-11-24T12:00:00Z' });
    expect(await pull('--update', ...TRUST())).toMatchObject(refusal('BUNDLE_EXPIRED'));
  });

  it('refuses what is not signed by a trusted key, and another release in its place', async () => {
    await unsigned(1);
    expect(await pull('--update', ...TRUST())).toMatchObject(refusal('BUNDLE_SIGNATURE'));
    await release(1);
    expect(await pull('--update', ...TRUST('other'))).toMatchObject(refusal('BUNDLE_SIGNATURE'));
    expect(await pull('--update', ...TRUST())).toMatchObject({ exit: 0 });
    await release(9, { name: 'team/tests' });
    expect(await pull('--update', ...TRUST())).toMatchObject(refusal('BUNDLE_ROLLBACK'));
  });

  it('refuses to speak http, and with a private address, unasked', async () => {
    await unsigned(1);
    const lone = await countersign(['policy', 'pull', target, '--update', '--lock', at('countersign.lock')]);
    expect(lone).toMatchObject(refusal('REGISTRY_ADDRESS'));
    expect(await countersign(['policy', 'pull', 'https://r.example/a'])).toMatchObject(
      refusal('REFERENCE_SHAPE', 2),
    );
  });

  it('reads what conftest push made', async () => {
    const { digestOf } = await import('../../attest/oci/registry.ts');
    const layer = (title: string | undefined, type: string, text: string) => {
      const bytes = Buffer.from(text);
      registry.blobs.set(digestOf(bytes), bytes);
      const annotations = title === undefined ? undefined : { 'org.opencontainers.image.title': title };
      return { mediaType: type, digest: digestOf(bytes), size: bytes.length, annotations };
    };
    const REGO = 'application/vnd.cncf.openpolicyagent.policy.layer.v1+rego';
    const DATA = 'application/vnd.cncf.openpolicyagent.data.layer.v1+json';
    const publish = (...layers: object[]): void => {
      registry.manifests.set('team/policies:v1', Buffer.from(JSON.stringify({ schemaVersion: 2, layers })));
    };
    publish(
      layer('policy/main.rego', REGO, 'package main\n'),
      layer('policy/a/x.json', DATA, '{"one": 1}'),
      layer('policy/a/y.json', DATA, '{"two": 2}'),
    );
    expect(await pull('--update')).toMatchObject({ exit: 0 });
    expect(
      readArchive(readFileSync(at('got.tar.gz')), 'x').map(({ path, bytes }) => [
        path,
        Buffer.from(bytes).toString(),
      ]),
    ).toEqual([
      ['data.json', '{"policy":{"a":{"one":1,"two":2}}}'],
      ['policy/main.rego', 'package main\n'],
    ]);
    publish(layer('../../main.rego', REGO, 'package main\n'));
    expect(await pull('--update')).toMatchObject(refusal('BUNDLE_ENTRY', 4));
    publish(layer(undefined, REGO, 'package main\n'));
    expect(await pull('--update')).toMatchObject(refusal('BUNDLE_ENTRY', 4));
    publish(layer('a', 'text/plain', 'x'));
    expect(await pull('--update')).toMatchObject(refusal('BUNDLE_ARCHIVE', 4));
    const twice = layer('a.tar.gz', 'application/vnd.oci.image.layer.v1.tar+gzip', 'x');
    publish(twice, twice);
    expect(await pull('--update')).toMatchObject(refusal('BUNDLE_ARCHIVE', 4));
  });
});

describe('policy push', () => {
  it('refuses a release that was made of another archive', async () => {
    await release(1);
    here.write({ 'new.tar.gz': bundle(99) });
    const outcome = await countersign(['policy', 'push', at('new.tar.gz'), target, ...HTTP]);
    expect(outcome).toMatchObject(refusal('BUNDLE_SIGNATURE'));
  });
});

describe('policy sign', () => {
  it.each<[string, readonly string[]]>([
    ['no version', ['--name', 'a', '--expires', '1d']],
    ['version 0', ['--name', 'a', '--release', '0', '--expires', '1d']],
    ['no number', ['--name', 'a', '--release', '1.0', '--expires', '1d']],
    ['no end', ['--name', 'a', '--release', '1']],
    ['an end that is none', ['--name', 'a', '--release', '1', '--expires', 'never']],
    ['a name that is none', ['--name', 'a b', '--release', '1', '--expires', '1d']],
  ])('refuses %s', async (_, flags) => {
    here.write({ 'new.tar.gz': bundle(1) });
    const outcome = await countersign([
      'policy',
      'sign',
      at('new.tar.gz'),
      '--key',
      at('author.pem'),
      ...flags,
    ]);
    expect(outcome).toMatchObject({ exit: 2, out: '' });
  });
});

describe('an oci:// reference in --policy', () => {
  const check = (...more: string[]) =>
    countersign(['check', '--policy', target, ...LOCK(), ...more, at('object.yaml')]);

  it('is used by its pin, whatever the tag stands for now', async () => {
    await release(2);
    expect(await check(...TRUST())).toMatchObject(refusal('BUNDLE_UNPINNED'));
    await pull('--update', ...TRUST());
    expect(await check(...TRUST())).toMatchObject({
      exit: 1,
      out: expect.stringContaining('too few replicas'),
    });
    await release(1);
    expect(await check(...TRUST())).toMatchObject({ exit: 1 });
  });

  it('must be a release where a key is trusted for policies, also as a file', async () => {
    await unsigned(2);
    await pull('--update');
    expect(await check()).toMatchObject({ exit: 1 });
    expect(await check(...TRUST())).toMatchObject(refusal('BUNDLE_SIGNATURE'));
    const file = (name: string, ...more: string[]) =>
      countersign([
        'check',
        '--policy',
        at(name),
        '--lock',
        at('countersign.lock'),
        ...more,
        at('object.yaml'),
      ]);
    expect(await file('plain.tar.gz', ...TRUST())).toMatchObject(refusal('BUNDLE_SIGNATURE'));
    await release(5);
    await pull('--update', ...TRUST());
    here.write({
      'old.tar.gz': readFileSync(at('new.tar.gz')),
      'old.tar.gz.dsse.json': readFileSync(at('new.tar.gz.dsse.json')),
    });
    expect(await file('old.tar.gz', ...TRUST())).toMatchObject({ exit: 1 });
    await release(6);
    await pull('--update', ...TRUST());
    expect(await file('old.tar.gz', ...TRUST())).toMatchObject(refusal('BUNDLE_ROLLBACK'));
  });

  it('follows the trust of the Project, to which no flag adds', async () => {
    const key = readFileSync(at('author.pub'), 'utf8');
    const project = {
      apiVersion: 'countersign.dev/v1alpha1',
      kind: 'Project',
      policies: [{ path: target }],
      environments: [{ name: 'production', tier: 'production', packs: [] }],
      trust: { keys: [{ name: 'author', uses: ['policy'], environments: ['production'], publicKey: key }] },
    };
    here.write({ 'countersign.yaml': JSON.stringify(project) });
    const inProject = (...more: string[]) =>
      countersign([
        'check',
        '--project',
        at('countersign.yaml'),
        '--env',
        'production',
        ...HTTP,
        ...more,
        at('object.yaml'),
      ]);
    await unsigned(2);
    await pull('--update');
    expect(await inProject()).toMatchObject(refusal('BUNDLE_SIGNATURE'));
    expect(await inProject(...TRUST('other'))).toMatchObject({ exit: 2 });
    await release(2);
    rmSync(at('countersign.lock'));
    await pull('--update', '--project', at('countersign.yaml'));
    expect(await inProject()).toMatchObject({ exit: 1, out: expect.stringContaining('too few replicas') });
  });
});

describe('a tag that is followed', () => {
  const follow = (memory: Lock, trusted = true) =>
    openReferences(
      [target],
      {
        keyId: 'default',
        allowed: [],
        lock: at('countersign.lock'),
        plainHttp: true,
        privateHosts: [],
        follow: true,
        memory,
        io: { ...IO, homeDirectory: at('.') },
        ...(trusted ? { trustFile: at('author.json') } : {}),
      },
      () => openYamlReader(findInstallation().toolchain),
    );
  const versionOf = async (memory: Lock) => (await follow(memory))[0]?.release?.version;
  const rollback = { name: 'EngineError', code: 'BUNDLE_ROLLBACK' };
  const remembering = (name: string, version: number): Lock => {
    const digest = `sha256:${'1'.repeat(64)}`;
    return {
      bundles: new Map([[target, { digest, release: name }]]),
      releases: new Map([[name, { version, digest }]]),
    };
  };

  it('needs no pin where a release proves it, and never goes back', async () => {
    await release(4);
    expect(await versionOf(EMPTY_LOCK)).toBe(4);
    expect(await versionOf(remembering('team/policies', 3))).toBe(4);
    await expect(follow(remembering('team/policies', 5))).rejects.toMatchObject(rollback);
    await expect(follow(remembering('team/policies', 4))).rejects.toMatchObject(rollback);
  });

  it('keeps the name of its release, by the lock file or what the server remembers', async () => {
    await release(4, { name: 'team/mild' });
    await expect(follow(remembering('team/policies', 3))).rejects.toMatchObject(rollback);
    expect(await versionOf(EMPTY_LOCK)).toBe(4);
    here.write({ 'countersign.lock': lockText(remembering('team/policies', 1)) });
    await expect(follow(EMPTY_LOCK)).rejects.toMatchObject(rollback);
  });

  it('needs a pin where nobody is trusted', async () => {
    await release(4);
    await expect(follow(EMPTY_LOCK, false)).rejects.toMatchObject({ code: 'BUNDLE_UNPINNED' });
  });
});
