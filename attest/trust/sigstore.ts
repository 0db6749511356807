// SPDX-License-Identifier: Apache-2.0
// A Sigstore trusted root, validated before anything is verified with it: a validity without a start would be one from the beginning
// of time, a key of another kind than stated or a chain that leads nowhere would show only in the verdict on somebody's bundle.
import { createPublicKey, hash, type KeyObject, X509Certificate } from 'node:crypto';
import { decodeBase64 } from '../base64.ts';
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import { noteKeyId } from '../log/index.ts';
import { checkDate, checkOrder } from './dates.ts';
import {
  isStatedRoot,
  rootFaultsOf,
  type StatedAuthority,
  type StatedLog,
  type StatedValidity,
} from './shape.ts';

/** When something is valid; both ends belong to it. */
export interface Validity {
  readonly start: Date;
  readonly end?: Date;
}

/** A log of a trusted root: of signatures, or of certificates. */
export interface SigstoreLog {
  readonly baseUrl: string;
  /** Of `baseUrl`: the name under which it signs checkpoints. */
  readonly host: string;
  /** By which entries and certificates point at it. */
  readonly id: Buffer;
  readonly key: KeyObject;
  readonly validity: Validity;
}

/** A certificate authority of a trusted root, or a timestamp authority; the chain is DER, from the issuing certificate to the root. */
export interface SigstoreAuthority {
  readonly chain: readonly Buffer[];
  readonly validity: Validity;
}

/** A Sigstore instance that the reader trusts, validated. */
export interface SigstoreTrust {
  readonly logs: readonly SigstoreLog[];
  readonly certificateLogs: readonly SigstoreLog[];
  readonly certificateAuthorities: readonly SigstoreAuthority[];
  readonly timestampAuthorities: readonly SigstoreAuthority[];
  /** `sha256:<hex>` of the bytes it was read from. */
  readonly digest: string;
  /** Until when it may be used, where that is known: a root that was fetched is trusted for a time. */
  readonly expires?: Date;
}

/**
 * Refuses a trusted root whose time is over.
 * @throws {AttestError} TRUST_EXPIRED
 */
export function checkCurrent({ expires }: SigstoreTrust, now: Date): void {
  if (expires === undefined || now < expires) return;
  throw new AttestError('TRUST_EXPIRED', `the trusted root expired at ${expires.toISOString()}`, {
    hint: 'refresh it while online, or name a file with --trusted-root',
  });
}

const MAX_ROOT_BYTES = 1024 * 1024;
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

/** The trust of one who believes keys only: no log, no authority. */
export const NO_SIGSTORE: SigstoreTrust = {
  logs: [],
  certificateLogs: [],
  certificateAuthorities: [],
  timestampAuthorities: [],
  digest: `sha256:${hash('sha256', '')}`,
};

/**
 * Reads a Sigstore `trusted_root.json` (v0.1 or v0.2), at most 1 MiB. Refused are unknown members, keys given twice, a log or an
 * authority without a start of validity, a log whose id is not that of its key, a chain in which one certificate does not issue the
 * one before, a timestamp authority whose certificate is not for timestamps.
 * @throws {AttestError} TRUST_SHAPE
 * @see https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
 */
export function readSigstoreTrust(bytes: Uint8Array): SigstoreTrust {
  const json = bytes.length > MAX_ROOT_BYTES ? undefined : parseStrict(bytes);
  if (json === undefined)
    throw shape('the trusted root is no JSON, is larger than 1 MiB, or one of its objects has a key twice');
  const { value } = json;
  if (!isStatedRoot(value)) throw shape(`the trusted root is malformed: ${rootFaultsOf(value).join('; ')}`);
  const logs = (value.tlogs ?? []).map(loadLog);
  const certificateLogs = (value.ctlogs ?? []).map(loadLog);
  const certificateAuthorities = (value.certificateAuthorities ?? []).map((each) =>
    loadAuthority(each, 'certificate'),
  );
  const timestampAuthorities = (value.timestampAuthorities ?? []).map((each) =>
    loadAuthority(each, 'timestamp'),
  );
  for (const each of [logs, certificateLogs]) refuseTwice('log', each.map(logId));
  for (const each of [certificateAuthorities, timestampAuthorities])
    refuseTwice('authority', each.map(chainId));
  return {
    logs,
    certificateLogs,
    certificateAuthorities,
    timestampAuthorities,
    digest: `sha256:${hash('sha256', bytes)}`,
  };
}

const shape = (message: string, cause?: unknown): AttestError =>
  new AttestError('TRUST_SHAPE', message, {
    cause,
    hint: 'take the trusted root as the operator of the Sigstore instance publishes it',
  });

/** Of two windows of validity for one key, which would hold? */
function refuseTwice(what: string, ids: readonly string[]): void {
  if (new Set(ids).size < ids.length) throw shape(`the trusted root has one ${what} twice`);
}
const logId = ({ id }: SigstoreLog): string => id.toString('base64');
const chainId = ({ chain }: SigstoreAuthority): string => chain.map((der) => der.toString('base64')).join();

function loadLog({ baseUrl, publicKey, logId, checkpointKeyId }: StatedLog): SigstoreLog {
  const what = `log ${JSON.stringify(baseUrl)}`;
  const host = URL.parse(baseUrl)?.hostname;
  if (host === undefined || host === '') throw shape(`${what} has no host name`);
  const { key, der } = keyOf(what, publicKey);
  const id = decodeBase64((checkpointKeyId ?? logId).keyId);
  if (id === undefined || !idsOf(host, key, der).some((own) => own.equals(id)))
    throw shape(`${what} has an id that does not belong to its key`);
  return { baseUrl, host, id, key, validity: validityOf(what, publicKey.validFor) };
}

/** Rekor v1 and certificate logs are named by the digest of their key, Rekor v2 by the id of its note key. */
function idsOf(host: string, key: KeyObject, der: Buffer): Buffer[] {
  const digest = hash('sha256', der, 'buffer');
  return key.asymmetricKeyType === 'ed25519' ? [digest, Buffer.from(noteKeyId(host, key))] : [digest];
}

function keyOf(
  what: string,
  stated: StatedLog['publicKey'],
): { readonly key: KeyObject; readonly der: Buffer } {
  const der = decodeBase64(stated.rawBytes);
  const key =
    der === undefined ? undefined : attempt(() => createPublicKey({ key: der, format: 'der', type: 'spki' }));
  if (der === undefined || key === undefined) throw shape(`${what} has a key that cannot be read`);
  if (detailsOf(key) !== stated.keyDetails) throw shape(`${what} has a key that is no ${stated.keyDetails}`);
  if (!key.export({ type: 'spki', format: 'der' }).equals(der))
    throw shape(`${what} has a key in an unusual encoding`);
  return { key, der };
}

function detailsOf(key: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return 'PKIX_ED25519';
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'PKIX_ECDSA_P256_SHA_256';
  return type === 'rsa' ? `PKIX_RSA_PKCS1V15_${details?.modulusLength}_SHA256` : undefined;
}

function validityOf(what: string, { start, end }: StatedValidity): Validity {
  for (const time of [start, end]) checkDate(what, time, shape);
  checkOrder(what, start, end, shape);
  return { start: new Date(start), ...(end === undefined ? {} : { end: new Date(end) }) };
}

function loadAuthority(stated: StatedAuthority, kind: 'certificate' | 'timestamp'): SigstoreAuthority {
  const what = `${kind} authority ${JSON.stringify(stated.uri ?? '')}`;
  const chain = stated.certChain.certificates.map(({ rawBytes }) => {
    const der = decodeBase64(rawBytes);
    const certificate = der === undefined ? undefined : attempt(() => new X509Certificate(der));
    if (der === undefined || certificate?.raw.equals(der) !== true)
      throw shape(`${what} has a certificate that cannot be read`);
    return certificate;
  });
  checkChain(what, chain, kind);
  return { chain: chain.map(({ raw }) => raw), validity: validityOf(what, stated.validFor) };
}

function checkChain(
  what: string,
  chain: readonly X509Certificate[],
  kind: 'certificate' | 'timestamp',
): void {
  const isChain = chain.every((certificate, index) => {
    const issuer = chain[index + 1] ?? certificate;
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  });
  if (!isChain) throw shape(`${what} has a chain that does not lead to a root`);
  if (new Set(chain.map(({ fingerprint256 }) => fingerprint256)).size < chain.length)
    throw shape(`${what} has a certificate twice in its chain`);
  const [first, ...rest] = chain;
  const issuers = kind === 'timestamp' ? rest : chain;
  if (!issuers.every(({ ca }) => ca)) throw shape(`${what} has an issuer that is no certificate authority`);
  if (kind === 'timestamp' && first?.keyUsage?.includes(TIME_STAMPING) !== true)
    throw shape(`${what} has a certificate that is not for timestamps`);
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
