// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';

/** Kind and version of the entries in our log. */
export const ENTRY_KIND = { kind: 'hashedrekord', version: '0.0.2' } as const;

/** What a log entry binds together: the signed bytes (a DSSE PAE), their signature (DER) and the key (SPKI DER). */
export interface EntryContent {
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKeyDer: Uint8Array;
}

/**
 * The canonical body of a Rekor v2 `hashedrekord` 0.0.2 entry for an ECDSA P-256 signature; members in the order of RFC 8785.
 * A verifier makes the body it expects and compares bytes, so nothing in an entry can be left unread.
 * @see https://github.com/sigstore/rekor-tiles/blob/main/api/proto/rekor/v2/hashedrekord.proto
 */
export function entryBody(content: EntryContent): Buffer {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return Buffer.from(
    JSON.stringify({
      apiVersion: ENTRY_KIND.version,
      kind: ENTRY_KIND.kind,
      spec: {
        hashedRekordV002: {
          data: { algorithm: 'SHA2_256', digest: hash('sha256', content.signedBytes, 'base64') },
          signature: {
            content: base64(content.signature),
            verifier: {
              keyDetails: 'PKIX_ECDSA_P256_SHA_256',
              publicKey: { rawBytes: base64(content.publicKeyDer) },
            },
          },
        },
      },
    }),
  );
}
