// SPDX-License-Identifier: Apache-2.0
import type { LogEntry } from './entry.ts';
import type { BundleParts } from './parts.ts';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const ALGORITHMS = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' } as const;

/** The JSON of a bundle, written from the parts that were read, so that the library looks at the same thing as we. */
export function serialized({
  mediaType,
  version,
  certificate,
  content,
  entries,
  timestamps,
}: BundleParts): object {
  return {
    mediaType,
    verificationMaterial: {
      ...signerOf(certificate, version),
      tlogEntries: entries.map(entryOf),
      timestampVerificationData: {
        rfc3161Timestamps: timestamps.map((token) => ({ signedTimestamp: base64(token) })),
      },
    },
    ...(content.kind === 'envelope'
      ? {
          dsseEnvelope: {
            payload: base64(content.payload),
            payloadType: content.payloadType,
            signatures: [{ sig: base64(content.signature) }],
          },
        }
      : {
          messageSignature: {
            messageDigest: { algorithm: ALGORITHMS[content.algorithm], digest: base64(content.digest) },
            signature: base64(content.signature),
          },
        }),
  };
}

/** A chain is left out but for its first: the others may only come from the trusted root. */
function signerOf(certificate: Buffer | undefined, version: BundleParts['version']): object {
  if (certificate === undefined) return { publicKey: { hint: '' } };
  const stated = { rawBytes: base64(certificate) };
  return version === '0.3' ? { certificate: stated } : { x509CertificateChain: { certificates: [stated] } };
}

function entryOf({ logIndex, logId, kind, body, promise, proof }: LogEntry): object {
  const [name, version] = kind.split(' ');
  return {
    logIndex: String(logIndex),
    logId: { keyId: base64(logId) },
    kindVersion: { kind: name, version },
    integratedTime: String(promise?.integratedTime ?? 0),
    ...(promise === undefined
      ? {}
      : { inclusionPromise: { signedEntryTimestamp: base64(promise.signature) } }),
    ...(proof === undefined
      ? {}
      : {
          inclusionProof: {
            logIndex: String(proof.logIndex),
            rootHash: base64(proof.checkpoint.root),
            treeSize: String(proof.checkpoint.size),
            hashes: proof.hashes.map(base64),
            checkpoint: { envelope: proof.checkpoint.note },
          },
        }),
    canonicalizedBody: base64(body),
  };
}
