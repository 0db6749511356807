// SPDX-License-Identifier: Apache-2.0
// The real packages of the clouds against servers on this machine that answer as the services are documented to: what is sent is what
// they expect, and what they throw is understood. `node test/kms/run.ts` installs the packages. Not part of `npm test`.
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AttestError, type Signer } from '../../attest/index.ts';
import { openKms } from '../../attest/sign/kms/index.ts';
import { ensureCertificate } from '../../webhook/index.ts';
import { temporaryFolders } from '../attest/fixture.ts';
import { MESSAGES, signDigest } from '../attest/sign/kms/digests.ts';
import { expectRejected } from '../expect.ts';

const folder = process.env['COUNTERSIGN_KMS_PACKAGES'] ?? '';
const resolve = createRequire(join(folder === '' ? import.meta.dirname : folder, 'package.json'));
const load = (name: string): Promise<unknown> => import(pathToFileURL(resolve.resolve(name)).href);

const [bytes = Buffer.alloc(0)] = MESSAGES;
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const der = key.publicKey.export({ type: 'spki', format: 'der' });
const { x = '', y = '' } = key.publicKey.export({ format: 'jwk' });

interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}
type Reply = readonly [status: number, value: object, headers?: Record<string, string>];
let reply: (call: Call) => Reply = () => [500, {}];
const calls: Call[] = [];
const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const { method = '', url = '', headers } = request;
  const call = { method, url, headers, body: text === '' ? undefined : JSON.parse(text) };
  calls.push(call);
  const [status, value, more = {}] = reply(call);
  response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(value));
};

/** Where a server listens, on a free port of this machine. */
async function listen(one: Server): Promise<number> {
  await new Promise<void>((done) => one.listen(0, '127.0.0.1', done));
  const address = one.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const folders = temporaryFolders();
const certificate = await ensureCertificate({
  directory: folders.make(),
  names: ['localhost'],
  now: new Date(),
});
const server = createServer(answer);
// Azure's clients give their token to no server without TLS.
const secure = createTlsServer({ key: certificate.key, cert: certificate.cert }, answer);
const port = await listen(server);
const securePort = await listen(secure);

afterAll(() => {
  for (const one of [server, secure]) {
    one.closeAllConnections();
    one.close();
  }
  folders.removeAll();
});
beforeEach(() => {
  calls.length = 0;
});

const member = (value: unknown, name: string): unknown => Reflect.get(Object(value), name);
const base64 = (value: unknown): Buffer => Buffer.from(String(value), 'base64');
const isSigned = async (signer: Signer): Promise<boolean> =>
  verify('sha256', bytes, createPublicKey(pem), await signer.sign(bytes));

(folder === '' ? describe.skip : describe)('the package of', () => {
  describe('AWS', () => {
    const uri = (): string => `awskms://localhost:${port}/alias/release`;
    const target = ({ headers }: Call): string => String(headers['x-amz-target']);
    beforeAll(() => {
      process.env['AWS_REGION'] = 'eu-west-1';
      process.env['AWS_ACCESS_KEY_ID'] = 'TEST';
      process.env['AWS_SECRET_ACCESS_KEY'] = 'TEST';
    });

    it('reads a public key and signs', async () => {
      reply = (call) =>
        target(call).endsWith('.GetPublicKey')
          ? [200, { KeyId: 'k', PublicKey: der.toString('base64'), KeySpec: 'ECC_NIST_P256' }]
          : [
              200,
              {
                Signature: signDigest(key.privateKey, base64(member(call.body, 'Message'))).toString(
                  'base64',
                ),
              },
            ];
      const signer = await openKms(uri(), {}, load);
      expect(signer.publicKeyPem).toBe(pem);
      expect(await isSigned(signer)).toBe(true);
      expect(calls.map((call) => [target(call), call.body])).toEqual([
        ['TrentService.GetPublicKey', { KeyId: 'alias/release' }],
        [
          'TrentService.Sign',
          {
            KeyId: 'alias/release',
            Message: expect.any(String),
            MessageType: 'DIGEST',
            SigningAlgorithm: 'ECDSA_SHA_256',
          },
        ],
      ]);
    });

    it.each([
      [400, 'NotFoundException', 'KMS_REFUSED'],
      [400, 'AccessDeniedException', 'KMS_REFUSED'],
      [400, 'DisabledException', 'KMS_REFUSED'],
      [500, 'KMSInternalException', 'KMS_UNAVAILABLE'],
    ])('says %i %s', async (status, type, code) => {
      reply = () => [status, { __type: type, message: 'SECRET' }];
      await expectRejected(openKms(uri(), {}, load), AttestError, code);
    });
  });

  describe('Azure', () => {
    const uri = 'azurekms://team.vault.azure.net/release';
    const CHALLENGE =
      'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"';
    const sent = (): string => `https://localhost:${securePort}`;
    /** The real clients, sent to this machine with a token that nobody issued. */
    const here = async (name: string): Promise<unknown> => {
      if (name === '@azure/identity') return { DefaultAzureCredential: Token };
      const keys: unknown = await load(name);
      const options = {
        tlsOptions: { ca: certificate.caCert },
        disableChallengeResourceVerification: true,
      };
      const [KeyClient, CryptographyClient]: unknown[] = ['KeyClient', 'CryptographyClient'].map(
        (one): unknown => Reflect.get(Object(keys), one),
      );
      if (typeof KeyClient !== 'function' || typeof CryptographyClient !== 'function') return undefined;
      return {
        KeyClient: function OfHere(_vault: string, credential: object): unknown {
          return Reflect.construct(KeyClient, [
            sent(),
            credential,
            { ...options, retryOptions: { maxRetries: 0 } },
          ]);
        },
        CryptographyClient: function OfHere(found: object, credential: object): unknown {
          return Reflect.construct(CryptographyClient, [found, credential, options]);
        },
      };
    };
    class Token {
      async getToken(): Promise<object> {
        return { token: 'TEST', expiresOnTimestamp: Date.now() + 3_600_000 };
      }
    }

    it('reads a public key and signs', async () => {
      const kid = `${sent()}/keys/release/0123456789abcdef0123456789abcdef`;
      reply = ({ url, body, headers }) => {
        // The first request of a conversation asks who to get a token from.
        if (headers.authorization === undefined) return [401, {}, { 'www-authenticate': CHALLENGE }];
        if (!url.includes('/sign?'))
          return [
            200,
            { key: { kid, kty: 'EC', crv: 'P-256', x, y, key_ops: ['sign'] }, attributes: { enabled: true } },
          ];
        const digest = Buffer.from(String(member(body, 'value')), 'base64url');
        return [200, { kid, value: signDigest(key.privateKey, digest, 'ieee-p1363').toString('base64url') }];
      };
      const signer = await openKms(uri, {}, here);
      expect(signer.publicKeyPem).toBe(pem);
      expect(await isSigned(signer)).toBe(true);
      const last = calls.at(-1);
      expect([last?.method, last?.url.split('?')[0], member(last?.body, 'alg')]).toEqual([
        'POST',
        '/keys/release/0123456789abcdef0123456789abcdef/sign',
        'ES256',
      ]);
    });

    it.each([
      [404, 'KeyNotFound', 'KMS_REFUSED'],
      [403, 'Forbidden', 'KMS_REFUSED'],
      [500, 'InternalError', 'KMS_UNAVAILABLE'],
    ])('says %i %s', async (status, name, code) => {
      reply = () => [status, { error: { code: name, message: 'SECRET' } }];
      await expectRejected(openKms(uri, {}, here), AttestError, code);
    });
  });

  describe('Google', () => {
    const uri = 'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/7';
    const name = uri.slice('gcpkms://'.length);
    /** The real client over HTTP instead of gRPC, sent to this machine. */
    const here = async (wanted: string): Promise<unknown> => {
      const Client: unknown = Reflect.get(Object(await load(wanted)), 'KeyManagementServiceClient');
      if (typeof Client !== 'function') return undefined;
      const auth = {
        getClient: async () => auth,
        getRequestHeaders: async () => new Headers({ authorization: 'Bearer TEST' }),
        getUniverseDomain: async () => 'googleapis.com',
        fetch: (url: string, options: RequestInit) => fetch(url, options),
        request: async ({ url, method, data }: { url: string; method: string; data?: string }) =>
          fetch(url, { method, ...(data === undefined ? {} : { body: data }) }),
      };
      return {
        KeyManagementServiceClient: function OfHere(): unknown {
          const options = { fallback: true, protocol: 'http', apiEndpoint: 'localhost', port, auth };
          return Reflect.construct(Client, [options]);
        },
      };
    };

    it('reads a public key and signs', async () => {
      reply = ({ url, body }) =>
        url.includes('asymmetricSign')
          ? [
              200,
              {
                signature: signDigest(
                  key.privateKey,
                  base64(member(member(body, 'digest'), 'sha256')),
                ).toString('base64'),
              },
            ]
          : [200, { pem, algorithm: 'EC_SIGN_P256_SHA256' }];
      const signer = await openKms(uri, {}, here);
      expect(signer.publicKeyPem).toBe(pem);
      expect(await isSigned(signer)).toBe(true);
      expect(calls.map(({ url }) => decodeURIComponent(url.split('?')[0] ?? ''))).toEqual([
        `/v1/${name}/publicKey`,
        `/v1/${name}:asymmetricSign`,
      ]);
    });

    it.each([
      [404, 5, 'KMS_REFUSED'],
      [403, 7, 'KMS_REFUSED'],
      [500, 13, 'KMS_UNAVAILABLE'],
    ])('says %i, code %i', async (status, code, ours) => {
      reply = () => [
        status,
        {
          error: {
            code: status,
            message: 'SECRET',
            status: code === 5 ? 'NOT_FOUND' : code === 7 ? 'PERMISSION_DENIED' : 'INTERNAL',
          },
        },
      ];
      await expectRejected(openKms(uri, {}, here), AttestError, ours);
    });
  });
});
