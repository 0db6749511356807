// SPDX-License-Identifier: Apache-2.0
// One entry of a transparency log, as a bundle carries it: Rekor v1 with a promise, a proof or both, Rekor v2 with a proof.

import { decodeBase64 } from '../../base64.ts';
import { type Checkpoint, type NoteSignature, readCheckpoint, readIndex } from '../../log/index.ts';
import { listOf, textOf } from '../shape.ts';
import { membersAmong } from './members.ts';
import type { BundleVersion } from './parts.ts';

const MAX_HASHES = 64;

/** The kinds of entry that say who signed what, with their versions. */
export const ENTRY_KINDS = [
  'hashedrekord 0.0.1',
  'hashedrekord 0.0.2',
  'dsse 0.0.1',
  'dsse 0.0.2',
  'intoto 0.0.2',
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** A log entry, decoded; it has a promise, a proof, or both. */
export interface LogEntry {
  readonly logIndex: number;
  readonly logId: Buffer;
  readonly kind: EntryKind;
  readonly body: Buffer;
  /** Seconds since 1970; present exactly where a promise vouches for it. */
  readonly promise?: { readonly signature: Buffer; readonly integratedTime: number };
  readonly proof?: LogProof;
}

/** An inclusion proof; root and size are those of the checkpoint. */
export interface LogProof {
  readonly logIndex: number;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: Checkpoint & {
    readonly note: string;
    readonly text: string;
    readonly signatures: readonly NoteSignature[];
  };
}

/** The bytes of a member in canonical standard base64, or undefined. */
export const bytesOf = (value: unknown): Buffer | undefined =>
  typeof value === 'string' ? decodeBase64(value) : undefined;

/** A number that protobuf writes as text, and leaves out where it is zero. */
const numberOf = (value: unknown): number | undefined =>
  value === undefined ? 0 : typeof value === 'string' ? readIndex(value) : undefined;

/** Reads one log entry with the proofs that this version of the format asks for, or undefined. */
export function readLogEntry(value: unknown, version: BundleVersion): LogEntry | undefined {
  const entry = membersAmong(
    value,
    ['logId', 'kindVersion', 'canonicalizedBody'],
    ['logIndex', 'integratedTime', 'inclusionPromise', 'inclusionProof'],
  );
  const logIndex = numberOf(entry?.['logIndex']);
  const logId = bytesOf(membersAmong(entry?.['logId'], ['keyId'])?.['keyId']);
  const kind = readKind(entry?.['kindVersion']);
  const body = bytesOf(entry?.['canonicalizedBody']);
  if (logIndex === undefined || !logId?.length || kind === undefined || !body?.length) return undefined;
  const proofs = readProofs(entry ?? {}, version, logIndex);
  return proofs === undefined ? undefined : { logIndex, logId, kind, body, ...proofs };
}

function readKind(value: unknown): EntryKind | undefined {
  const stated = membersAmong(value, ['kind', 'version']);
  // As texts only: a list of one text would be written the same.
  const [kind, version] = [textOf(stated?.['kind']), textOf(stated?.['version'])];
  return ENTRY_KINDS.find((each) => each === `${kind} ${version}`);
}

/**
 * A time and an index that nothing vouches for must not be carried: without a promise the time is none (sigstore-js CVE-2026-48816)
 * and the index is that of the proof.
 */
function readProofs(
  entry: Readonly<Record<string, unknown>>,
  version: BundleVersion,
  logIndex: number,
): Pick<LogEntry, 'promise' | 'proof'> | undefined {
  const integratedTime = numberOf(entry['integratedTime']);
  const promised = entry['inclusionPromise'];
  const proved = entry['inclusionProof'];
  const signature = bytesOf(membersAmong(promised, ['signedEntryTimestamp'])?.['signedEntryTimestamp']);
  const proof = readProof(proved);
  if ((promised !== undefined && !signature?.length) || (proved !== undefined && proof === undefined))
    return undefined;
  if ((version === '0.1' && !signature?.length) || (version !== '0.1' && proof === undefined))
    return undefined;
  if (signature === undefined)
    return proof !== undefined && integratedTime === 0 && logIndex === proof.logIndex ? { proof } : undefined;
  if (integratedTime === undefined || integratedTime === 0) return undefined;
  return { promise: { signature, integratedTime }, ...(proof === undefined ? {} : { proof }) };
}

/** Root and size stand twice in a proof; the library uses one of each, so both must say the same. */
function readProof(value: unknown): LogProof | undefined {
  const proof = membersAmong(value, ['rootHash', 'treeSize', 'checkpoint'], ['logIndex', 'hashes']);
  const logIndex = numberOf(proof?.['logIndex']);
  const hashes = listOf(proof?.['hashes'] ?? [], MAX_HASHES, hashOf);
  const note = textOf(membersAmong(proof?.['checkpoint'], ['envelope'])?.['envelope']);
  const checkpoint = note === undefined ? undefined : readCheckpoint(note);
  if (logIndex === undefined || hashes === undefined || note === undefined || checkpoint === undefined)
    return undefined;
  const isConsistent =
    hashOf(proof?.['rootHash'])?.equals(checkpoint.root) === true &&
    numberOf(proof?.['treeSize']) === checkpoint.size;
  return isConsistent ? { logIndex, hashes, checkpoint: { ...checkpoint, note } } : undefined;
}

function hashOf(value: unknown): Buffer | undefined {
  const bytes = bytesOf(value);
  return bytes?.length === 32 ? bytes : undefined;
}
