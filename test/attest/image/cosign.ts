// SPDX-License-Identifier: Apache-2.0
// What cosign wrote before bundles, from a bundle of a test's own instance.
import type { Json } from '../bundle/world.ts';

/** The annotations of a layer: certificate, promise of the log, timestamp. */
export function annotationsOf({ verificationMaterial: material }: Json): Record<string, string> {
  const rawBytes = material.x509CertificateChain?.certificates[0]?.rawBytes;
  const [entry] = material.tlogEntries;
  const [stamp] = material.timestampVerificationData.rfc3161Timestamps;
  return {
    ...(rawBytes === undefined
      ? {}
      : {
          'dev.sigstore.cosign/certificate': `-----BEGIN CERTIFICATE-----\n${rawBytes.replaceAll(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`,
        }),
    ...(entry === undefined
      ? {}
      : {
          'dev.sigstore.cosign/bundle': JSON.stringify({
            SignedEntryTimestamp: entry.inclusionPromise.signedEntryTimestamp,
            Payload: {
              body: entry.canonicalizedBody,
              integratedTime: Number(entry.integratedTime),
              logIndex: Number(entry.logIndex),
              logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
            },
          }),
        }),
    ...(stamp === undefined
      ? {}
      : {
          'dev.sigstore.cosign/rfc3161timestamp': JSON.stringify({
            SignedRFC3161Timestamp: stamp.signedTimestamp,
          }),
        }),
  };
}

/** What a signature of an image is over. */
export const payloadOf = (digest: string, changes: Json = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': 'localhost/shop/web' },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
        ...changes,
      },
      optional: null,
    }),
  );

/** The layer that carries a signature over a payload. */
export const signatureOf = (bundle: Json): Record<string, string> => ({
  'dev.cosignproject.cosign/signature': bundle.messageSignature.signature,
  ...annotationsOf(bundle),
});

export const envelopeOf = ({ dsseEnvelope }: Json): Buffer => Buffer.from(JSON.stringify(dsseEnvelope));
