// SPDX-License-Identifier: Apache-2.0
// Checkpoints (C2SP tlog-checkpoint) as signed notes (C2SP signed-note) with Ed25519.

import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { decodeBase64 } from '../base64.ts';
import type { Hash } from './tree.ts';

/** What a log says of itself at one size. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

/** One signature line of a note: the signer's name, the first four bytes of its key id, the signature. */
export interface NoteSignature {
  readonly name: string;
  readonly keyHint: Uint8Array;
  readonly signature: Uint8Array;
}

const MAX_NOTE_CHARACTERS = 16 * 1024;
const MAX_SIGNATURES = 16;
const ED25519 = 0x01;

/** A log's origin is a host name: the checkpoint verifiers of Sigstore take it from the host of the log's `baseUrl`. */
export function isOrigin(text: string): boolean {
  const labels = text.split('.');
  return text.length <= 253 && labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
}

/**
 * The id of a note key: SHA-256 over name, newline, algorithm and raw key; a note shows its first four bytes.
 * @see https://github.com/C2SP/C2SP/blob/main/signed-note.md  Signatures
 */
export function noteKeyId(origin: string, publicKey: KeyObject): Uint8Array {
  const { x } = publicKey.export({ format: 'jwk' });
  const raw = Buffer.from(x ?? '', 'base64url');
  return hash('sha256', Buffer.concat([Buffer.from(`${origin}\n`), Uint8Array.of(ED25519), raw]), 'buffer');
}

/** Makes the function that signs checkpoints of one log. */
export function checkpointSigner(
  origin: string,
  privateKey: KeyObject,
): (size: number, root: Hash) => string {
  const hint = noteKeyId(origin, createPublicKey(privateKey)).subarray(0, 4);
  return (size, root) => {
    const text = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
    const signature = Buffer.concat([hint, sign(null, Buffer.from(text), privateKey)]);
    return `${text}\n— ${origin} ${signature.toString('base64')}\n`;
  };
}

/**
 * Reads a checkpoint strictly; undefined where it is not one. Proves nothing: see {@link isSignedBy}.
 * The text has an origin, a size and a root, then lines of its own that are signed but not used.
 */
export function readCheckpoint(
  note: string,
): (Checkpoint & { readonly text: string; readonly signatures: readonly NoteSignature[] }) | undefined {
  const split = note.indexOf('\n\n');
  if (note.length > MAX_NOTE_CHARACTERS || split < 0 || !note.endsWith('\n')) return undefined;
  const text = note.slice(0, split + 1);
  const [origin, size, root] = text.split('\n');
  if (origin === undefined || origin === '' || size === undefined || root === undefined) return undefined;
  const hashed = decodeBase64(root);
  const count = readIndex(size);
  const signatures = note
    .slice(split + 2, -1)
    .split('\n')
    .map(readSignature);
  if (hashed?.length !== 32 || count === undefined || signatures.length > MAX_SIGNATURES) return undefined;
  const known = signatures.filter((signature) => signature !== undefined);
  if (known.length !== signatures.length) return undefined;
  return { origin, size: count, root: hashed, text, signatures: known };
}

function readSignature(line: string): NoteSignature | undefined {
  const [, name, encoded] = /^\u2014 ([^ +]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded);
  if (name === undefined || bytes === undefined || bytes.length < 5) return undefined;
  return { name, keyHint: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/** A canonical decimal below 2^53, as sizes and indexes are written, or undefined. */
export function readIndex(text: string): number | undefined {
  const value = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

/** Whether one line of a note is a good signature by this Ed25519 key under this name. */
export function isSignedBy(
  note: { readonly text: string; readonly signatures: readonly NoteSignature[] },
  origin: string,
  publicKey: KeyObject,
): boolean {
  const hint = Buffer.from(noteKeyId(origin, publicKey).subarray(0, 4));
  const bytes = Buffer.from(note.text, 'utf8');
  return note.signatures.some(
    ({ name, keyHint, signature }) =>
      name === origin && hint.equals(keyHint) && verify(null, bytes, publicKey, signature),
  );
}
