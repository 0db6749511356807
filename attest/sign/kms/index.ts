// SPDX-License-Identifier: Apache-2.0
// Keys that never leave a KMS. Each service is a file (aws, gcp, azure, vault) that reads a key's public half once and has digests
// signed; remote.ts makes a Signer of it. Loaded only where a key is named by a URI, and the clients of the clouds, which are optional
// packages, only where theirs is.
import { AttestError } from '../../error.ts';
import type { Signer } from '../key.ts';
import { openAws } from './aws.ts';
import { openAzure } from './azure.ts';
import { openGcp } from './gcp.ts';
import { type KmsEnvironment, type LoadPackage, type RemoteKey, signerOver } from './remote.ts';
import { openVault } from './vault.ts';

export type { KmsEnvironment, LoadPackage } from './remote.ts';

type Open = (uri: string, env: KmsEnvironment, load: LoadPackage) => Promise<RemoteKey>;

const SERVICES: Readonly<Record<string, readonly [name: string, open: Open]>> = {
  awskms: ['AWS KMS', (uri, _, load) => openAws(uri, load)],
  gcpkms: ['Google Cloud KMS', (uri, _, load) => openGcp(uri, load)],
  azurekms: ['Azure Key Vault', (uri, _, load) => openAzure(uri, load)],
  hashivault: ['Vault', openVault],
};

const install: LoadPackage = (name) => import(name);

/**
 * Opens a key by its URI and reads its public half. The clients of the clouds take credentials from the environment of the process.
 * @throws {AttestError} KMS_URI | KMS_PACKAGE | KMS_REFUSED | KMS_UNAVAILABLE | KEY_KIND (not ECDSA P-256)
 */
export async function openKms(
  uri: string,
  env: KmsEnvironment,
  load: LoadPackage = install,
): Promise<Signer> {
  const scheme = uri.slice(0, uri.indexOf('://'));
  const service = Object.hasOwn(SERVICES, scheme) ? SERVICES[scheme] : undefined;
  if (service === undefined)
    throw new AttestError('KMS_URI', `${JSON.stringify(`${scheme}://`)} is no KMS that is known`, {
      hint: `one of ${Object.keys(SERVICES)
        .map((known) => `${known}://`)
        .join(', ')}`,
    });
  const [name, open] = service;
  return signerOver(name, () => open(uri, env, load));
}
