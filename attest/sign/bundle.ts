// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { type Envelope, signStatement } from './envelope.ts';
import type { Signer } from './key.ts';

/** The media type of the bundles we write and read. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** A signature over the bytes of an artefact; base64 is standard. */
export interface MessageSignature {
  readonly messageDigest: { readonly algorithm: 'SHA2_256'; readonly digest: string };
  readonly signature: string;
}

/** A Sigstore bundle v0.3 whose signature is by a key, in no log. */
export type KeyBundle = {
  readonly mediaType: typeof BUNDLE_MEDIA_TYPE;
  readonly verificationMaterial: { readonly publicKey: { readonly hint: string } };
} & ({ readonly messageSignature: MessageSignature } | { readonly dsseEnvelope: Envelope });

/** Signs the bytes of an artefact. @see https://docs.sigstore.dev/about/bundle/ */
export async function signArtefact(bytes: Uint8Array, signer: Signer): Promise<KeyBundle> {
  const signature = await signer.sign(bytes);
  return {
    ...headOf(signer),
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: hash('sha256', bytes, 'base64') },
      signature: signature.toString('base64'),
    },
  };
}

/** Signs the JSON bytes of a Statement into a bundle. */
export async function signAttestation(statement: Uint8Array, signer: Signer): Promise<KeyBundle> {
  return { ...headOf(signer), dsseEnvelope: await signStatement(statement, signer) };
}

/** The hint says which of the reader's keys to try, in the one form that people can compare: that of `ssh-keygen -l`. */
const headOf = ({ fingerprint }: Signer): Pick<KeyBundle, 'mediaType' | 'verificationMaterial'> => ({
  mediaType: BUNDLE_MEDIA_TYPE,
  verificationMaterial: { publicKey: { hint: fingerprint } },
});
