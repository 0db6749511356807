// SPDX-License-Identifier: Apache-2.0
import { hash, type KeyObject, sign } from 'node:crypto';
import { PAYLOAD_TYPE, preAuthEncoding } from '../../../../attest/sign/index.ts';
import { statementBytes } from '../../fixture.ts';

/** What tests have signed. A KMS signs a digest, which Node does not: the fakes look up the bytes that it is of. */
export const MESSAGES: readonly Buffer[] = [
  Buffer.from('what is signed'),
  Buffer.from('something else'),
  preAuthEncoding(PAYLOAD_TYPE, statementBytes()),
];

/** An ECDSA signature over a SHA-256 digest of one of the messages, DER, or the bare `r ‖ s`. */
export function signDigest(
  key: KeyObject,
  digest: Uint8Array,
  dsaEncoding: 'der' | 'ieee-p1363' = 'der',
): Buffer {
  const message = MESSAGES.find((one) => hash('sha256', one, 'buffer').equals(digest));
  if (message === undefined) throw new Error('no test has this digest signed');
  return sign('sha256', message, { key, dsaEncoding });
}
