// SPDX-License-Identifier: Apache-2.0
// The shape of a Sigstore bundle that somebody else made: nothing here proves anything. Members are exact, so that no field is
// carried that nobody looked at, and every list has a cap (sigstore-go CVE-2024-45395).

import { decodeAnyBase64 } from '../../base64.ts';
import { parseStrict } from '../../json.ts';
import { listOf, textOf } from '../shape.ts';
import { bytesOf, type LogEntry, readLogEntry } from './entry.ts';
import { membersAmong } from './members.ts';

/** The largest bundle that is read, in bytes: an SBOM is inside. */
export const MAX_BUNDLE_BYTES = 16 * 1024 * 1024;
const MAX_ENTRIES = 32;
const MAX_TIMESTAMPS = 32;
const MAX_CERTIFICATES = 8;
/** Of a certificate or a timestamp, which are a tenth of it: each value inside costs the parser more than its bytes. */
const MAX_DER_BYTES = 16 * 1024;
/** All that is large in a bundle is inside a text, and a bundle with every list full has a quarter of these marks. */
const MAX_MARKS = 64 * 1024;

/** The version of the bundle's format; each asks for other proofs. */
export type BundleVersion = '0.1' | '0.2' | '0.3';

/** The parts of a bundle, decoded; none of them is proved. */
export interface BundleParts {
  readonly mediaType: string;
  readonly version: BundleVersion;
  /** Absent where a key signed; which one is the reader's to find, the bundle's hint is not kept. */
  readonly certificate?: Buffer;
  /** What else was in the chain. */
  readonly issuers: readonly Buffer[];
  readonly entries: readonly LogEntry[];
  /** RFC 3161 responses, DER. */
  readonly timestamps: readonly Buffer[];
  readonly content: EnvelopeContent | MessageContent;
}

/** A DSSE envelope with its one signature. */
export interface EnvelopeContent {
  readonly kind: 'envelope';
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** A signature over the bytes of a file. */
export interface MessageContent {
  readonly kind: 'message';
  readonly algorithm: 'sha256' | 'sha384' | 'sha512';
  readonly digest: Buffer;
  readonly signature: Buffer;
}

const VERSIONS: Readonly<Record<string, BundleVersion>> = {
  'application/vnd.dev.sigstore.bundle+json;version=0.1': '0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2': '0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3': '0.3',
  'application/vnd.dev.sigstore.bundle.v0.3+json': '0.3',
};

/**
 * Reads the JSON of a Sigstore bundle v0.1 to v0.3, or undefined.
 * @see https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
 */
export function readParts(bytes: Uint8Array): BundleParts | undefined {
  const json = bytes.length > MAX_BUNDLE_BYTES || !isModest(bytes) ? undefined : parseStrict(bytes);
  const bundle = membersAmong(
    json?.value,
    ['mediaType', 'verificationMaterial'],
    ['dsseEnvelope', 'messageSignature'],
  );
  const mediaType = textOf(bundle?.['mediaType']) ?? '';
  const version = Object.hasOwn(VERSIONS, mediaType) ? VERSIONS[mediaType] : undefined;
  const content = readContent(bundle?.['dsseEnvelope'], bundle?.['messageSignature']);
  if (version === undefined || content === undefined) return undefined;
  const material = readMaterial(bundle?.['verificationMaterial'], version);
  return material === undefined ? undefined : { mediaType, version, content, ...material };
}

/** Whether there are few texts and lists: a million keys, or a list in a list in a list, would take a parser half a minute. */
function isModest(bytes: Uint8Array): boolean {
  let marks = 0;
  for (let at = 0; at < bytes.length; at++) marks += MARKS[bytes[at] ?? 0] ?? 0;
  return marks <= MAX_MARKS;
}
/** 1 for each byte that begins or separates something: a quote, a bracket, a comma. */
const MARKS = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"[{,'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

function readContent(envelope: unknown, message: unknown): BundleParts['content'] | undefined {
  if (envelope !== undefined && message !== undefined) return undefined;
  return envelope === undefined ? readMessage(message) : readEnvelope(envelope);
}

// DSSE: "MAY use standard or URL-safe base64 and the receiver MUST accept either".
const anyBytesOf = (value: unknown): Buffer | undefined =>
  typeof value === 'string' ? decodeAnyBase64(value) : undefined;

function readEnvelope(value: unknown): EnvelopeContent | undefined {
  const envelope = membersAmong(value, ['payload', 'payloadType', 'signatures']);
  const payloadType = textOf(envelope?.['payloadType']);
  const payload = anyBytesOf(envelope?.['payload']);
  const signatures = listOf(envelope?.['signatures'], 1, (item) =>
    anyBytesOf(membersAmong(item, ['sig'], ['keyid'])?.['sig']),
  );
  const signature = signatures?.[0];
  if (payloadType === undefined || !payload?.length || !signature?.length) return undefined;
  return { kind: 'envelope', payloadType, payload, signature };
}

const ALGORITHMS: Readonly<Record<string, MessageContent['algorithm']>> = {
  SHA2_256: 'sha256',
  SHA2_384: 'sha384',
  SHA2_512: 'sha512',
};

function readMessage(value: unknown): MessageContent | undefined {
  const message = membersAmong(value, ['messageDigest', 'signature']);
  const stated = membersAmong(message?.['messageDigest'], ['algorithm', 'digest']);
  const name = textOf(stated?.['algorithm']) ?? '';
  const algorithm = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : undefined;
  const digest = bytesOf(stated?.['digest']);
  const signature = bytesOf(message?.['signature']);
  if (algorithm === undefined || !digest?.length || !signature?.length) return undefined;
  return { kind: 'message', algorithm, digest, signature };
}

function readMaterial(
  value: unknown,
  version: BundleVersion,
): Pick<BundleParts, 'certificate' | 'issuers' | 'entries' | 'timestamps'> | undefined {
  const material = membersAmong(
    value,
    [],
    ['publicKey', 'certificate', 'x509CertificateChain', 'tlogEntries', 'timestampVerificationData'],
  );
  const signer = material === undefined ? undefined : readSigner(material, version);
  const entries = listOf(material?.['tlogEntries'] ?? [], MAX_ENTRIES, (item) => readLogEntry(item, version));
  const timestamps = readTimestamps(material?.['timestampVerificationData'] ?? {});
  if (signer === undefined || entries === undefined || timestamps === undefined) return undefined;
  return { ...signer, entries, timestamps };
}

/** Exactly one of the three ways to say who signed; since v0.3 a chain is none of them. */
function readSigner(
  material: Readonly<Record<string, unknown>>,
  version: BundleVersion,
): Pick<BundleParts, 'certificate' | 'issuers'> | undefined {
  const { publicKey, certificate, x509CertificateChain: chain } = material;
  if ([publicKey, certificate, chain].filter((each) => each !== undefined).length !== 1) return undefined;
  if (publicKey !== undefined) {
    const key = membersAmong(publicKey, [], ['hint']);
    return key === undefined || typeof (key['hint'] ?? '') !== 'string' ? undefined : { issuers: [] };
  }
  if (chain !== undefined && version === '0.3') return undefined;
  const stated =
    chain === undefined ? [certificate] : membersAmong(chain, ['certificates'])?.['certificates'];
  const [first, ...issuers] = listOf(stated, MAX_CERTIFICATES, (item) => derOf(item, 'rawBytes')) ?? [];
  return first === undefined ? undefined : { certificate: first, issuers };
}

function readTimestamps(value: unknown): Buffer[] | undefined {
  const stated = membersAmong(value, [], ['rfc3161Timestamps']);
  if (stated === undefined) return undefined;
  return listOf(stated['rfc3161Timestamps'] ?? [], MAX_TIMESTAMPS, (item) => derOf(item, 'signedTimestamp'));
}

function derOf(value: unknown, name: string): Buffer | undefined {
  const bytes = bytesOf(membersAmong(value, [name])?.[name]);
  return bytes === undefined || bytes.length === 0 || bytes.length > MAX_DER_BYTES ? undefined : bytes;
}
