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
  textIn,
} from './remote.ts';

const KMS = 'Azure Key Vault';
const EXAMPLE = 'azurekms://team.vault.azure.net/countersign, or with /VERSION';

/** What of `@azure/keyvault-keys` is used. @see https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign */
interface KeysPackage {
  readonly KeyClient: new (
    vault: string,
    credential: object,
  ) => { getKey(name: string, options: object): Promise<unknown> };
  readonly CryptographyClient: new (
    key: object,
    credential: object,
  ) => { sign(algorithm: string, digest: Uint8Array): Promise<unknown> };
}

interface IdentityPackage {
  readonly DefaultAzureCredential: new () => object;
}

const isKeysPackage = (module: unknown): module is KeysPackage =>
  hasClasses(module, ['KeyClient', 'CryptographyClient']);
const isIdentityPackage = (module: unknown): module is IdentityPackage =>
  hasClasses(module, ['DefaultAzureCredential']);

const ADDRESS =
  /^azurekms:\/\/([a-z0-9-]+\.(?:vault\.azure\.net|vault\.azure\.cn|vault\.usgovcloudapi\.net|managedhsm\.azure\.net))\/([A-Za-z0-9-]{1,127})(?:\/([0-9a-f]{32}))?$/;

/**
 * Opens a key of a vault, by default its newest version now. The host must be one of Azure's own: whoever else were named would
 * get a token of this identity. Credentials are those of Azure's default chain.
 * @throws {AttestError} KMS_…
 */
export async function openAzure(uri: string, load: LoadPackage): Promise<RemoteKey> {
  const match = ADDRESS.exec(uri);
  if (match === null) throw badUri(uri, EXAMPLE);
  const [, host = '', name = '', version] = match;
  const keys = await packageOf(
    { kms: KMS, name: '@azure/keyvault-keys', version: '4', is: isKeysPackage },
    load,
  );
  const { DefaultAzureCredential } = await packageOf(
    { kms: KMS, name: '@azure/identity', version: '4', is: isIdentityPackage },
    load,
  );
  const credential = new DefaultAzureCredential();
  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw failureOf(KMS, cause);
    }
  };
  const client = new keys.KeyClient(`https://${host}`, credential);
  const found = await ask(() => client.getKey(name, version === undefined ? {} : { version }));
  // By its own id, which has a version in it: what is signed later is signed by the key that was read here.
  const signing = new keys.CryptographyClient(Object(found), credential);
  return {
    publicKeyPem: pemOf(Reflect.get(Object(found), 'key')),
    sign: async (digest) => {
      const raw = bytesIn(await ask(() => signing.sign('ES256', digest)), 'result');
      if (raw?.length !== 64) throw refused(KMS, 'it gives no signature of 64 bytes');
      return derOf(raw);
    },
  };
}

function pemOf(jwk: unknown): string {
  const [x, y] = [bytesIn(jwk, 'x'), bytesIn(jwk, 'y')];
  const kind = `${textIn(jwk, 'kty') ?? 'nothing'} ${textIn(jwk, 'crv') ?? ''}`.trim();
  if (!/^EC(?:-HSM)? P-256$/.test(kind) || x === undefined || y === undefined)
    throw refused(KMS, `the key is ${JSON.stringify(kind)}, not EC P-256`);
  try {
    return createPublicKey({
      key: { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') },
      format: 'jwk',
    })
      .export({ type: 'spki', format: 'pem' })
      .toString();
  } catch {
    throw refused(KMS, 'the key is no point of P-256');
  }
}

/** `r ‖ s` as the DER that all others write. @see https://www.rfc-editor.org/rfc/rfc3279#section-2.2.3 */
function derOf(raw: Buffer): Buffer {
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

function integer(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const short = bytes.subarray(first < 0 ? bytes.length - 1 : first);
  // A leading bit would make it negative.
  const value = (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short;
  return Buffer.concat([Buffer.of(0x02, value.length), value]);
}
