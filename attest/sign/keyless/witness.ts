// SPDX-License-Identifier: Apache-2.0
// The one file that knows Sigstore's library for signing. It is loaded only where a log or a timestamp authority is named.
import { RekorWitness, type SignatureBundle, TSAWitness, type Witness } from '@sigstore/sign';
import { AttestError } from '../../error.ts';
import type { SignedBundle } from '../bundle.ts';
import type { Signer } from '../key.ts';
import { refused, serviceUrl, unavailable } from './http.ts';

/** The services that are to witness a signature. */
export interface Witnesses {
  /** A transparency log, and which API it has. */
  readonly rekor?: { readonly url: string; readonly version: 1 | 2 };
  /** An RFC 3161 timestamp authority. */
  readonly timestamp?: string;
}

const OPTIONS = { timeout: 10_000, retry: { retries: 2 } } as const;
/** SHA2_256 in Sigstore's own numbering. */
const SHA2_256 = 1;

/**
 * Has the signature in a bundle witnessed; the bundle with what they said.
 * @param signer whose signature it is
 * @throws {AttestError} SIGSTORE_REFUSED | SIGSTORE_UNAVAILABLE
 */
export async function witnessed(
  bundle: SignedBundle,
  { certificate, publicKeyPem }: Pick<Signer, 'certificate' | 'publicKeyPem'>,
  { rekor, timestamp }: Witnesses,
): Promise<SignedBundle> {
  const content = contentOf(bundle);
  const verifier = certificate?.pem ?? publicKeyPem;
  const tlogEntries = rekor === undefined ? undefined : await askRekor(content, verifier, rekor);
  const rfc3161Timestamps =
    timestamp === undefined ? undefined : await askAuthority(content, verifier, timestamp);
  return {
    ...bundle,
    verificationMaterial: {
      ...bundle.verificationMaterial,
      ...(tlogEntries === undefined ? {} : { tlogEntries }),
      ...(rfc3161Timestamps === undefined ? {} : { timestampVerificationData: { rfc3161Timestamps } }),
    },
  };
}

async function askRekor(
  content: SignatureBundle,
  verifier: string,
  { url, version }: NonNullable<Witnesses['rekor']>,
): Promise<readonly object[]> {
  const rekorBaseURL = serviceUrl('Rekor', url);
  const rekor = new RekorWitness({
    rekorBaseURL,
    majorApiVersion: version,
    entryType: 'dsse',
    fetchOnConflict: false,
    ...OPTIONS,
  });
  const { tlogEntries = [] } = await ask('Rekor', rekor, [content, verifier]);
  if (tlogEntries.length !== 1) throw unavailable('Rekor', 'its answer holds no entry');
  return tlogEntries.map(entryOf);
}

async function askAuthority(
  content: SignatureBundle,
  verifier: string,
  url: string,
): Promise<readonly object[]> {
  const name = 'the timestamp authority';
  const authority = new TSAWitness({ tsaBaseURL: serviceUrl(name, url), ...OPTIONS });
  const { rfc3161Timestamps = [] } = await ask(name, authority, [content, verifier]);
  return rfc3161Timestamps.map(({ signedTimestamp }) => ({ signedTimestamp: base64(signedTimestamp) }));
}

async function ask(
  service: string,
  one: Witness,
  [content, verifier]: readonly [SignatureBundle, string],
): Promise<Awaited<ReturnType<Witness['testify']>>> {
  try {
    return await one.testify(content, verifier);
  } catch (cause) {
    if (cause instanceof AttestError) throw cause;
    const status: unknown = Reflect.get(Object(Reflect.get(Object(cause), 'cause')), 'statusCode');
    if (typeof status !== 'number') throw unavailable(service, 'it does not answer as it should');
    const isNo = status >= 400 && status < 500 && status !== 429;
    throw isNo ? refused(service, `HTTP ${status}`) : unavailable(service, `HTTP ${status}`);
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
const base64 = (value: Uint8Array): string => Buffer.from(value).toString('base64');

/** A signature as the library has it. */
function contentOf(bundle: SignedBundle): SignatureBundle {
  if ('messageSignature' in bundle) {
    const { messageDigest, signature } = bundle.messageSignature;
    const digest = { algorithm: SHA2_256, digest: bytes(messageDigest.digest) };
    return {
      $case: 'messageSignature',
      messageSignature: { messageDigest: digest, signature: bytes(signature) },
    };
  }
  const { payload, payloadType, signatures } = bundle.dsseEnvelope;
  return {
    $case: 'dsseEnvelope',
    dsseEnvelope: {
      payload: bytes(payload),
      payloadType,
      signatures: signatures.map(({ sig }) => ({ sig: bytes(sig), keyid: '' })),
    },
  };
}

type Entry = NonNullable<Awaited<ReturnType<Witness['testify']>>['tlogEntries']>[number];

/** A log entry as a bundle has it in JSON. */
function entryOf(entry: Entry): object {
  const { logIndex, logId, kindVersion, integratedTime, inclusionPromise, inclusionProof } = entry;
  return {
    logIndex,
    logId: { keyId: base64(logId.keyId) },
    kindVersion,
    integratedTime,
    ...(inclusionPromise === undefined
      ? {}
      : { inclusionPromise: { signedEntryTimestamp: base64(inclusionPromise.signedEntryTimestamp) } }),
    ...(inclusionProof === undefined
      ? {}
      : {
          inclusionProof: {
            logIndex: inclusionProof.logIndex,
            rootHash: base64(inclusionProof.rootHash),
            treeSize: inclusionProof.treeSize,
            hashes: inclusionProof.hashes.map(base64),
            checkpoint: { envelope: inclusionProof.checkpoint?.envelope ?? '' },
          },
        }),
    canonicalizedBody: base64(entry.canonicalizedBody),
  };
}
