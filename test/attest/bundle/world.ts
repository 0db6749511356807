// SPDX-License-Identifier: Apache-2.0
// A Sigstore instance of its own and the bundles that it makes: its authority, its log of certificates and Rekor v2 are written out
// here, Rekor v1 and the timestamp authority are those of @sigstore/mock. All of it offline, and its root is trusted by nobody else.
import { createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { initializeTLog, initializeTSA } from '@sigstore/mock';
import {
  checkpointSigner,
  hashLeaf,
  inclusionProof,
  type NodeReader,
  nodesOfLeaf,
  noteKeyId,
  rootOf,
} from '../../../attest/log/index.ts';
import { preAuthEncoding } from '../../../attest/sign/index.ts';
import {
  alternativeNames,
  type CertificateContent,
  CODE_SIGNING,
  certificate,
  constraints,
  issuerV2,
  keyUsage,
  loggedCertificate,
} from './der.ts';

/** JSON that a test takes apart. */
// biome-ignore lint/suspicious/noExplicitAny: a test changes what a type would forbid
export type Json = any;

export const ISSUER = 'https://issuer.example';
export const IDENTITY = 'https://forge.example/shop/web/.ci/release.yml@refs/heads/main';
export const PREDICATE_TYPE = 'https://slsa.dev/provenance/v1';
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const ARTIFACT = Buffer.from('the file that is shipped\n');
export const DIGEST = hash('sha256', ARTIFACT);

/** When everything here is signed: a whole second, a little after the authorities of the mock come into being. */
export const SIGNED_AT = new Date((Math.floor(Date.now() / 1_000) + 60) * 1_000);
export const moment = (seconds: number): Date => new Date(SIGNED_AT.getTime() + seconds * 1_000);
const YEAR = 365 * 24 * 3_600;

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
export const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
export const derOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });
export const pemOf = (key: KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();

export const statement = (changes: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'web', digest: { sha256: DIGEST } }],
      predicateType: PREDICATE_TYPE,
      predicate: { buildDefinition: { buildType: 'https://ci.example/v1' }, run: 9_007_199_254_740_992 },
      ...changes,
    }),
  );

/** What is signed. */
export type Content =
  | { readonly payload: Buffer; readonly payloadType?: string }
  | { readonly artifact: Buffer };

export type Version = '0.1' | '0.2' | '0.3';
export type EntryName =
  | 'hashedrekord 0.0.1'
  | 'dsse 0.0.1'
  | 'intoto 0.0.2'
  | 'hashedrekord 0.0.2'
  | 'dsse 0.0.2';

/** How it is signed and what vouches for that. */
export interface Making {
  readonly content?: Content;
  /** A key that signs, with the certificate that names it, if it has one. */
  readonly key?: KeyObject;
  readonly certificate?: Buffer;
  readonly version?: Version;
  readonly entries?: readonly EntryName[];
  readonly timestamps?: number;
}

const MEDIA_TYPES = {
  '0.1': 'application/vnd.dev.sigstore.bundle+json;version=0.1',
  '0.2': 'application/vnd.dev.sigstore.bundle+json;version=0.2',
  '0.3': 'application/vnd.dev.sigstore.bundle.v0.3+json',
} as const;

/** Makes an instance. Everything it says of time, it says at {@link SIGNED_AT}. */
export async function newWorld(host = 'rekor.example') {
  const rootKey = newKey();
  const issuingKey = newKey();
  const certificateLogKey = newKey();
  const rekorKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const tilesKey = generateKeyPairSync('ed25519').privateKey;
  const tiles = tilesLog(`tiles.${host}`, tilesKey);
  const rekor = await initializeTLog(`https://${host}`, rekorKey, SIGNED_AT);
  const stamper = await initializeTSA(generateKeyPairSync('ec', { namedCurve: 'P-256' }), SIGNED_AT);
  const years = { from: moment(-YEAR), to: moment(YEAR) };
  const root = certificate({
    subject: 'root',
    publicKey: createPublicKey(rootKey),
    issuer: { name: 'root', key: rootKey },
    ...years,
    extensions: [constraints(true)],
  });
  const issuing = certificate({
    subject: 'issuing',
    publicKey: createPublicKey(issuingKey),
    issuer: { name: 'root', key: rootKey },
    ...years,
    extensions: [constraints(true), keyUsage(CODE_SIGNING)],
  });

  /** What is in a good certificate for this key; a test changes some of it. */
  const contentFor = (key: KeyObject): CertificateContent => ({
    subject: '',
    publicKey: createPublicKey(key),
    issuer: { name: 'issuing', key: issuingKey },
    from: moment(-60),
    to: moment(540),
    extensions: [keyUsage(CODE_SIGNING), alternativeNames([0x86, IDENTITY]), issuerV2(ISSUER)],
  });
  const certify = (key: KeyObject, changes: Partial<CertificateContent> = {}): Buffer =>
    loggedCertificate({ ...contentFor(key), ...changes }, certificateLogKey);

  const stamp = async (signature: Buffer): Promise<string> => {
    const request = {
      artifactHash: hash('sha256', signature, 'buffer'),
      hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
      nonce: 1,
      policyOID: '1.3.6.1.4.1.57264.2',
    };
    const token = await stamper.timestamp(request);
    return base64(Buffer.from(token.buffer, token.byteOffset, token.byteLength));
  };

  const log = async (name: EntryName, signed: Signed): Promise<Json> => {
    const body = bodyOf(name, signed);
    const [kind, version] = name.split(' ');
    if (version === '0.0.2' && kind !== 'intoto')
      return { ...tiles.append(body), kindVersion: { kind, version } };
    const [entry]: Json[] = Object.values(await rekor.log(body));
    const { inclusionProof: proof, signedEntryTimestamp } = entry.verification;
    return {
      logIndex: String(entry.logIndex),
      logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
      kindVersion: { kind, version },
      integratedTime: String(entry.integratedTime),
      inclusionPromise: { signedEntryTimestamp },
      inclusionProof: {
        logIndex: String(proof.logIndex),
        rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
        treeSize: String(proof.treeSize),
        hashes: proof.hashes,
        checkpoint: { envelope: proof.checkpoint },
      },
      canonicalizedBody: entry.body,
    };
  };

  /** Makes a bundle: by default keyless, DSSE, v0.3, with one entry of Rekor v1. */
  const make = async (making: Making = {}): Promise<Json> => {
    const { version = '0.3', entries = ['dsse 0.0.1'], timestamps = 0 } = making;
    const content = making.content ?? { payload: statement() };
    const key = making.key ?? newKey();
    const bytes = signedBytes(content);
    const signature = sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key);
    const held = making.certificate ?? (making.key === undefined ? certify(key) : undefined);
    const signed = { content, bytes, signature, key, certificate: held };
    const tlogEntries: Json[] = [];
    for (const name of entries) tlogEntries.push(await log(name, signed));
    const rfc3161Timestamps: Json[] = [];
    for (let count = 0; count < timestamps; count++)
      rfc3161Timestamps.push({ signedTimestamp: await stamp(signature) });
    return {
      mediaType: MEDIA_TYPES[version],
      verificationMaterial: {
        ...materialOf(held, key, version),
        tlogEntries,
        timestampVerificationData: { rfc3161Timestamps },
      },
      ...contentJson(content, signature),
    };
  };

  const trustedRoot = (): Json => {
    const validFor = { start: moment(-YEAR).toISOString() };
    const logOf = (baseUrl: string, der: Buffer, keyDetails: string, keyId: Uint8Array): Json => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: base64(der), keyDetails, validFor },
      logId: { keyId: base64(keyId) },
    });
    const ecdsaLog = (url: string, der: Buffer): Json =>
      logOf(url, der, 'PKIX_ECDSA_P256_SHA_256', hash('sha256', der, 'buffer'));
    const authority = (uri: string, ...chain: ArrayBufferView[]): Json => ({
      subject: { organization: 'example', commonName: 'test' },
      uri,
      certChain: {
        certificates: chain.map(({ buffer, byteOffset, byteLength }) => ({
          rawBytes: base64(Buffer.from(new Uint8Array(buffer, byteOffset, byteLength))),
        })),
      },
      validFor,
    });
    const tilesId = noteKeyId(`tiles.${host}`, createPublicKey(tilesKey));
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        ecdsaLog(`https://${host}`, derOf(rekorKey.privateKey)),
        logOf(`https://tiles.${host}`, derOf(tilesKey), 'PKIX_ED25519', tilesId),
      ],
      certificateAuthorities: [authority('https://fulcio.example', issuing, root)],
      ctlogs: [ecdsaLog('https://ctfe.example/2026', derOf(certificateLogKey))],
      timestampAuthorities: [
        authority('https://tsa.example', stamper.intCertificate, stamper.rootCertificate),
      ],
    };
  };

  return {
    make,
    certify,
    contentFor,
    log,
    stamp,
    trustedRoot,
    issuing,
    issuingKey,
    certificateLogKey,
    tilesKey,
  };
}

export type World = Awaited<ReturnType<typeof newWorld>>;

export interface Signed {
  readonly content: Content;
  readonly bytes: Buffer;
  readonly signature: Buffer;
  readonly key: KeyObject;
  readonly certificate: Buffer | undefined;
}

export const signedBytes = (content: Content): Buffer =>
  'artifact' in content
    ? content.artifact
    : Buffer.from(preAuthEncoding(content.payloadType ?? PAYLOAD_TYPE, content.payload));

function contentJson(content: Content, signature: Buffer): Json {
  if ('artifact' in content) {
    const messageDigest = {
      algorithm: 'SHA2_256',
      digest: base64(hash('sha256', content.artifact, 'buffer')),
    };
    return { messageSignature: { messageDigest, signature: base64(signature) } };
  }
  const { payload, payloadType = PAYLOAD_TYPE } = content;
  return {
    dsseEnvelope: { payload: base64(payload), payloadType, signatures: [{ sig: base64(signature) }] },
  };
}

function materialOf(held: Buffer | undefined, key: KeyObject, version: Version): Json {
  if (held === undefined) return { publicKey: { hint: base64(hash('sha256', derOf(key), 'buffer')) } };
  const rawBytes = base64(held);
  return version === '0.3'
    ? { certificate: { rawBytes } }
    : { x509CertificateChain: { certificates: [{ rawBytes }] } };
}

/** The body of a log entry as Rekor writes it. */
export function bodyOf(name: EntryName, { content, bytes, signature, key, certificate: held }: Signed): Json {
  const [kind, apiVersion] = name.split(' ');
  const pem =
    held === undefined
      ? pemOf(key)
      : `-----BEGIN CERTIFICATE-----\n${base64(held)}\n-----END CERTIFICATE-----\n`;
  const sig = base64(signature);
  const payloadHash = 'payload' in content ? hash('sha256', content.payload) : hash('sha256', bytes);
  const verifier = {
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    ...(held === undefined
      ? { publicKey: { rawBytes: base64(derOf(key)) } }
      : { x509Certificate: { rawBytes: base64(held) } }),
  };
  const encodedPem = base64(Buffer.from(pem));
  const digest = (hex: string): Json => ({
    algorithm: 'SHA2_256',
    digest: Buffer.from(hex, 'hex').toString('base64'),
  });
  const specs: Record<EntryName, Json> = {
    'hashedrekord 0.0.1': {
      data: { hash: { algorithm: 'sha256', value: hash('sha256', bytes) } },
      signature: { content: sig, publicKey: { content: encodedPem } },
    },
    'dsse 0.0.1': {
      envelopeHash: {
        algorithm: 'sha256',
        value: hash('sha256', JSON.stringify(contentJson(content, signature))),
      },
      payloadHash: { algorithm: 'sha256', value: payloadHash },
      signatures: [{ signature: sig, verifier: encodedPem }],
    },
    'intoto 0.0.2': {
      content: {
        envelope: {
          payloadType: PAYLOAD_TYPE,
          signatures: [{ publicKey: encodedPem, sig: base64(Buffer.from(sig)) }],
        },
        payloadHash: { algorithm: 'sha256', value: payloadHash },
      },
    },
    'hashedrekord 0.0.2': {
      hashedRekordV002: { data: digest(hash('sha256', bytes)), signature: { content: sig, verifier } },
    },
    'dsse 0.0.2': {
      dsseV002: { payloadHash: digest(payloadHash), signatures: [{ content: sig, verifier }] },
    },
  };
  return { apiVersion, kind, spec: specs[name] };
}

/** A Rekor v2 log with some entries of others, so that proofs have hashes. */
function tilesLog(origin: string, key: KeyObject) {
  const nodes = new Map<string, Uint8Array>();
  const read: NodeReader = ({ level, index }) => nodes.get(`${level}/${index}`) ?? new Uint8Array(32);
  const signCheckpoint = checkpointSigner(origin, key);
  const keyId = base64(noteKeyId(origin, createPublicKey(key)));
  let size = 0;
  const add = (leaf: Buffer): number => {
    for (const [{ level, index }, value] of nodesOfLeaf(size, Buffer.from(hashLeaf(leaf)), read))
      nodes.set(`${level}/${index}`, value);
    return size++;
  };
  for (let other = 0; other < 5; other++) add(Buffer.from(`entry ${other}`));
  return {
    append(entry: Json): Json {
      const body = Buffer.from(JSON.stringify(entry));
      const index = add(body);
      add(Buffer.from('another'));
      const rootHash = rootOf(size, read);
      return {
        logIndex: String(index),
        logId: { keyId },
        integratedTime: '0',
        inclusionProof: {
          logIndex: String(index),
          rootHash: base64(rootHash),
          treeSize: String(size),
          hashes: inclusionProof(index, size, read).map(base64),
          checkpoint: { envelope: signCheckpoint(size, rootHash) },
        },
        canonicalizedBody: base64(body),
      };
    },
  };
}
