// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { noteKeyId } from './note.ts';

/** A Sigstore `trusted_root.json` that names one log and nothing else. */
export interface TrustedRoot {
  readonly mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1';
  readonly tlogs: readonly TrustedRootLog[];
  readonly certificateAuthorities: readonly unknown[];
  readonly ctlogs: readonly unknown[];
  readonly timestampAuthorities: readonly unknown[];
}

/** One transparency log of a trusted root; `rawBytes` is SPKI DER and `keyId` the note key id, both base64. */
export interface TrustedRootLog {
  readonly baseUrl: string;
  readonly hashAlgorithm: string;
  readonly publicKey: {
    readonly rawBytes: string;
    readonly keyDetails: string;
    readonly validFor: { readonly start: string; readonly end?: string };
  };
  readonly logId: { readonly keyId: string };
}

/**
 * Describes a log to those who verify its records, stock cosign among them.
 * @see https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
 */
export function trustedRootOf(origin: string, publicKey: KeyObject, created: Date): TrustedRoot {
  const rawBytes = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  // From the start of its day: a verifier whose clock is a little behind must not refuse the first records.
  const start = `${created.toISOString().slice(0, 10)}T00:00:00Z`;
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [
      {
        baseUrl: `https://${origin}`,
        hashAlgorithm: 'SHA2_256',
        publicKey: { rawBytes, keyDetails: 'PKIX_ED25519', validFor: { start } },
        logId: { keyId: Buffer.from(noteKeyId(origin, publicKey)).toString('base64') },
      },
    ],
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
  };
}
