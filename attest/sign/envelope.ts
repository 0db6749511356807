// SPDX-License-Identifier: Apache-2.0
import type { Signer } from './key.ts';

/** The payload type of in-toto statements. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** The largest statement that is signed or logged, in bytes: 256 KiB, over which a record is an error. */
export const MAX_STATEMENT_BYTES = 256 * 1024;

/** A DSSE envelope with one signature; the key is named outside of it, where the reader decides whom to trust. */
export interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly [{ readonly sig: string }];
}

/** The bytes that a DSSE signature covers. @see https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `), payload]);
}

/** Signs the JSON bytes of a Statement, which are opaque here. */
export async function signStatement(statement: Uint8Array, signer: Signer): Promise<Envelope> {
  const signature = await signer.sign(preAuthEncoding(PAYLOAD_TYPE, statement));
  return {
    payload: Buffer.from(statement).toString('base64'),
    payloadType: PAYLOAD_TYPE,
    signatures: [{ sig: signature.toString('base64') }],
  };
}
