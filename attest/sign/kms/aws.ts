// SPDX-License-Identifier: Apache-2.0
import { createPublicKey } from 'node:crypto';
import {
  badUri,
  bytesIn,
  failureOf,
  hasClasses,
  type LoadPackage,
  packageOf,
  type RemoteKey,
  refused,
} from './remote.ts';

const KMS = 'AWS KMS';
const EXAMPLE = 'awskms:///alias/countersign, or awskms:///arn:aws:kms:eu-west-1:123456789012:key/…';

/** What of `@aws-sdk/client-kms` is used. @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html */
interface AwsPackage {
  readonly KMSClient: new (options: object) => { send(command: object): Promise<unknown> };
  readonly GetPublicKeyCommand: new (input: object) => object;
  readonly SignCommand: new (input: object) => object;
}

const isAwsPackage = (module: unknown): module is AwsPackage =>
  hasClasses(module, ['KMSClient', 'GetPublicKeyCommand', 'SignCommand']);

/**
 * Opens `awskms://[ENDPOINT]/KEY`: an id, an alias or an ARN, as cosign writes it. Region and credentials are those of AWS's own
 * configuration; an ARN names its region itself.
 * @throws {AttestError} KMS_…
 */
export async function openAws(uri: string, load: LoadPackage): Promise<RemoteKey> {
  const match = /^awskms:\/\/([^/]*)\/([A-Za-z0-9:/_-]{1,2048})$/.exec(uri);
  if (match === null) throw badUri(uri, EXAMPLE);
  const [, host = '', keyId = ''] = match;
  const endpoint = host === '' ? {} : { endpoint: endpointOf(host, uri) };
  const aws = await packageOf(
    { kms: KMS, name: '@aws-sdk/client-kms', version: '3', is: isAwsPackage },
    load,
  );
  const region = /^arn:[a-z-]+:kms:([a-z0-9-]+):/.exec(keyId)?.[1];
  const client = new aws.KMSClient({
    ...(region === undefined ? {} : { region }),
    ...endpoint,
    maxAttempts: 2,
  });
  const ask = async (command: object): Promise<unknown> => {
    try {
      return await client.send(command);
    } catch (cause) {
      throw failureOf(KMS, cause);
    }
  };
  const answer = await ask(new aws.GetPublicKeyCommand({ KeyId: keyId }));
  const der = bytesIn(answer, 'PublicKey') ?? refuse('it gives no public key');
  return {
    publicKeyPem: pemOf(der),
    sign: async (digest) => {
      const signed = await ask(
        new aws.SignCommand({
          KeyId: keyId,
          Message: digest,
          MessageType: 'DIGEST',
          SigningAlgorithm: 'ECDSA_SHA_256',
        }),
      );
      return bytesIn(signed, 'Signature') ?? refuse('it gives no signature');
    },
  };
}

function refuse(why: string): never {
  throw refused(KMS, why);
}

/** https, but to this machine. */
function endpointOf(host: string, uri: string): string {
  const isHere = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host);
  const endpoint = `${isHere ? 'http' : 'https'}://${host}`;
  if (!/^[A-Za-z0-9.:[\]-]+$/.test(host) || !URL.canParse(endpoint)) throw badUri(uri, EXAMPLE);
  return endpoint;
}

function pemOf(der: Buffer): string {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' })
      .export({ type: 'spki', format: 'pem' })
      .toString();
  } catch {
    return refuse('what it gives is no public key');
  }
}
