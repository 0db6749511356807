// SPDX-License-Identifier: Apache-2.0
// A real Fulcio, with an authority of its own that lives as long as it runs, certifies our keyless signer for the token of a job; our
// verifier, given its root, says who signed and what the forge said of the build. `node test/cosign/run.ts` builds it. Not part of `npm test`.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { createServer as createNetServer, type Server as NetServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureCertificate, type ServingCertificate } from '../../webhook/index.ts';
import { moment } from '../attest/bundle/world.ts';
import { temporaryFolders } from '../attest/fixture.ts';
import { type Services, startServices } from '../attest/sign/keyless/services.ts';
import { jwksOf, type ProviderKey, providerKey, sign } from '../attest/tokens/provider.ts';
import { countersign, type Outcome } from '../cli/world.ts';
import { type CertificateLog, startCertificateLog } from './certificate_log.ts';

const program = process.env['COUNTERSIGN_FULCIO'] ?? '';
const folders = temporaryFolders();
afterAll(() => folders.removeAll());

if (program === '' && (process.env['CI'] ?? '') !== '') {
  it('has a Fulcio to try with', () => {
    throw new Error('COUNTERSIGN_FULCIO does not name a program');
  });
}

const TYPE = 'https://example.com/x/v1';
const JOB = {
  workflow: 'https://forge.example/shop/web/.ci/release.yml@refs/heads/main',
  repository: 'https://forge.example/shop/web',
  ref: 'refs/heads/main',
  sha: 'b'.repeat(40),
  runner: 'forge-hosted',
};

(program === '' ? describe.skip : describe)('a real Fulcio', () => {
  const directory = program === '' ? '' : folders.make();
  const at = (name: string): string => join(directory, name);
  const put = (name: string, text: string): string => {
    writeFileSync(at(name), text);
    return at(name);
  };
  let key: ProviderKey;
  let forge: Server;
  let tls: ServingCertificate;
  let issuer = '';
  let log: CertificateLog;
  let services: Services;
  let fulcio: ChildProcess;
  let url = '';

  beforeAll(async () => {
    key = await providerKey('one', 'RS256');
    tls = await ensureCertificate({ directory, names: ['127.0.0.1'], now: new Date() });
    [forge, log, services] = [await listen(), await startCertificateLog(), await startServices()];
    issuer = `https://127.0.0.1:${portOf(forge)}`;
    const [port, grpc, metrics] = await freePorts(3);
    url = `http://127.0.0.1:${port}`;
    const config = put('config.yaml', configOf(issuer, tls.caCert));
    const flags = [`--config-path=${config}`, '--ca=ephemeralca', `--ct-log-url=${log.url}`];
    const hosts = ['--host=127.0.0.1', '--grpc-host=127.0.0.1'];
    const ports = [`--port=${port}`, `--grpc-port=${grpc}`, `--metrics-port=${metrics}`];
    const socket = `--legacy-unix-domain-socket=${at('fulcio.sock')}`;
    fulcio = spawn(program, ['serve', ...flags, ...hosts, ...ports, socket], { stdio: 'ignore' });
    put('root.json', JSON.stringify({ ...services.root, ...(await authoritiesOf(url, log)) }));
    put('app.bin', 'an artefact\n');
    put('predicate.json', '{"n": 1}');
  }, 60_000);
  afterAll(async () => {
    fulcio.kill();
    log.close();
    forge.close();
    await services.close();
  });

  /** Answers as an OpenID provider does of itself; `issuer` is known once it listens. */
  async function listen(): Promise<Server> {
    const server = createServer({ key: tls.key, cert: tls.cert }, (request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/keys') response.end(jwksOf(key.jwk));
      else
        response.end(
          JSON.stringify({
            issuer,
            jwks_uri: `${issuer}/keys`,
            id_token_signing_alg_values_supported: ['RS256'],
          }),
        );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async function tokenOf(changes: object = {}, by = key): Promise<readonly string[]> {
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: issuer,
      aud: 'sigstore',
      sub: 'job 1',
      iat: now,
      exp: now + 300,
      ...JOB,
      ...changes,
    };
    return ['--id-token', put('token', await sign(by, claims))];
  }
  const attest = async (token: readonly string[]): Promise<Outcome> =>
    countersign(
      [
        ...['attest', at('app.bin'), '--predicate', at('predicate.json'), '--type', TYPE],
        ...['--keyless', '--fulcio', url, ...token, '--rekor', services.url, '--bundle', at('bundle.json')],
      ],
      { now: () => new Date() },
    );
  const verify = (identity: string, ...argv: readonly string[]): Promise<Outcome> =>
    countersign(
      [
        ...[
          'verify',
          'bundle',
          at('app.bin'),
          '--bundle',
          at('bundle.json'),
          '--trusted-root',
          at('root.json'),
        ],
        ...['--identity', identity, '--issuer', issuer, '--format', 'json', ...argv],
      ],
      { now: () => moment(60) },
    );

  it('certifies who holds the token of a job, and what the forge says of the build is proved', async () => {
    expect(await attest(await tokenOf())).toMatchObject({ exit: 0, err: '' });
    const { exit, out } = await verify(JOB.workflow);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      verified: true,
      claims: [
        {
          subject: `sha256:${createHash('sha256')
            .update(readFileSync(at('app.bin')))
            .digest('hex')}`,
          predicateType: TYPE,
          predicate: { n: 1 },
          signer: {
            kind: 'keyless',
            issuer,
            identity: JOB.workflow,
            build: {
              buildSignerUri: JOB.workflow,
              runnerEnvironment: JOB.runner,
              sourceRepositoryUri: JOB.repository,
              sourceRepositoryDigest: JOB.sha,
              sourceRepositoryRef: JOB.ref,
            },
          },
        },
      ],
    });
  }, 60_000);

  it('is nobody else, and of no other authority', async () => {
    expect(await attest(await tokenOf())).toMatchObject({ exit: 0 });
    const other = await verify('https://forge.example/shop/api/.ci/release.yml@refs/heads/main');
    expect([other.exit, JSON.parse(other.out).code]).toEqual([1, 'SIGNER']);
    const own = readFileSync(at('root.json'), 'utf8');
    for (const part of ['certificateAuthorities', 'ctlogs']) {
      put('root.json', JSON.stringify({ ...JSON.parse(own), [part]: services.root[part] }));
      const { exit, out } = await verify(JOB.workflow);
      expect([exit, JSON.parse(out).code]).toEqual([1, 'CERTIFICATE']);
    }
    put('root.json', own);
    expect((await verify(JOB.workflow)).exit).toBe(0);
  }, 60_000);

  it.each([
    ['for somebody else', { aud: 'shop' }],
    ['of another issuer', { iss: 'https://127.0.0.1:1' }],
  ])(
    'refuses a token %s',
    async (_, changes) => {
      expect(await attest(await tokenOf(changes))).toMatchObject({
        exit: 5,
        err: expect.stringContaining('[SIGSTORE_REFUSED]'),
      });
    },
    60_000,
  );

  it('refuses a token that somebody else signed', async () => {
    const stranger = await providerKey('one', 'RS256');
    expect(await attest(await tokenOf({}, stranger))).toMatchObject({
      exit: 5,
      err: expect.stringContaining('[SIGSTORE_REFUSED]'),
    });
  }, 60_000);
});

/** Which claims of the forge's tokens become which extensions. */
const configOf = (issuer: string, caCert: string): string => `
oidc-issuers:
  ${issuer}:
    issuer-url: ${issuer}
    client-id: sigstore
    type: ci-provider
    ci-provider: forge
    ca-cert: ${JSON.stringify(caCert)}
ci-issuer-metadata:
  forge:
    extension-templates:
      build-signer-uri: "workflow"
      runner-environment: "runner"
      source-repository-uri: "repository"
      source-repository-digest: "sha"
      source-repository-ref: "ref"
    subject-alternative-name-template: "{{ .workflow }}"
`;

/** The authority of a Fulcio, and the log that its certificates are in, as a trusted root has them. */
async function authoritiesOf(url: string, { publicKey }: CertificateLog): Promise<object> {
  const bundle = await until(async () => {
    const answer: { chains: { certificates: string[] }[] } = Object(
      await (await fetch(`${url}/api/v2/trustBundle`)).json(),
    );
    return answer;
  });
  const chain = bundle.chains[0]?.certificates ?? [];
  const validFor = { start: new Date(Date.now() - 3_600_000).toISOString() };
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const certificates = chain.map((pem) => ({ rawBytes: new X509Certificate(pem).raw.toString('base64') }));
  return {
    certificateAuthorities: [
      { subject: { organization: 'o', commonName: 'c' }, uri: url, certChain: { certificates }, validFor },
    ],
    ctlogs: [
      {
        baseUrl: 'https://log.example',
        hashAlgorithm: 'SHA2_256',
        publicKey: { rawBytes: der.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
        logId: { keyId: createHash('sha256').update(der).digest('base64') },
      },
    ],
  };
}

/** What `work` gives once it does; it is tried for 20 s. */
async function until<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function portOf(server: NetServer): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createNetServer());
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))),
  );
  const ports = servers.map(portOf);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
