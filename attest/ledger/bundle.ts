// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { ENTRY_KIND, type Hash } from '../log/index.ts';
import { BUNDLE_MEDIA_TYPE, type Envelope } from '../sign/index.ts';

/** A Sigstore bundle v0.3 over a DSSE envelope, signed with a key and held by a log: a Record is one of these. All base64 is standard. */
export interface Bundle {
  readonly mediaType: typeof BUNDLE_MEDIA_TYPE;
  readonly verificationMaterial: {
    readonly publicKey: { readonly hint: string };
    readonly tlogEntries: readonly LogEntry[];
  };
  readonly dsseEnvelope: Envelope;
}

/** One log entry with the proof that the log holds it; numbers are decimal strings. */
export interface LogEntry {
  readonly logIndex: string;
  readonly logId: { readonly keyId: string };
  readonly kindVersion: { readonly kind: string; readonly version: string };
  readonly integratedTime?: string;
  readonly inclusionProof: {
    readonly logIndex: string;
    readonly rootHash: string;
    readonly treeSize: string;
    readonly hashes: readonly string[];
    readonly checkpoint: { readonly envelope: string };
  };
  readonly canonicalizedBody: string;
}

/** What a bundle is put together from. */
export interface BundleParts {
  readonly envelope: Envelope;
  readonly publicKeyDer: Uint8Array;
  readonly body: Uint8Array;
  readonly index: number;
  readonly logId: Uint8Array;
  readonly checkpoint: { readonly size: number; readonly root: Hash; readonly note: string };
  readonly hashes: readonly Hash[];
}

/**
 * Puts a bundle together. `integratedTime` stays 0: nothing in this log proves a time, so none is claimed.
 * @see https://docs.sigstore.dev/about/bundle/
 */
export function bundleOf(parts: BundleParts): Bundle {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const logIndex = String(parts.index);
  return {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      publicKey: { hint: hash('sha256', parts.publicKeyDer, 'base64') },
      tlogEntries: [
        {
          logIndex,
          logId: { keyId: base64(parts.logId) },
          kindVersion: ENTRY_KIND,
          integratedTime: '0',
          inclusionProof: {
            logIndex,
            rootHash: base64(parts.checkpoint.root),
            treeSize: String(parts.checkpoint.size),
            hashes: parts.hashes.map(base64),
            checkpoint: { envelope: parts.checkpoint.note },
          },
          canonicalizedBody: base64(parts.body),
        },
      ],
    },
    dsseEnvelope: parts.envelope,
  };
}
