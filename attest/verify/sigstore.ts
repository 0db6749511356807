// SPDX-License-Identifier: Apache-2.0
// The one file that knows Sigstore's library. It is loaded by the first verification (20 ms), so that what only signs never does.
//
// The library checks the signature, that an entry's body names this signature and these bytes, the checkpoint's signature and the
// inclusion proof, and refuses the same entry twice. It does not do the following, which ours do on top: it takes JSON with
// duplicate keys and any base64 (json.ts, base64.ts); it ignores the public key of a hashedrekord body (entry.ts compares the
// whole body); it takes a checkpoint whose signer's name is any part of the log's URL, never looks at its origin, nor at the
// proof's own root and size (shape.ts, entry.ts); it asks for a log's or a key's validity only at times that a bundle claims.

import { type KeyObject, verify } from 'node:crypto';
import { createRequire } from 'node:module';
import { bundleOf } from '../ledger/bundle.ts';
import type { SigstoreAuthority, SigstoreLog, SigstoreTrust } from '../trust/sigstore.ts';
import type { LoadedKey, TrustedLog } from '../trust/trust.ts';
import type { Extension } from './bundle/certificate.ts';
import type { RefusalCode } from './refusal.ts';
import type { BundleShape } from './shape.ts';

// Both are CommonJS; a dynamic import would make verifying asynchronous for everybody.
const load = createRequire(import.meta.url);

/** A bundle as the library sees it: made from the parts that we have read, so that both look at the same thing. */
export interface Entity {
  isSignedBy(key: KeyObject): boolean;
  /** Verifies signature, bodies, checkpoints and proofs; the code of what does not hold, or undefined where all does. */
  refusal(key: LoadedKey, logs: readonly TrustedLog[]): RefusalCode | undefined;
}

const CODES: Readonly<Record<string, RefusalCode>> = {
  SIGNATURE_ERROR: 'SIGNATURE',
  TLOG_BODY_ERROR: 'LOG_ENTRY',
  CERTIFICATE_ERROR: 'CERTIFICATE',
  TIMESTAMP_ERROR: 'TIMESTAMP',
};

const END_OF_TIME = new Date(8_640_000_000_000_000);

/** Hands a bundle to the library; undefined where it cannot read it. */
export function entityOf(bundle: BundleShape): Entity | undefined {
  const { Verifier, VerificationError, toSignedEntity }: typeof import('@sigstore/verify') =
    load('@sigstore/verify');
  const { bundleFromJSON }: typeof import('@sigstore/bundle') = load('@sigstore/bundle');
  const entity = attempt(() => toSignedEntity(bundleFromJSON(serialized(bundle))));
  if (entity === undefined) return undefined;
  return {
    isSignedBy: (key) => entity.signature.verifySignature(key),
    refusal: (key, logs) => {
      try {
        new Verifier(materialOf(key, logs), {
          tlogThreshold: 1,
          ctlogThreshold: 0,
          timestampThreshold: 0,
        }).verify(entity);
        return undefined;
      } catch (error) {
        // Whatever it throws, the record does not hold.
        return (error instanceof VerificationError ? CODES[error.code] : undefined) ?? 'LOG_PROOF';
      }
    },
  };
}

function materialOf(key: LoadedKey, logs: readonly TrustedLog[]) {
  return {
    certificateAuthorities: [],
    timestampAuthorities: [],
    ctlogs: [],
    tlogs: logs.map((log) => ({
      logID: Buffer.from(log.id, 'base64'),
      baseURL: `https://${log.origin}`,
      publicKey: log.key,
      validFor: { start: new Date(0), end: END_OF_TIME },
    })),
    publicKey: () => ({ publicKey: key.key, validFor: () => true }),
  };
}

function serialized(bundle: BundleShape): unknown {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const [first] = bundle.entries;
  if (first === undefined) return undefined;
  const envelope = {
    payload: base64(bundle.payload),
    payloadType: bundle.payloadType,
    signatures: [{ sig: base64(bundle.signature) }],
  } as const;
  const whole = bundle.entries.map(({ body, index, logId, checkpoint, hashes }) =>
    bundleOf({
      envelope,
      publicKeyDer: Buffer.alloc(0),
      body,
      index,
      logId: Buffer.from(logId, 'base64'),
      checkpoint,
      hashes,
    }),
  );
  const [one] = whole;
  return {
    ...one,
    verificationMaterial: {
      publicKey: { hint: bundle.hint },
      tlogEntries: whole.flatMap((each) => each.verificationMaterial.tlogEntries),
    },
  };
}

/** What the library found in a bundle of which everything holds. */
export interface Proved {
  /** Of the certificate; none where a key signed. */
  readonly extensions: readonly Extension[];
  /** Times of signing that a log or a timestamp authority vouches for. */
  readonly times: readonly Date[];
}

/** What the library is to prove a bundle with. */
export interface Proof {
  readonly trust: SigstoreTrust;
  /** The key that signed, where it was no certificate's. */
  readonly key: KeyObject | undefined;
  readonly requireLog: boolean;
}

/** Somebody else's bundle as the library sees it. */
export interface ForeignEntity {
  isSignedBy(key: KeyObject): boolean;
  /** Verifies all that is there, and that what must be there is: every proof has to hold, not the first one that does. */
  prove(proof: Proof): Proved | RefusalCode;
}

/** Hands the JSON of a bundle to the library; undefined where it cannot read it. `artifact` is what a message signature is over. */
export function foreignEntityOf(json: object, artifact: Buffer | undefined): ForeignEntity | undefined {
  const { Verifier, VerificationError, toSignedEntity }: typeof import('@sigstore/verify') =
    load('@sigstore/verify');
  const { bundleFromJSON }: typeof import('@sigstore/bundle') = load('@sigstore/bundle');
  const entity = attempt(() => toSignedEntity(bundleFromJSON(json), artifact));
  if (entity === undefined) return undefined;
  const signature = withEd25519(entity.signature, 'messageSignature' in json ? artifact : undefined);
  return {
    isSignedBy: (key) => attempt(() => signature.verifySignature(key)) === true,
    prove: ({ trust, key, requireLog }) => {
      try {
        const signer = new Verifier(
          {
            ...trustMaterialOf(trust),
            publicKey: () => ({ publicKey: key ?? neverAKey(), validFor: () => true }),
          },
          {
            tlogThreshold: requireLog ? 1 : 0,
            // An instance whose root names no log of certificates has none.
            ctlogThreshold: Math.min(1, trust.certificateLogs.length),
            timestampThreshold: key === undefined ? 1 : 0,
          },
        ).verify({ ...entity, signature });
        const extensions = (signer.identity?.oids ?? []).map(({ oid, value }) => ({
          oid: oid?.id.join('.') ?? '',
          value,
        }));
        return { extensions, times: timesOf(entity) };
      } catch (error) {
        return (error instanceof VerificationError ? CODES[error.code] : undefined) ?? 'LOG_PROOF';
      }
    },
  };
}

type Content = ReturnType<typeof import('@sigstore/verify').toSignedEntity>['signature'];

/** The library hashes a file before it verifies its signature, which Ed25519 does itself. */
function withEd25519(content: Content, file: Buffer | undefined): Content {
  if (file === undefined) return content;
  return {
    signature: content.signature,
    compareSignature: (other) => content.compareSignature(other),
    compareDigest: (digest) => content.compareDigest(digest),
    compareSignedDigest: (digest) => content.compareSignedDigest(digest),
    verifySignature: (key) =>
      key.asymmetricKeyType === 'ed25519'
        ? verify(null, file, key, content.signature)
        : content.verifySignature(key),
  };
}

function neverAKey(): never {
  throw new Error('a bundle with a certificate asks for a key');
}

/** Only of an entity that was verified: then each promise and each timestamp is one of a trusted log or authority. */
function timesOf({ timestamps }: ReturnType<typeof import('@sigstore/verify').toSignedEntity>): Date[] {
  return timestamps.flatMap((each) => {
    if (each.$case === 'timestamp-authority') return [each.timestamp.signingTime];
    const { inclusionPromise, integratedTime } = each.tlogEntry;
    return inclusionPromise === undefined ? [] : [new Date(Number(integratedTime) * 1_000)];
  });
}

type Material = ReturnType<typeof import('@sigstore/verify').toTrustMaterial>;
const materials = new WeakMap<SigstoreTrust, Material>();

/** Made once of each trusted root: its certificates are parsed for it. */
function trustMaterialOf(trust: SigstoreTrust): Material {
  const known = materials.get(trust);
  if (known !== undefined) return known;
  const { toTrustMaterial }: typeof import('@sigstore/verify') = load('@sigstore/verify');
  const authorities = toTrustMaterial({
    mediaType: '',
    tlogs: [],
    ctlogs: [],
    certificateAuthorities: trust.certificateAuthorities.map(authorityOf),
    timestampAuthorities: trust.timestampAuthorities.map(authorityOf),
  });
  const material = {
    ...authorities,
    tlogs: trust.logs.map(logOf),
    ctlogs: trust.certificateLogs.map(logOf),
  };
  materials.set(trust, material);
  return material;
}

const authorityOf = ({ chain, validity }: SigstoreAuthority) => ({
  subject: undefined,
  uri: '',
  operator: '',
  certChain: { certificates: chain.map((der) => ({ rawBytes: Buffer.from(der) })) },
  validFor: { start: validity.start, end: validity.end },
});

const logOf = ({ baseUrl, id, key, validity: { start, end } }: SigstoreLog) => ({
  logID: id,
  baseURL: baseUrl,
  publicKey: key,
  validFor: { start, end: end ?? END_OF_TIME },
});

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
