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

/** Who a bundle says signed it, and who witnessed it. */
export type Material = (
  | { readonly publicKey: { readonly hint: string } }
  | { readonly certificate: { readonly rawBytes: string } }
) & {
  readonly tlogEntries?: readonly object[];
  readonly timestampVerificationData?: { readonly rfc3161Timestamps: readonly object[] };
};

/** A Sigstore bundle v0.3. */
export type SignedBundle = {
  readonly mediaType: typeof BUNDLE_MEDIA_TYPE;
  readonly verificationMaterial: Material;
} & ({ readonly messageSignature: MessageSignature } | { readonly dsseEnvelope: Envelope });

/** Signs the bytes of an artefact. @see https://docs.sigstore.dev/about/bundle/ */
export async function signArtefact(bytes: Uint8Array, signer: Signer): Promise<SignedBundle> {
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
export async function signAttestation(statement: Uint8Array, signer: Signer): Promise<SignedBundle> {
  return { ...headOf(signer), dsseEnvelope: await signStatement(statement, signer) };
}

const headOf = (signer: Signer): Pick<SignedBundle, 'mediaType' | 'verificationMaterial'> => ({
  mediaType: BUNDLE_MEDIA_TYPE,
  verificationMaterial: materialOf(signer),
});

/** The hint says which of the reader's keys to try, in the one form that people can compare: that of `ssh-keygen -l`. */
const materialOf = ({ certificate, fingerprint }: Signer): Material =>
  certificate === undefined
    ? { publicKey: { hint: fingerprint } }
    : { certificate: { rawBytes: certificate.der.toString('base64') } };
