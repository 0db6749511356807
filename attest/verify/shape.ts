// SPDX-License-Identifier: Apache-2.0
// Shapes only: nothing here proves anything. Exact members, so that no field is carried that nobody looked at.

const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const MAX_HASHES = 64;
const MAX_SUBJECTS = 1_024;
const MAX_DIGESTS = 32;

/** The parts of a bundle that verification looks at, all of them untrusted text. */
export interface BundleShape {
  readonly payload: string;
  readonly payloadType: string;
  readonly signature: string;
  readonly entry: {
    readonly index: string;
    readonly logId: string;
    readonly kind: string;
    readonly version: string;
    readonly body: string;
    readonly proofIndex: string;
    readonly rootHash: string;
    readonly treeSize: string;
    readonly hashes: readonly string[];
    readonly checkpoint: string;
  };
}

/** What an in-toto Statement says it is about. */
export interface StatementShape {
  readonly predicateType: string;
  readonly subjects: readonly { readonly name?: string; readonly digest: Readonly<Record<string, string>> }[];
}

type Members = Readonly<Record<string, unknown>>;

/** An object with these members and no others; undefined for anything else. */
function members(value: unknown, names: readonly string[]): Members | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const found: Members = { ...value };
  const keys = Object.keys(found);
  return keys.length === names.length && names.every((name) => Object.hasOwn(found, name))
    ? found
    : undefined;
}

function single(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const areTexts = (values: readonly unknown[]): values is readonly string[] => values.every(isText);

/** The parts of a Sigstore bundle v0.3 as our ledger writes it, or undefined. */
export function readBundle(value: unknown): BundleShape | undefined {
  const bundle = members(value, ['mediaType', 'verificationMaterial', 'dsseEnvelope']);
  const material = members(bundle?.['verificationMaterial'], ['publicKey', 'tlogEntries']);
  const hint = members(material?.['publicKey'], ['hint']);
  const envelope = members(bundle?.['dsseEnvelope'], ['payload', 'payloadType', 'signatures']);
  const signature = members(single(envelope?.['signatures']), ['sig']);
  const entry = readEntry(single(material?.['tlogEntries']));
  const texts = [envelope?.['payload'], envelope?.['payloadType'], signature?.['sig'], hint?.['hint']];
  if (bundle?.['mediaType'] !== MEDIA_TYPE || entry === undefined || !areTexts(texts)) return undefined;
  const [payload = '', payloadType = '', sig = ''] = texts;
  return { payload, payloadType, signature: sig, entry };
}

function readEntry(value: unknown): BundleShape['entry'] | undefined {
  const entry = members(value, [
    'logIndex',
    'logId',
    'kindVersion',
    'integratedTime',
    'inclusionProof',
    'canonicalizedBody',
  ]);
  const proof = members(entry?.['inclusionProof'], [
    'logIndex',
    'rootHash',
    'treeSize',
    'hashes',
    'checkpoint',
  ]);
  const kind = members(entry?.['kindVersion'], ['kind', 'version']);
  const hashes = proof?.['hashes'];
  const texts = [
    entry?.['logIndex'],
    members(entry?.['logId'], ['keyId'])?.['keyId'],
    kind?.['kind'],
    kind?.['version'],
    entry?.['canonicalizedBody'],
    proof?.['logIndex'],
    proof?.['rootHash'],
    proof?.['treeSize'],
    members(proof?.['checkpoint'], ['envelope'])?.['envelope'],
  ];
  // A time that nothing vouches for must not be carried: the log has none (sigstore-js CVE-2026-48816).
  if (entry?.['integratedTime'] !== '0' || !Array.isArray(hashes) || hashes.length > MAX_HASHES)
    return undefined;
  if (!areTexts(hashes) || !areTexts(texts)) return undefined;
  const [
    index = '',
    logId = '',
    kindName = '',
    version = '',
    body = '',
    proofIndex = '',
    rootHash = '',
    treeSize = '',
    checkpoint = '',
  ] = texts;
  return { index, logId, kind: kindName, version, body, proofIndex, rootHash, treeSize, hashes, checkpoint };
}

/** What a payload says, or undefined where it is no in-toto Statement v1. */
export function readStatement(value: unknown): StatementShape | undefined {
  const statement = members(value, ['_type', 'subject', 'predicateType', 'predicate']);
  const subjects = statement?.['subject'];
  const predicateType = statement?.['predicateType'];
  if (statement?.['_type'] !== STATEMENT_TYPE || !isText(predicateType) || !Array.isArray(subjects))
    return undefined;
  if (subjects.length === 0 || subjects.length > MAX_SUBJECTS) return undefined;
  const read = subjects.map(readSubject);
  const known = read.filter((subject) => subject !== undefined);
  return known.length === read.length ? { predicateType, subjects: known } : undefined;
}

function readSubject(value: unknown): StatementShape['subjects'][number] | undefined {
  const subject = members(value, ['name', 'digest']);
  const digest = subject?.['digest'];
  const name = subject?.['name'];
  if (typeof digest !== 'object' || digest === null || !isText(name)) return undefined;
  const entries = Object.entries(digest).filter((entry): entry is [string, string] => isText(entry[1]));
  const isWhole =
    entries.length > 0 && entries.length <= MAX_DIGESTS && entries.length === Object.keys(digest).length;
  return isWhole ? { name, digest: Object.fromEntries(entries) } : undefined;
}
