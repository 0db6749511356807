// SPDX-License-Identifier: Apache-2.0
import {
  badUri,
  bytesIn,
  failureOf,
  hasClasses,
  type LoadPackage,
  packageOf,
  type RemoteKey,
  refused,
  textIn,
} from './remote.ts';

const KMS = 'Google Cloud KMS';
const EXAMPLE = 'gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/1';

/** What of `@google-cloud/kms` is used. @see https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.cryptoKeyVersions/asymmetricSign */
interface GcpPackage {
  readonly KeyManagementServiceClient: new () => {
    getPublicKey(request: object): Promise<unknown>;
    asymmetricSign(request: object): Promise<unknown>;
  };
}

const isGcpPackage = (module: unknown): module is GcpPackage =>
  hasClasses(module, ['KeyManagementServiceClient']);

const PATH =
  /^gcpkms:\/\/(projects\/[\w-][\w.:-]*\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+)\/(?:versions|cryptoKeyVersions)\/(\d+)$/;

/** gRPC codes with which the service says no: the request, the name, the permission, the state of the key, the caller. */
const REFUSALS: readonly unknown[] = [3, 5, 7, 9, 16];

/**
 * Opens a version of a key by its resource name; a version, since each has a key pair of its own. Credentials are Google's
 * application default credentials.
 * @throws {AttestError} KMS_…
 */
export async function openGcp(uri: string, load: LoadPackage): Promise<RemoteKey> {
  const match = PATH.exec(uri);
  if (match === null) throw badUri(uri, EXAMPLE);
  const name = `${match[1]}/cryptoKeyVersions/${match[2]}`;
  const gcp = await packageOf({ kms: KMS, name: '@google-cloud/kms', version: '6', is: isGcpPackage }, load);
  const client = new gcp.KeyManagementServiceClient();
  // The client answers with a list whose first item is the message.
  const ask = async (work: () => Promise<unknown>): Promise<unknown> => {
    try {
      return Reflect.get(Object(await work()), 0);
    } catch (cause) {
      const code: unknown = Reflect.get(Object(cause), 'code');
      throw REFUSALS.includes(code) ? refused(KMS, `gRPC code ${String(code)}`) : failureOf(KMS, cause);
    }
  };
  const key = await ask(() => client.getPublicKey({ name }));
  const algorithm = textIn(key, 'algorithm');
  const publicKeyPem = textIn(key, 'pem');
  if (algorithm !== 'EC_SIGN_P256_SHA256' || publicKeyPem === undefined)
    throw refused(KMS, `the key is for ${JSON.stringify(algorithm ?? 'nothing')}, not EC_SIGN_P256_SHA256`);
  return {
    publicKeyPem,
    sign: async (digest) => {
      const signed = await ask(() => client.asymmetricSign({ name, digest: { sha256: digest } }));
      const signature = bytesIn(signed, 'signature');
      if (signature === undefined) throw refused(KMS, 'it gives no signature');
      return signature;
    },
  };
}
