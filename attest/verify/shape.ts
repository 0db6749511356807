// SPDX-License-Identifier: Apache-2.0
// The shape of a bundle: nothing here proves anything. Exact members, so that no field is carried that nobody looked at, and caps
// on every list (sigstore-go CVE-2024-45395).

import { decodeAnyBase64, decodeBase64 } from '../base64.ts';
import { type Checkpoint, type NoteSignature, readCheckpoint, readIndex } from '../log/index.ts';
import { BUNDLE_MEDIA_TYPE } from '../sign/index.ts';

const MAX_ENTRIES = 32;
const MAX_HASHES = 64;

/** The parts of a bundle, decoded; none of them is proved. */
export interface BundleShape {
  readonly hint: string;
  readonly payloadType: string;
  readonly payload: Buffer;
  /** DER. */
  readonly signature: Buffer;
  readonly entries: readonly EntryShape[];
}

/** One log entry, decoded; index and size of its proof are those of the entry and of the checkpoint. */
export interface EntryShape {
  readonly index: number;
  /** base64 */
  readonly logId: string;
  readonly kind: string;
  readonly version: string;
  readonly body: Buffer;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: Checkpoint & {
    readonly note: string;
    readonly text: string;
    readonly signatures: readonly NoteSignature[];
  };
}

/** Members of a JSON object. */
export type Members = Readonly<Record<string, unknown>>;

/** An object with these members and no others; undefined for anything else. */
export function members(value: unknown, names: readonly string[]): Members | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const found: Members = { ...value };
  const isExact =
    Object.keys(found).length === names.length && names.every((name) => Object.hasOwn(found, name));
  return isExact ? found : undefined;
}

/** Every item of a list of 0 to `most`, read; undefined where it is no such list or one item cannot be read. */
export function listOf<T>(
  value: unknown,
  most: number,
  read: (item: unknown) => T | undefined,
): T[] | undefined {
  if (!Array.isArray(value) || value.length > most) return undefined;
  const items = value.map(read).filter((item) => item !== undefined);
  return items.length === value.length ? items : undefined;
}

/** The text of a member, or undefined. */
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The bytes of a member in canonical standard base64, or undefined. */
const bytesOf = (value: unknown): Buffer | undefined =>
  typeof value === 'string' ? decodeBase64(value) : undefined;

const indexOf = (value: unknown): number | undefined =>
  typeof value === 'string' ? readIndex(value) : undefined;

/** Reads a Sigstore bundle v0.3 with one DSSE signature by a key and 1 to 32 log entries, or undefined. */
export function readBundle(value: unknown): BundleShape | undefined {
  const bundle = members(value, ['mediaType', 'verificationMaterial', 'dsseEnvelope']);
  const material = members(bundle?.['verificationMaterial'], ['publicKey', 'tlogEntries']);
  const hint = textOf(members(material?.['publicKey'], ['hint'])?.['hint']);
  const entries = listOf(material?.['tlogEntries'], MAX_ENTRIES, readEntry);
  const envelope = members(bundle?.['dsseEnvelope'], ['payload', 'payloadType', 'signatures']);
  const payloadType = textOf(envelope?.['payloadType']);
  const payload = anyBytesOf(envelope?.['payload']);
  const signatures = listOf(envelope?.['signatures'], 1, (item) =>
    anyBytesOf(members(item, ['sig'])?.['sig']),
  );
  const signature = signatures?.[0];
  if (bundle?.['mediaType'] !== BUNDLE_MEDIA_TYPE || entries === undefined || entries.length === 0)
    return undefined;
  if (hint === undefined || payloadType === undefined || !payload?.length || !signature?.length)
    return undefined;
  return { hint, payloadType, payload, signature, entries };
}

// DSSE: "MAY use standard or URL-safe base64 and the receiver MUST accept either".
const anyBytesOf = (value: unknown): Buffer | undefined =>
  typeof value === 'string' ? decodeAnyBase64(value) : undefined;

const ENTRY_MEMBERS = [
  'logIndex',
  'logId',
  'kindVersion',
  'integratedTime',
  'inclusionProof',
  'canonicalizedBody',
];

function readEntry(value: unknown): EntryShape | undefined {
  const entry = members(value, ENTRY_MEMBERS);
  const index = indexOf(entry?.['logIndex']);
  const logId = textOf(members(entry?.['logId'], ['keyId'])?.['keyId']);
  const type = members(entry?.['kindVersion'], ['kind', 'version']);
  const [kind, version] = [textOf(type?.['kind']), textOf(type?.['version'])];
  const body = bytesOf(entry?.['canonicalizedBody']);
  // A time that nothing vouches for must not be carried: this log has none (sigstore-js CVE-2026-48816).
  if (entry === undefined || entry['integratedTime'] !== '0' || index === undefined) return undefined;
  if (logId === undefined || kind === undefined || version === undefined || body === undefined)
    return undefined;
  const proof = readProof(entry['inclusionProof'], index);
  return proof === undefined ? undefined : { index, logId, kind, version, body, ...proof };
}

const PROOF_MEMBERS = ['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint'];

/** Index, size and root stand twice in a bundle; the library uses one of each, so both must say the same. */
function readProof(value: unknown, index: number): Pick<EntryShape, 'hashes' | 'checkpoint'> | undefined {
  const proof = members(value, PROOF_MEMBERS);
  const hashes = listOf(proof?.['hashes'], MAX_HASHES, hashOf);
  const note = textOf(members(proof?.['checkpoint'], ['envelope'])?.['envelope']);
  const checkpoint = note === undefined ? undefined : readCheckpoint(note);
  const root = hashOf(proof?.['rootHash']);
  if (hashes === undefined || note === undefined || checkpoint === undefined || root === undefined)
    return undefined;
  const isConsistent =
    indexOf(proof?.['logIndex']) === index &&
    indexOf(proof?.['treeSize']) === checkpoint.size &&
    root.equals(checkpoint.root);
  return isConsistent ? { hashes, checkpoint: { ...checkpoint, note } } : undefined;
}

function hashOf(value: unknown): Buffer | undefined {
  const bytes = bytesOf(value);
  return bytes?.length === 32 ? bytes : undefined;
}
