// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject } from 'node:crypto';
import { decodeBase64 } from '../base64.ts';
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import { isOrigin, noteKeyId, type TrustedRootLog } from '../log/index.ts';
import { ALGORITHMS, readPublicKey } from '../sign/index.ts';
import { checkDate, checkOrder } from './dates.ts';
import { type KeptCheckpoint, readKept } from './finals.ts';
import { faultsOf, isStated } from './shape.ts';
import { keylessSigner, type StatedIdentity } from './signers.ts';

/** What a named key may sign. */
export type KeyUse =
  | 'record'
  | 'approval'
  | 'provenance'
  | 'policy'
  | 'waiver'
  | 'break-glass'
  | 'lock'
  | 'import';

/** One key that the reader trusts: for what, where, and when. Times are RFC 3339 in UTC; the key is valid at both ends, but no longer at `revokedAt`. */
export interface TrustedKey {
  readonly name: string;
  /** Whose key it is, where one person has several; else that is its name. */
  readonly person?: string;
  readonly uses: readonly KeyUse[];
  /** Environments by name; `*` is all of them, and must be written. An empty list is none of them. */
  readonly environments: readonly string[];
  readonly publicKey: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly revokedAt?: string;
  /** A checkpoint of a trusted log: what it covers holds for good, though the key has come to its end. Needs `notAfter` or `revokedAt`. */
  readonly until?: string;
}

/** One identity that the reader trusts, for what and where: as a certificate of a trusted Sigstore instance names it. */
export interface TrustedIdentity {
  readonly name: string;
  readonly person?: string;
  readonly uses: readonly KeyUse[];
  readonly environments: readonly string[];
  readonly issuer: string;
  readonly identity: StatedIdentity;
}

/** A trusted key as verification needs it. */
export interface LoadedKey extends TrustedKey {
  readonly key: KeyObject;
  /** SPKI. */
  readonly der: Uint8Array;
  /** Base64 SHA-256 of the SPKI DER. */
  readonly id: string;
  readonly kept?: KeptCheckpoint;
}

/** One log that the reader trusts; times are RFC 3339. */
export interface TrustedLog {
  readonly origin: string;
  /** Base64 note key id. */
  readonly id: string;
  readonly key: KeyObject;
  readonly validFrom: string;
  readonly validUntil?: string;
  /** The last checkpoint of a log whose key has come to its end: what is proved by it, and by no other one, holds for good. */
  readonly final?: KeptCheckpoint;
}

/** The keys, identities and logs that a reader trusts. */
export interface Trust {
  readonly keys: readonly LoadedKey[];
  readonly identities: readonly TrustedIdentity[];
  readonly logs: readonly TrustedLog[];
}

/**
 * Reads a trust file (`kind: Trust`, schema `trust.schema.json`). Unknown members are errors, and so are two keys or identities of one
 * name, one key under two names (which of the two limits would hold?), an identity that is no exact text and no narrow pattern, and a
 * log whose id is not that of its key.
 * @throws {AttestError} TRUST_SHAPE
 */
export function readTrust(value: unknown): Trust {
  if (!isStated(value)) throw shape(`the trust file is malformed: ${faultsOf(value).join('; ')}`);
  const logs = withFinals(
    value.logs.flatMap(({ tlogs }) => tlogs.map(loadLog)),
    value.finals ?? [],
  );
  const keys = value.keys.map((key) => loadKey(key, logs));
  const identities = value.identities ?? [];
  identities.forEach(keylessSigner);
  refuseTwice(
    [...keys, ...identities].map(({ name }) => name),
    'two keys or identities of the name',
  );
  refuseTwice(
    keys.map(({ id }) => id),
    'one key twice, with the id',
  );
  refuseTwice(
    identities.map(({ issuer, identity }) => JSON.stringify([issuer, identity])),
    'one identity twice:',
  );
  return { keys, identities, logs };
}

/**
 * Reads the bytes of a trust file. A key that stands twice in one object is an error: of two values a reader might be shown one
 * and this program believe the other.
 * @throws {AttestError} TRUST_SHAPE
 */
export function parseTrust(bytes: Uint8Array): Trust {
  const json = parseStrict(bytes);
  if (json === undefined) throw shape('the trust file is no JSON, or one of its objects has a key twice');
  return readTrust(json.value);
}

function refuseTwice(texts: readonly string[], what: string): void {
  const twice = texts.find((text, index) => texts.indexOf(text) !== index);
  if (twice !== undefined) throw shape(`the trust file has ${what} ${JSON.stringify(twice)}`);
}

const shape = (message: string, cause?: unknown): AttestError =>
  new AttestError('TRUST_SHAPE', message, { cause, hint: 'docs/records.md shows a trust file' });

/** Each final checkpoint with the log that signed it. */
function withFinals(logs: readonly TrustedLog[], finals: readonly string[]): readonly TrustedLog[] {
  const kept = finals.map((note) => readKept('finals', note, { logs, shape }));
  refuseTwice(
    kept.map(({ origin, logId }) => `${origin} ${logId}`),
    'two final checkpoints of',
  );
  return logs.map((log) => {
    const final = kept.find(({ origin, logId }) => origin === log.origin && logId === log.id);
    if (final !== undefined && log.validUntil === undefined)
      throw shape(`log ${JSON.stringify(log.origin)} has a final checkpoint and no end`);
    return final === undefined ? log : { ...log, final };
  });
}

function loadKey(stated: TrustedKey, logs: readonly TrustedLog[]): LoadedKey {
  const what = `key ${JSON.stringify(stated.name)}`;
  for (const time of [stated.notBefore, stated.notAfter, stated.revokedAt]) checkDate(what, time, shape);
  checkOrder(what, stated.notBefore, stated.notAfter, shape);
  if (stated.until !== undefined && stated.notAfter === undefined && stated.revokedAt === undefined)
    throw shape(`${what} has a checkpoint and no end`);
  const kept = stated.until === undefined ? undefined : readKept(what, stated.until, { logs, shape });
  try {
    const isForRecords = stated.uses.some((use) => use === 'record' || use === 'policy');
    const { key, keyId, publicKeyDer } = isForRecords
      ? readPublicKey(stated.publicKey)
      : readPublicKey(stated.publicKey, ALGORITHMS);
    return { ...stated, key, der: publicKeyDer, id: keyId, ...(kept === undefined ? {} : { kept }) };
  } catch (cause) {
    const reason: unknown = Reflect.get(Object(cause), 'message');
    throw shape(`${what} is no public key that can be used for this: ${String(reason)}`, cause);
  }
}

function loadLog({ baseUrl, logId, publicKey }: TrustedRootLog): TrustedLog {
  const what = `log ${JSON.stringify(baseUrl)}`;
  const origin = baseUrl.replace(/^https:\/\//, '');
  const key = readLogPublicKey(publicKey.rawBytes);
  if (!isOrigin(origin) || key === undefined)
    throw shape(`${what} has no Ed25519 key, or its name is no host name`);
  const id = Buffer.from(noteKeyId(origin, key)).toString('base64');
  if (logId.keyId !== id) throw shape(`${what} has an id that does not belong to its key and name`);
  const { start, end } = publicKey.validFor;
  checkDate(what, start, shape);
  checkDate(what, end, shape);
  checkOrder(what, start, end, shape);
  return { origin, id, key, validFrom: start, ...(end === undefined ? {} : { validUntil: end }) };
}

function readLogPublicKey(rawBytes: string): KeyObject | undefined {
  const der = decodeBase64(rawBytes);
  if (der === undefined) return undefined;
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}
