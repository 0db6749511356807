// SPDX-License-Identifier: Apache-2.0
// Stock cosign accepts what sign and attest make, and what it makes itself is a key to us: key pairs, a file, an image in a real
// registry with a ledger's proof and without. `node test/cosign/run.ts` builds both programs and names them. Not part of `npm test`.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IDENTITY, ISSUER } from '../attest/bundle/world.ts';
import { temporaryFolders } from '../attest/fixture.ts';
import { startServices } from '../attest/sign/keyless/services.ts';
import { countersign, type Outcome } from '../cli/world.ts';

const cosign = process.env['COUNTERSIGN_COSIGN'] ?? '';
const registryProgram = process.env['COUNTERSIGN_REGISTRY'] ?? '';
const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const isHere = cosign !== '' && registryProgram !== '';
const TYPE = 'https://example.com/x/v1';
const PASSWORD = 'TEST';

if (!isHere && (process.env['CI'] ?? '') !== '') {
  it('has cosign and a registry to try with', () => {
    throw new Error('COUNTERSIGN_COSIGN and COUNTERSIGN_REGISTRY do not name programs');
  });
}

(isHere ? describe : describe.skip)('stock cosign', () => {
  const directory = isHere ? folders.make() : '';
  const at = (name: string): string => join(directory, name);
  const run = (...argv: readonly string[]): { status: number | null; text: string } => {
    const { status, stdout, stderr } = spawnSync(cosign, argv, {
      encoding: 'utf8',
      cwd: directory,
      env: { PATH: process.env['PATH'] ?? '', HOME: directory, COSIGN_PASSWORD: PASSWORD },
    });
    return { status, text: stdout + stderr };
  };
  const ours = (...argv: readonly string[]): Promise<Outcome> =>
    countersign(argv, { env: { COUNTERSIGN_PASSWORD: PASSWORD } });

  let server: ChildProcess;
  let host = '';
  beforeAll(async () => {
    expect(run('generate-key-pair').status).toBe(0);
    const ed25519 = spawnSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', at('ed.pem')]);
    expect(ed25519.status).toBe(0);
    expect(run('import-key-pair', '--key', at('ed.pem'), '-o', 'ed').status).toBe(0);
    writeFileSync(at('app.bin'), 'an artefact\n');
    writeFileSync(at('other.bin'), 'another\n');
    writeFileSync(at('predicate.json'), '{"n": 12345678901234567890, "text": "ü"}');
    const port = await freePort();
    host = `localhost:${port}`;
    server = spawn(registryProgram, ['-port', String(port)], { stdio: 'ignore' });
    await until(async () => (await fetch(`http://${host}/v2/`)).ok);
  });
  afterAll(() => {
    server.kill();
  });

  it.each([
    ['its own key pair', 'cosign'],
    ['an Ed25519 key that it imported', 'ed'],
  ])('accepts a file and an attestation of it, signed with %s', async (_, name) => {
    const key = ['--key', at(`${name}.key`)];
    expect(await ours('sign', at('app.bin'), ...key, '--bundle', at(`${name}.json`))).toMatchObject({
      exit: 0,
    });
    const verified = ['--key', at(`${name}.pub`), '--insecure-ignore-tlog'];
    const blob = (file: string): number | null =>
      run('verify-blob', '--bundle', at(`${name}.json`), ...verified, at(file)).status;
    expect([blob('app.bin'), blob('other.bin')]).toEqual([0, 1]);

    const attested = ['--predicate', at('predicate.json'), '--type', TYPE, '--bundle', at(`${name}-a.json`)];
    expect(await ours('attest', at('app.bin'), ...key, ...attested)).toMatchObject({ exit: 0 });
    const attestation = (file: string, type = TYPE): number | null =>
      run('verify-blob-attestation', '--bundle', at(`${name}-a.json`), '--type', type, ...verified, at(file))
        .status;
    expect([attestation('app.bin'), attestation('other.bin'), attestation('app.bin', 'spdx')]).toEqual([
      0, 1, 1,
    ]);
  });

  it('accepts an attestation with the proof of our ledger, with no flag that weakens it', async () => {
    const argv = ['--key', at('cosign.key'), '--predicate', at('predicate.json'), '--type', 'cyclonedx'];
    const file = at('logged.json');
    const outcome = await ours('attest', at('app.bin'), ...argv, '--state', at('state'), '--bundle', file);
    expect(outcome).toMatchObject({ exit: 0 });
    const root = ['--key', at('cosign.pub'), '--trusted-root', at('state/trusted_root.json')];
    const { status, text } = run(
      'verify-blob-attestation',
      '--bundle',
      file,
      '--type',
      'cyclonedx',
      ...root,
      at('app.bin'),
    );
    expect({ status, text }).toEqual({ status: 0, text: expect.stringContaining('Verified OK') });
  });

  it('accepts what is attached to an image, by tag and by digest, and finds each of several', async () => {
    const digest = await pushImage(host, 'team/app');
    const reference = `${host}/team/app`;
    const common = ['--predicate', at('predicate.json'), '--plain-http'];
    const attested = await ours(
      'attest',
      `${reference}:v1`,
      ...common,
      '--type',
      TYPE,
      '--key',
      at('cosign.key'),
    );
    expect(attested).toMatchObject({ exit: 0, out: expect.stringMatching(/@sha256:[0-9a-f]{64}\n$/) });
    const second = ['--type', 'spdx', '--key', at('ed.key'), '--state', at('state')];
    expect(await ours('attest', `${reference}@${digest}`, ...common, ...second)).toMatchObject({ exit: 5 });
    const third = ['--type', 'spdx', '--key', at('cosign.key'), '--state', at('state')];
    expect(await ours('attest', `${reference}@${digest}`, ...common, ...third)).toMatchObject({ exit: 0 });

    const verify = (name: string, ...argv: readonly string[]): number | null =>
      run('verify-attestation', '--key', at('cosign.pub'), ...argv, name).status;
    const root = ['--trusted-root', at('state/trusted_root.json')];
    const noLog = '--insecure-ignore-tlog';
    expect(verify(`${reference}:v1`, '--type', TYPE, noLog)).toBe(0);
    expect(verify(`${reference}@${digest}`, '--type', 'spdx', ...root)).toBe(0);
    expect(verify(`${reference}:v1`, '--type', 'slsaprovenance', noLog)).not.toBe(0);
    expect(
      run('verify-attestation', '--key', at('ed.pub'), '--type', TYPE, noLog, `${reference}:v1`).status,
    ).not.toBe(0);
  });

  it('leaves us what it attached itself', async () => {
    await pushImage(host, 'team/both');
    const name = `${host}/team/both:v1`;
    const theirs = run(
      'attest',
      '--key',
      at('cosign.key'),
      '--predicate',
      at('predicate.json'),
      '--type',
      'https://example.com/theirs',
      '--use-signing-config=false',
      '--tlog-upload=false',
      '--yes',
      name,
    );
    expect(theirs).toMatchObject({ status: 0 });
    const argv = [
      '--predicate',
      at('predicate.json'),
      '--type',
      TYPE,
      '--key',
      at('cosign.key'),
      '--plain-http',
    ];
    expect(await ours('attest', name, ...argv)).toMatchObject({ exit: 0 });
    for (const type of [TYPE, 'https://example.com/theirs'])
      expect(
        run('verify-attestation', '--key', at('cosign.pub'), '--type', type, '--insecure-ignore-tlog', name)
          .status,
      ).toBe(0);
  });

  it('accepts what is signed without a key, with a log of either version or a timestamp, against the root of the instance', async () => {
    const services = await startServices();
    const artefact = readFileSync(at('app.bin'));
    services.know(artefact);
    writeFileSync(at('instance.json'), JSON.stringify(services.root));
    const claims = { sub: 'a job', exp: 4_000_000_000 };
    const encoded = Buffer.from(JSON.stringify(claims)).toString('base64url');
    writeFileSync(at('token'), `a.${encoded}.b`);
    const { url } = services;
    const ways = [
      ['--rekor', url, '--timestamp', url],
      ['--rekor', url, '--rekor-version', '2', '--timestamp', url],
    ];
    try {
      for (const way of ways) {
        const signed = ['--keyless', '--fulcio', url, '--id-token', at('token'), ...way];
        const file = at('keyless.json');
        expect(await ours('sign', at('app.bin'), ...signed, '--bundle', file)).toMatchObject({ exit: 0 });
        const verify = (identity: string): { status: number | null; text: string } =>
          run(
            'verify-blob',
            '--bundle',
            file,
            '--trusted-root',
            at('instance.json'),
            '--certificate-identity',
            identity,
            '--certificate-oidc-issuer',
            ISSUER,
            '--use-signed-timestamps',
            at('app.bin'),
          );
        expect(verify(IDENTITY)).toMatchObject({ status: 0 });
        expect(verify(`${IDENTITY}x`)).toMatchObject({ status: 1 });
      }
    } finally {
      await services.close();
    }
  });

  it('keeps its keys to itself', () => {
    expect(existsSync(at('state/key.pem'))).toBe(false);
    expect(readFileSync(at('logged.json'), 'utf8')).not.toContain('PRIVATE');
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await isSo().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the registry does not answer');
}

/** Pushes a small image as `:v1`; its digest. */
async function pushImage(host: string, repository: string): Promise<string> {
  const base = `http://${host}/v2/${repository}`;
  const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const blob = async (text: string): Promise<{ digest: string; size: number }> => {
    const bytes = Buffer.from(text);
    const opened = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
    const place = new URL(opened.headers.get('location') ?? '', base);
    place.searchParams.set('digest', digestOf(bytes));
    await fetch(place, { method: 'PUT', body: bytes });
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const config = await blob('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  const layer = await blob(`a layer of ${repository}`);
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
    }),
  );
  const headers = { 'content-type': mediaType };
  const answer = await fetch(`${base}/manifests/v1`, { method: 'PUT', body: manifest, headers });
  if (!answer.ok) throw new Error(`the registry does not take an image: HTTP ${answer.status}`);
  return digestOf(manifest);
}
