// SPDX-License-Identifier: Apache-2.0
// Cosignatures of witnesses over checkpoints (C2SP tlog-cosignature, Ed25519).

import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { decodeBase64 } from '../base64.ts';
import type { NoteSignature } from './note.ts';

const COSIGNATURE = 0x04;
const TIME_BYTES = 8;
/** SubjectPublicKeyInfo of an Ed25519 key, up to the key itself (RFC 8410). */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** A witness as a verifier key names it; `keyHint` is what its signature lines begin with. */
export interface Witness {
  readonly name: string;
  readonly keyHint: Uint8Array;
  readonly key: KeyObject;
}

/**
 * Reads a verifier key, `<name>+<key id in hex>+<base64>`; undefined where it is not one of an Ed25519 cosigner, or its id is not its own.
 * @see https://github.com/C2SP/C2SP/blob/main/signed-note.md  Verifier keys
 */
export function readWitness(text: string): Witness | undefined {
  const [, name, id, encoded] = /^([^ +]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const material = encoded === undefined ? undefined : decodeBase64(encoded);
  if (name === undefined || material?.length !== 33 || material[0] !== COSIGNATURE) return undefined;
  const digest = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), material]), 'buffer');
  const keyHint = digest.subarray(0, 4);
  if (keyHint.toString('hex') !== id) return undefined;
  const der = Buffer.concat([ED25519_SPKI, material.subarray(1)]);
  return { name, keyHint, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

/** When a witness cosigned a note, in seconds of Unix time; undefined where none of these signatures is a good one of its. */
export function cosignedAt(
  note: { readonly text: string; readonly signatures: readonly NoteSignature[] },
  witness: Witness,
): bigint | undefined {
  for (const { name, keyHint, signature } of note.signatures) {
    if (name !== witness.name || Buffer.compare(keyHint, witness.keyHint) !== 0) continue;
    if (signature.length !== TIME_BYTES + 64) continue;
    const bytes = Buffer.from(signature);
    const time = bytes.readBigUInt64BE();
    const message = Buffer.from(`cosignature/v1\ntime ${time}\n${note.text}`);
    if (verify(null, message, witness.key, bytes.subarray(TIME_BYTES))) return time;
  }
  return undefined;
}
