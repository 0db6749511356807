// SPDX-License-Identifier: Apache-2.0
// Keys in the clouds' own services, through packages that are put in the place of the real ones: they have the classes that are used of
// those, and answer as those are documented to. test/kms tries the real packages against servers.
import { createPublicKey, generateKeyPairSync, hash, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { AttestError } from '../../../../attest/index.ts';
import { openKms } from '../../../../attest/sign/kms/index.ts';
import { expectRejected } from '../../../expect.ts';
import { MESSAGES, signDigest } from './digests.ts';

const [bytes = Buffer.alloc(0)] = MESSAGES;
const digest = hash('sha256', bytes, 'buffer');
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const pem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const der = key.publicKey.export({ type: 'spki', format: 'der' });
const { x = '', y = '' } = key.publicKey.export({ format: 'jwk' });
const jwk = { kty: 'EC', crv: 'P-256', x: Buffer.from(x, 'base64url'), y: Buffer.from(y, 'base64url') };

type Answer = (request: object) => unknown;
const failing =
  (error: object): Answer =>
  () => {
    throw Object.assign(new Error('SECRET in a message'), error);
  };

/** `@aws-sdk/client-kms`: commands are objects that one method sends. */
function awsPackage(answers: { key?: Answer; sign?: Answer }, clients: object[] = []): object {
  class Command {
    readonly input: object;
    readonly isSign: boolean = false;
    constructor(input: object) {
      this.input = input;
    }
  }
  class GetPublicKeyCommand extends Command {}
  class SignCommand extends Command {
    override readonly isSign = true;
  }
  class KMSClient {
    constructor(options: object) {
      clients.push(options);
    }
    async send({ input, isSign }: Command): Promise<unknown> {
      const message: unknown = Reflect.get(input, 'Message');
      const signature = (): unknown => ({
        Signature: new Uint8Array(
          signDigest(key.privateKey, message instanceof Uint8Array ? message : bytes),
        ),
      });
      return isSign
        ? (answers.sign ?? signature)(input)
        : (answers.key ?? (() => ({ PublicKey: new Uint8Array(der) })))(input);
    }
  }
  return { KMSClient, GetPublicKeyCommand, SignCommand };
}

function gcpPackage(answers: { key?: Answer; sign?: Answer }): object {
  class KeyManagementServiceClient {
    async getPublicKey(request: object): Promise<unknown> {
      return [(answers.key ?? (() => ({ pem, algorithm: 'EC_SIGN_P256_SHA256' })))(request)];
    }
    async asymmetricSign(request: { digest?: { sha256: Uint8Array } }): Promise<unknown> {
      const signature = (): unknown => ({
        signature: signDigest(key.privateKey, request.digest?.sha256 ?? bytes),
      });
      return [(answers.sign ?? signature)(request)];
    }
  }
  // As a CommonJS package is seen: its members below `default` only.
  return { default: { KeyManagementServiceClient } };
}

function azurePackages(answers: { key?: Answer; sign?: Answer }, opened: unknown[] = []) {
  class KeyClient {
    constructor(vault: string, credential: object) {
      opened.push(vault, credential.constructor.name);
    }
    async getKey(name: string, options: object): Promise<unknown> {
      return (answers.key ?? (() => ({ id: `id-of-${name}`, key: jwk })))({ name, ...options });
    }
  }
  class CryptographyClient {
    constructor(found: object) {
      opened.push(Reflect.get(found, 'id'));
    }
    async sign(algorithm: string, digest: Uint8Array): Promise<unknown> {
      const result = (): unknown => ({ result: signDigest(key.privateKey, digest, 'ieee-p1363') });
      return (answers.sign ?? result)({ algorithm });
    }
  }
  class DefaultAzureCredential {}
  return {
    '@azure/keyvault-keys': { KeyClient, CryptographyClient },
    '@azure/identity': { DefaultAzureCredential },
  };
}

const AWS = 'awskms:///alias/release';
const GCP = 'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/7';
const AZURE = 'azurekms://team.vault.azure.net/release';
type Answers = { key?: Answer; sign?: Answer };
const open = (uri: string, answers: Answers = {}, seen: unknown[] = []) => {
  const packages: Record<string, object> = {
    '@aws-sdk/client-kms': awsPackage(answers),
    '@google-cloud/kms': gcpPackage(answers),
    ...azurePackages(answers, seen),
  };
  return openKms(uri, {}, async (name) => {
    seen.push(name);
    return packages[name];
  });
};

describe.each([
  ['AWS KMS', AWS, ['@aws-sdk/client-kms']],
  ['Google Cloud KMS', GCP, ['@google-cloud/kms']],
  [
    'Azure Key Vault',
    AZURE,
    [
      '@azure/keyvault-keys',
      '@azure/identity',
      'https://team.vault.azure.net',
      'DefaultAzureCredential',
      'id-of-release',
    ],
  ],
])('a key in %s', (name, uri, used) => {
  it('signs, and is known by its public half; no other package is loaded', async () => {
    const seen: unknown[] = [];
    const signer = await open(uri, {}, seen);
    expect(signer).toMatchObject({ publicKeyPem: pem, algorithm: 'ecdsa-p256' });
    const signature = await signer.sign(bytes);
    expect(verify('sha256', bytes, createPublicKey(pem), signature)).toBe(true);
    expect(seen).toEqual(used);
  });

  it('is found out where another key signs', async () => {
    const wrong: Record<string, object> = {
      [AWS]: { Signature: signDigest(stranger.privateKey, digest) },
      [GCP]: { signature: signDigest(stranger.privateKey, digest) },
      [AZURE]: { result: signDigest(stranger.privateKey, digest, 'ieee-p1363') },
    };
    const signer = await open(uri, { sign: () => wrong[uri] });
    await expectRejected(
      signer.sign(bytes),
      AttestError,
      'KMS_UNAVAILABLE',
      `${name} returns a signature that is not by its key`,
    );
  });

  it.each([{}, { Signature: 7, signature: 7, result: new Uint8Array(63) }, null, 'text'])(
    'that answers %j instead of a signature is an error',
    async (answer) => {
      const signer = await open(uri, { sign: () => answer });
      await expectRejected(signer.sign(bytes), AttestError, 'KMS_REFUSED');
    },
  );

  it.each([
    {},
    null,
    'text',
    { PublicKey: new Uint8Array(3), pem: 'x', algorithm: 'RSA', key: { kty: 'RSA' } },
  ])('that answers %j instead of a key is an error', async (answer) => {
    await expectRejected(open(uri, { key: () => answer }), AttestError, 'KMS_REFUSED');
  });

  it('that is not there, or not ours, or cannot be asked, says no more than that', async () => {
    const cases: readonly (readonly [object, string])[] = [
      [
        { name: 'NotFoundException', $metadata: { httpStatusCode: 400 }, code: 5, statusCode: 404 },
        'KMS_REFUSED',
      ],
      [{ name: 'AccessDenied', $metadata: { httpStatusCode: 403 }, code: 7, statusCode: 403 }, 'KMS_REFUSED'],
      [
        { name: 'Throttling', $metadata: { httpStatusCode: 429 }, code: 8, statusCode: 429 },
        'KMS_UNAVAILABLE',
      ],
      [
        { name: 'Internal', $metadata: { httpStatusCode: 500 }, code: 13, statusCode: 500 },
        'KMS_UNAVAILABLE',
      ],
      [{ name: 'Error', code: 'ECONNREFUSED' }, 'KMS_UNAVAILABLE'],
      [{ name: 'CredentialsProviderError' }, 'KMS_UNAVAILABLE'],
    ];
    for (const [error, code] of cases) {
      const thrown: unknown = await open(uri, { key: failing(error) }).catch((cause: unknown) => cause);
      expect(thrown).toMatchObject({ code, message: expect.stringMatching(new RegExp(`^${name} `)) });
      expect(JSON.stringify(thrown, ['message', 'hint', 'cause', 'stack'])).not.toContain('SECRET');
      const signer = await open(uri, { sign: failing(error) });
      await expectRejected(signer.sign(bytes), AttestError, code);
    }
  });

  it('needs its package', async () => {
    const gone = openKms(uri, {}, () => Promise.reject(new Error('ERR_MODULE_NOT_FOUND')));
    await expectRejected(
      gone,
      AttestError,
      'KMS_PACKAGE',
      `a key in ${name} needs the package ${JSON.stringify(used[0])}`,
    );
    await expectRejected(
      openKms(uri, {}, async () => ({})),
      AttestError,
      'KMS_PACKAGE',
      `the package ${JSON.stringify(used[0])} is not as expected`,
    );
  });
});

describe('the kind of a key', () => {
  it('has to be ECDSA P-256', async () => {
    const other = p384.publicKey;
    await expectRejected(
      open(AWS, { key: () => ({ PublicKey: other.export({ type: 'spki', format: 'der' }) }) }),
      AttestError,
      'KEY_KIND',
      'the public key is "ec secp384r1", not ECDSA P-256',
    );
    await expectRejected(
      open(GCP, { key: () => ({ algorithm: 'RSA_SIGN_PSS_2048_SHA256', pem }) }),
      AttestError,
      'KMS_REFUSED',
      'Google Cloud KMS refuses: the key is for "RSA_SIGN_PSS_2048_SHA256", not EC_SIGN_P256_SHA256',
    );
    await expectRejected(
      open(AZURE, { key: () => ({ key: { ...jwk, crv: 'P-384' } }) }),
      AttestError,
      'KMS_REFUSED',
      'Azure Key Vault refuses: the key is "EC P-384", not EC P-256',
    );
  });

  it('of an HSM is the same', async () => {
    expect((await open(AZURE, { key: () => ({ key: { ...jwk, kty: 'EC-HSM' } }) })).publicKeyPem).toBe(pem);
  });
});

describe('the URI of a key', () => {
  it.each([
    'awskms://',
    'awskms:///',
    'awskms:///a b',
    'awskms://user@host/key',
    'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k',
    'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/latest',
    'gcpkms://projects/p/../x/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1',
    // Whoever is named gets a token: only Azure's own hosts are.
    'azurekms://vault.azure.net.evil.example/release',
    'azurekms://evilvault.azure.net.example/release',
    'azurekms://team.vault.azure.net@evil.example/release',
    'azurekms://team.vault.azure.net:8443/release',
    'azurekms://vault.azure.net/release',
    'azurekms://team.vault.azure.net/release/latest',
  ])('%s names no key, and nothing is loaded for it', async (uri) => {
    const seen: unknown[] = [];
    await expectRejected(open(uri, {}, seen), AttestError, 'KMS_URI');
    expect(seen).toEqual([]);
  });

  it('of AWS may name a region by its ARN, and a host', async () => {
    const clients: object[] = [];
    const load = async (): Promise<object> => awsPackage({}, clients);
    for (const uri of [
      'awskms:///1234abcd-12ab-34cd-56ef-1234567890ab',
      'awskms:///arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      'awskms://localhost:4566/alias/release',
      'awskms://kms.eu-west-1.amazonaws.com/alias/release',
    ])
      await openKms(uri, {}, load);
    expect(clients).toEqual([
      { maxAttempts: 2 },
      { maxAttempts: 2, region: 'eu-west-1' },
      { maxAttempts: 2, endpoint: 'http://localhost:4566' },
      { maxAttempts: 2, endpoint: 'https://kms.eu-west-1.amazonaws.com' },
    ]);
  });
});
