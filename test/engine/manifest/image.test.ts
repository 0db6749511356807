// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import {
  type Document,
  idOf,
  imagesOf,
  type JsonValue,
  parseReference,
} from '../../../engine/manifest/index.ts';

const documentOf = (value: JsonValue): Document => ({
  json: Buffer.from(JSON.stringify(value)),
  value,
  id: idOf(value),
  file: 'f.yaml',
  line: 1,
  index: 0,
  pointer: '',
});

const SPEC = {
  containers: [{ name: 'web', image: 'nginx:1' }],
  initContainers: [{ name: 'init', image: 'ghcr.io/a/b' }],
  ephemeralContainers: [{ name: 'debug', image: 'busybox' }],
  volumes: [
    { name: 'v', image: { reference: 'quay.io/d/e:2' } },
    { name: 'w', emptyDir: {} },
  ],
};

const nested = (path: string): JsonValue =>
  path
    .split('/')
    .slice(1)
    .reduceRight<JsonValue>((value, step) => ({ [step]: value }), SPEC);

describe('imagesOf', () => {
  it.each([
    ['v1', 'Pod', '/spec'],
    ['v1', 'PodTemplate', '/template/spec'],
    ['apps/v1', 'Deployment', '/spec/template/spec'],
    ['apps/v1', 'ReplicaSet', '/spec/template/spec'],
    ['v1', 'ReplicationController', '/spec/template/spec'],
    ['apps/v1', 'StatefulSet', '/spec/template/spec'],
    ['apps/v1', 'DaemonSet', '/spec/template/spec'],
    ['batch/v1', 'Job', '/spec/template/spec'],
    ['batch/v1', 'CronJob', '/spec/jobTemplate/spec/template/spec'],
    ['apps/v1', 'ControllerRevision', '/data/spec/template/spec'],
  ])('finds every image of a %s %s', (apiVersion, kind, path) => {
    const images = imagesOf(documentOf({ apiVersion, kind, ...Object(nested(path)) }));
    expect(images).toEqual([
      {
        ref: 'ghcr.io/a/b',
        registry: 'ghcr.io',
        repository: 'a/b',
        container: 'init',
        path: `${path}/initContainers/0/image`,
      },
      {
        ref: 'nginx:1',
        registry: 'docker.io',
        repository: 'library/nginx',
        tag: '1',
        container: 'web',
        path: `${path}/containers/0/image`,
      },
      {
        ref: 'busybox',
        registry: 'docker.io',
        repository: 'library/busybox',
        container: 'debug',
        path: `${path}/ephemeralContainers/0/image`,
      },
      {
        ref: 'quay.io/d/e:2',
        registry: 'quay.io',
        repository: 'd/e',
        tag: '2',
        container: 'v',
        path: `${path}/volumes/0/image/reference`,
      },
    ]);
  });

  it('knows a kind in any group, since other groups keep pods in the same place', () => {
    expect(
      imagesOf(
        documentOf({
          apiVersion: 'apps.kruise.io/v1',
          kind: 'StatefulSet',
          ...Object(nested('/spec/template/spec')),
        }),
      ),
    ).toHaveLength(4);
  });

  it.each<[JsonValue]>([
    [{ apiVersion: 'v1', kind: 'Service', spec: SPEC }],
    [{ kind: 'Pod', spec: SPEC }],
    [{ apiVersion: 'v1', kind: 'Pod' }],
    [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        spec: { containers: {}, volumes: null, initContainers: [null, 1, {}, { image: '' }] },
      },
    ],
    [{ apiVersion: 'v1', kind: 'constructor', spec: SPEC }],
    ['text'],
  ])('finds none in %j', (value) => {
    expect(imagesOf(documentOf(value))).toEqual([]);
  });

  it('keeps what is no reference, with an empty registry', () => {
    const spec = {
      containers: [{ image: 5 }, { name: 'x', image: 'UPPER/case/Image' }, { image: { a: 1 } }],
    };
    expect(imagesOf(documentOf({ apiVersion: 'v1', kind: 'Pod', spec }))).toEqual([
      { ref: '5', registry: '', repository: '', container: '', path: '/spec/containers/0/image' },
      {
        ref: 'UPPER/case/Image',
        registry: '',
        repository: '',
        container: 'x',
        path: '/spec/containers/1/image',
      },
      { ref: '{"a":1}', registry: '', repository: '', container: '', path: '/spec/containers/2/image' },
    ]);
  });
});

const SHA256 = `sha256:${'0a'.repeat(32)}`;

describe('parseReference', () => {
  it.each([
    ['nginx', 'docker.io', 'library/nginx'],
    ['docker.io/nginx', 'docker.io', 'library/nginx'],
    ['index.docker.io/library/nginx', 'docker.io', 'library/nginx'],
    ['user/app', 'docker.io', 'user/app'],
    ['localhost/app', 'localhost', 'app'],
    ['localhost:5000/app', 'localhost:5000', 'app'],
    ['registry.example.com/a/b/c', 'registry.example.com', 'a/b/c'],
    ['REGISTRY.example.com/a', 'REGISTRY.example.com', 'a'],
    ['Host/app', 'Host', 'app'],
    ['[::1]:5000/app', '[::1]:5000', 'app'],
    ['a/b__c.d-e--f_g', 'docker.io', 'a/b__c.d-e--f_g'],
  ])('reads %s', (ref, registry, repository) => {
    expect(parseReference(ref)).toEqual({ registry, repository });
    expect(parseReference(`${ref}:v1.2_3-x`)).toEqual({ registry, repository, tag: 'v1.2_3-x' });
    expect(parseReference(`${ref}@${SHA256}`)).toEqual({ registry, repository, digest: SHA256 });
    expect(parseReference(`${ref}:1@${SHA256}`)).toEqual({ registry, repository, tag: '1', digest: SHA256 });
  });

  it.each(
    [
      '',
      ' nginx',
      'nginx ',
      'nginx\n',
      'nginx:',
      'nginx:-x',
      `nginx:${'x'.repeat(129)}`,
      'nginx@',
      'nginx@sha256:00',
      `nginx@${SHA256.toUpperCase()}`,
      `nginx@md5:${'0'.repeat(32)}`,
      `nginx@${SHA256}@${SHA256}`,
      '@',
      ':1',
      '/nginx',
      'nginx/',
      'a//b',
      'Nginx',
      'a/B',
      'a/b:c:d',
      'a_/b',
      '-a',
      'a-',
      'a..b',
      'a___b',
      'docker.io/',
      'https://docker.io/nginx',
      'docker.io:/nginx',
      'evil.com\u2024docker.io/x',
      'dоcker.io/x',
      'nginx\u200b',
      'ｎginx',
      'a@b@c',
      '0a'.repeat(32),
      '-host.com/a',
      'host..com/a',
      'a/../b',
      `a/${'b'.repeat(300)}`,
      '*',
      'docker.io/*',
      '$IMAGE',
      '{{ .image }}',
    ].map((ref) => [ref]),
  )('fails closed on %j', (ref) => {
    expect(parseReference(ref)).toEqual({ registry: '', repository: '' });
  });

  it('takes a host without a path for a repository, as Docker does', () => {
    expect(parseReference('docker.io')).toEqual({ registry: 'docker.io', repository: 'library/docker.io' });
  });
});
