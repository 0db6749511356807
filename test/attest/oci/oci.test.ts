// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AttestError } from '../../../attest/index.ts';
import { addressKind, checkAddress } from '../../../attest/oci/address.ts';
import { send } from '../../../attest/oci/http.ts';
import {
  BUNDLE_LAYER,
  type CredentialsOf,
  parseOciReference,
  pullArtefact,
  pushArtefact,
  readDockerConfig,
} from '../../../attest/oci/index.ts';
import { expectThrown } from '../../expect.ts';
import { digestOf, type FakeRegistry, startRegistry } from './registry.ts';

let registry: FakeRegistry;
let other: FakeRegistry;
beforeAll(async () => {
  [registry, other] = [await startRegistry(), await startRegistry()];
});
afterAll(() => Promise.all([registry.close(), other.close()]));
beforeEach(() => {
  for (const one of [registry, other]) {
    one.seen.length = 0;
    one.override = undefined;
  }
});

const access = (credentials: CredentialsOf = () => undefined) => ({
  plainHttp: true,
  privateHosts: [],
  credentials,
});
const reference = (rest = 'team/policies:v1') => parseOciReference(`oci://${registry.host}/${rest}`);
const everything = () => () => true;
const pull = (rest?: string, credentials?: CredentialsOf) =>
  pullArtefact(reference(rest), access(credentials), everything);
const LAYERS = [
  { mediaType: BUNDLE_LAYER, bytes: Buffer.from('a bundle'), title: 'bundle.tar.gz' },
  { mediaType: 'text/plain', bytes: Buffer.from('') },
];
const push = (credentials?: CredentialsOf) =>
  pushArtefact(reference(), { layers: LAYERS }, access(credentials));
const login: CredentialsOf = (host) =>
  host === registry.host ? { user: 'me', password: 'hidden' } : undefined;
const BASIC = `Basic ${Buffer.from('me:hidden').toString('base64')}`;

async function fails(work: Promise<unknown>, code: string, message?: RegExp): Promise<void> {
  await expect(work).rejects.toMatchObject({
    name: 'AttestError',
    code,
    ...(message === undefined ? {} : { message: expect.stringMatching(message) }),
  });
}

describe('references', () => {
  const digest = `sha256:${'0'.repeat(64)}`;

  it.each<[string, object]>([
    [
      'oci://r.example/a',
      { registry: 'r.example', repository: 'a', tag: 'latest', name: 'oci://r.example/a:latest' },
    ],
    [
      'oci://R.example:5000/a/b_c:V1',
      { registry: 'r.example:5000', repository: 'a/b_c', tag: 'V1', name: 'oci://r.example:5000/a/b_c:V1' },
    ],
    [
      `oci://r.example/a@${digest}`,
      { registry: 'r.example', repository: 'a', digest, name: 'oci://r.example/a' },
    ],
    [
      `oci://[::1]:5000/a:x@${digest}`,
      { registry: '[::1]:5000', repository: 'a', tag: 'x', digest, name: 'oci://[::1]:5000/a:x' },
    ],
  ])('%s', (text, expected) => {
    expect(parseOciReference(text)).toEqual(expected);
  });

  it.each([
    'r.example/a',
    'https://r.example/a',
    'oci://r.example',
    'oci://r.example/',
    'oci://r.example/A',
    'oci://r.example/a/../b',
    'oci://user@r.example/a',
    'oci://user:secret@r.example/a',
    'oci://r.example/a?x=1',
    'oci://r.example/a#x',
    'oci://r.example/a:',
    'oci://r.example/a@sha256:00',
    `oci://r.example/a@sha256:${'A'.repeat(64)}`,
    `oci://r.example/a@md5:${'0'.repeat(64)}`,
    'oci://r.example:0/a',
    'oci://r.example:65536/a',
    'oci://r.example:x/a',
    'oci://r..example/a',
    'oci://-r.example/a',
    'oci://r.example/a b',
    'oci://r.example/a\n',
    'oci://r\u2024example/a',
  ])('%j is none', (text) => {
    expectThrown(() => parseOciReference(text), AttestError, 'REFERENCE_SHAPE');
  });
});

describe('addresses', () => {
  it.each<[string, string]>([
    ['1.1.1.1', 'public'],
    ['2606:4700::1111', 'public'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.31.0.1', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd00::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['169.254.169.254', 'forbidden'],
    ['::ffff:169.254.169.254', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['::', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    ['64:ff9b::a00:1', 'forbidden'],
    ['2002:7f00:1::', 'forbidden'],
    ['not an address', 'forbidden'],
  ])('%s is %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  });

  it('lets a host have a private address only where it is allowed, and http only this machine', () => {
    const rules = { plainHttp: false, privateHosts: ['inside.example'] };
    checkAddress('inside.example', '10.0.0.1', rules);
    checkAddress('inside.example', '127.0.0.1', rules);
    checkAddress('outside.example', '1.1.1.1', rules);
    const refused: readonly (readonly [string, string, boolean])[] = [
      ['outside.example', '10.0.0.1', false],
      ['outside.example', '127.0.0.1', false],
      ['inside.example.evil.example', '10.0.0.1', false],
      ['inside.example', '169.254.169.254', false],
      ['outside.example', '1.1.1.1', true],
      ['inside.example', '10.0.0.1', true],
    ];
    for (const [host, address, plainHttp] of refused)
      expectThrown(
        () => checkAddress(host, address, { ...rules, plainHttp }),
        AttestError,
        'REGISTRY_ADDRESS',
      );
  });

  it('are looked at before anything is sent, however the host is written', async () => {
    const strict = { plainHttp: false, privateHosts: [], credentials: () => undefined };
    const port = registry.host.split(':')[1];
    for (const host of ['localhost', '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]']) {
      const target = parseOciReference(`oci://${host}:${port}/a:b`);
      await fails(pullArtefact(target, strict, everything), 'REGISTRY_ADDRESS');
    }
    for (const url of [`http://${registry.host}/`, 'ftp://r.example/', 'file:///etc/passwd'])
      expectThrown(
        () => send({ method: 'GET', url: new URL(url), headers: {}, maxBytes: 1, timeoutMs: 100 }, strict),
        AttestError,
        'REGISTRY_ADDRESS',
      );
    expect(registry.seen).toEqual([]);
  });
});

describe('artefacts', () => {
  it('come back as they were pushed, the same ones under the same digest', async () => {
    const digest = await push();
    expect(await push()).toBe(digest);
    expect(await pull()).toEqual({
      digest,
      layers: LAYERS.map((layer) => ({ ...layer, digest: digestOf(layer.bytes) })),
    });
    expect((await pull(`team/policies@${digest}`)).digest).toBe(digest);
  });

  it('are pushed to a tag only', async () => {
    const target = reference(`team/policies@sha256:${'0'.repeat(64)}`);
    await fails(pushArtefact(target, { layers: LAYERS }, access()), 'REFERENCE_SHAPE');
  });

  it('are refused when the registry answers with other bytes', async () => {
    const digest = await push();
    const manifest = registry.manifests.get('team/policies:v1') ?? Buffer.alloc(0);
    registry.override = (request, response) => {
      if (request.url?.includes('/manifests/') !== true) return false;
      response.writeHead(200).end(Buffer.concat([manifest, Buffer.from(' ')]));
      return true;
    };
    await fails(pull(`team/policies@${digest}`), 'REGISTRY_CONTENT', /has the digest/);
    registry.override = (request, response) => {
      if (request.url?.includes('/manifests/') !== true) return false;
      response.writeHead(200, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end(manifest);
      return true;
    };
    await fails(pull(), 'REGISTRY_CONTENT', /states another digest/);
    registry.override = (request, response) => {
      if (request.url?.includes(digestOf(Buffer.from('a bundle'))) !== true) return false;
      response.writeHead(200).end('b bundle');
      return true;
    };
    await fails(pull(), 'REGISTRY_CONTENT', /are others/);
  });

  const layer = (more: object) => ({
    mediaType: 'a/b',
    digest: `sha256:${'0'.repeat(64)}`,
    size: 1,
    ...more,
  });
  it.each<[string, string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no layers', JSON.stringify({ layers: [] })],
    [
      'an index',
      JSON.stringify({ mediaType: 'application/vnd.oci.image.index.v1+json', layers: [layer({})] }),
    ],
    ['a key twice', '{"layers": [], "layers": []}'],
    ['a digest that is none', JSON.stringify({ layers: [layer({ digest: 'sha256:../../x' })] })],
    ['a negative size', JSON.stringify({ layers: [layer({ size: -1 })] })],
    ['a size that is text', JSON.stringify({ layers: [layer({ size: '1' })] })],
    ['a layer that is larger than may be', JSON.stringify({ layers: [layer({ size: 17 * 1024 * 1024 })] })],
    [
      'layers that are larger together',
      JSON.stringify({ layers: Array(9).fill(layer({ size: 10 * 1024 * 1024 })) }),
    ],
    ['a million layers', JSON.stringify({ layers: Array(1025).fill(layer({})) })],
  ])('are refused with a manifest of %s', async (_, text) => {
    registry.manifests.set('team/odd:v1', Buffer.from(text));
    await fails(pull('team/odd:v1'), 'REGISTRY_CONTENT');
    expect(registry.seen).toHaveLength(1);
  });

  it('are not there', async () => {
    await fails(pull('team/none:v1'), 'REGISTRY_REFUSED', /HTTP 404/);
  });
});

describe('one request', () => {
  const get = (maxBytes: number, timeoutMs = 5_000) =>
    send(
      { method: 'GET', url: new URL(`http://${registry.host}/x`), headers: {}, maxBytes, timeoutMs },
      access(),
    );
  const answering = (run: (response: ServerResponse) => void): void => {
    registry.override = (_, response) => {
      run(response);
      return true;
    };
  };

  it('ends with an answer that is too large, said or not', async () => {
    answering((response) => response.writeHead(200, { 'content-length': 11 }).end('12345678901'));
    await fails(get(10), 'REGISTRY_CONTENT', /more than 10 bytes/);
    answering((response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(1024)), 1);
      response.on('close', () => clearInterval(timer));
    });
    await fails(get(10_000), 'REGISTRY_CONTENT', /more than 10000 bytes/);
  });

  it('ends when its time is up, before or within the answer', async () => {
    answering(() => undefined);
    await fails(get(10, 60), 'REGISTRY_UNAVAILABLE', /no answer within 60 ms/);
    answering((response) => void response.writeHead(200).write('x'));
    await fails(get(10, 60), 'REGISTRY_UNAVAILABLE');
  });

  it('ends with an answer that is cut, compressed, or none', async () => {
    answering((response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('12');
      setTimeout(() => response.destroy(), 20);
    });
    await fails(get(10), 'REGISTRY_UNAVAILABLE');
    answering((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'));
    await fails(get(10), 'REGISTRY_CONTENT', /unasked/);
    await fails(
      send(
        { method: 'GET', url: new URL('http://localhost:1/'), headers: {}, maxBytes: 1, timeoutMs: 2_000 },
        access(),
      ),
      'REGISTRY_UNAVAILABLE',
    );
  });
});

/** Answers 401 until a request carries this authorization. */
function demand(challenge: string, wanted: string): void {
  registry.override = (request, response) => {
    if (request.url?.startsWith('/v2/') !== true || request.headers.authorization === wanted) return false;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
    return true;
  };
}

/** Lets a registry issue tokens at /token. */
function issue(issuer: FakeRegistry, body: string): void {
  const inner = issuer.override;
  issuer.override = (request, response) => {
    if (request.url?.startsWith('/token') !== true) return inner?.(request, response) ?? false;
    response.writeHead(200).end(body);
    return true;
  };
}

describe('credentials', () => {
  it('answer a Basic challenge, and are not sent before', async () => {
    await push();
    registry.seen.length = 0;
    demand('Basic realm="registry"', BASIC);
    expect((await pull(undefined, login)).layers).toHaveLength(2);
    expect(registry.seen.map(({ authorization }) => authorization)).toEqual([undefined, BASIC, BASIC, BASIC]);
    await fails(pull(), 'REGISTRY_REFUSED', /HTTP 401/);
  });

  it('fetch a token for what is to be done, from the registry itself', async () => {
    await push();
    registry.seen.length = 0;
    demand(`Bearer realm="http://${registry.host}/token",service="s",scope="ignored"`, 'Bearer abc');
    issue(registry, '{"token": "abc"}');
    await pull(undefined, login);
    const asked = registry.seen.find(({ url }) => url.startsWith('/token'));
    expect(asked).toEqual({
      method: 'GET',
      url: '/token?scope=repository%3Ateam%2Fpolicies%3Apull&service=s',
      authorization: BASIC,
    });
    await push(login);
    expect(registry.seen.some(({ url }) => url.includes('pull%2Cpush'))).toBe(true);
  });

  it('do not go to another host that the registry names for tokens', async () => {
    await push();
    demand(`Bearer realm="http://${other.host}/token"`, 'Bearer abc');
    issue(other, '{"access_token": "abc"}');
    await pull(undefined, login);
    expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    const both: CredentialsOf = (host) =>
      host === other.host ? { user: 'me', password: 'hidden' } : login(host);
    await pull(undefined, both);
    expect(other.seen.at(-1)?.authorization).toBe(BASIC);
  });

  it('are given up where the token is none', async () => {
    await push();
    for (const body of ['{', '{}', '{"token": 1}', '{"token": "a\\r\\nb"}', '{"token": ""}']) {
      demand(`Bearer realm="http://${registry.host}/token"`, 'Bearer abc');
      issue(registry, body);
      await fails(pull(undefined, login), 'REGISTRY_REFUSED');
    }
    for (const realm of ['not a url', 'file:///etc/passwd', 'http://169.254.169.254/latest']) {
      demand(`Bearer realm="${realm}"`, 'Bearer abc');
      await expect(pull(undefined, login)).rejects.toBeInstanceOf(AttestError);
    }
  });

  it('stay home when a blob lies elsewhere', async () => {
    await push();
    for (const [digest, bytes] of registry.blobs) other.blobs.set(digest, bytes);
    demand('Basic', BASIC);
    const inner = registry.override;
    registry.override = (request, response) => {
      if (request.url?.includes('/blobs/') !== true) return inner?.(request, response) ?? false;
      response.writeHead(307, { location: `http://${other.host}${request.url}` }).end();
      return true;
    };
    expect((await pull(undefined, login)).layers).toHaveLength(2);
    expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
  });

  it('stay home when an upload goes elsewhere', async () => {
    registry.blobs.clear();
    demand('Basic', BASIC);
    const inner = registry.override;
    registry.override = (request, response) => {
      if (inner?.(request, response) === true) return true;
      if (request.url?.endsWith('/uploads/') !== true) return false;
      response.writeHead(202, { location: `http://${other.host}/upload` }).end();
      return true;
    };
    await push(login);
    expect(other.seen.length).toBe(3);
    expect(other.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });
});

describe('redirects', () => {
  const leading = (location: string): void => {
    registry.override = (request, response) => {
      if (request.url?.includes('/blobs/') !== true && request.url?.startsWith('/hop') !== true) return false;
      response.writeHead(302, location === '' ? {} : { location }).end();
      return true;
    };
  };

  it.each<[string, string, string]>([
    ['for ever', '/hop', 'REGISTRY_UNAVAILABLE'],
    ['nowhere', '', 'REGISTRY_CONTENT'],
    ['to a metadata service', 'http://169.254.169.254/latest', 'REGISTRY_ADDRESS'],
    ['to a private address', 'http://10.0.0.1/x', 'REGISTRY_ADDRESS'],
    ['to a file', 'file:///etc/passwd', 'REGISTRY_ADDRESS'],
    ['to a URL with a password', 'http://a:b@localhost/x', 'REGISTRY_CONTENT'],
  ])('%s are refused', async (_, location, code) => {
    await push();
    leading(location);
    await fails(pull(), code);
  });

  it('are followed three times at most', async () => {
    await push();
    leading('/hop');
    registry.seen.length = 0;
    await fails(pull(), 'REGISTRY_UNAVAILABLE', /more than 3 times/);
    expect(registry.seen.filter(({ url }) => url === '/hop')).toHaveLength(3);
  });
});

describe('the configuration of Docker', () => {
  const encode = (text: string): string => Buffer.from(text).toString('base64');

  it('has credentials for exactly one host each', () => {
    const of = readDockerConfig(
      JSON.stringify({
        auths: {
          'r.example': { auth: encode('me:a:b') },
          'https://two.example:5000/v2/': { username: 'you', password: 'x' },
          'https://index.docker.io/v1/': { auth: encode('hub:h') },
          'token.example': { identitytoken: 'refresh' },
          'empty.example': {},
        },
        credsStore: 'desktop',
      }),
    );
    expect(of('r.example')).toEqual({ user: 'me', password: 'a:b' });
    expect(of('two.example:5000')).toEqual({ user: 'you', password: 'x' });
    expect(of('registry-1.docker.io')).toEqual({ user: 'hub', password: 'h' });
    expect(of('token.example')).toEqual({ user: '', password: '', identityToken: 'refresh' });
    for (const host of [
      'r.example:5000',
      'r.example.evil.example',
      'x.r.example',
      'two.example',
      'empty.example',
      '',
    ])
      expect(of(host)).toBeUndefined();
  });

  it('says nothing of itself when it is malformed', () => {
    for (const text of ['{', '{"auths": 1}'])
      expectThrown(
        () => readDockerConfig(text),
        AttestError,
        'KEY_UNREADABLE',
        'the Docker config.json cannot be read',
      );
  });
});
