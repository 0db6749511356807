// SPDX-License-Identifier: Apache-2.0
// cosign's layouts from before bundles: what belongs to a signature stands in annotations of its layer. They are put together as a
// bundle, so that one verifier looks at all; whatever is missing there then is what it refuses.
import { hash, X509Certificate } from 'node:crypto';
import { decodeBase64 } from '../base64.ts';
import { parseStrict } from '../json.ts';
import { memberOf } from '../oci/manifest.ts';

const PREFIX = 'dev.sigstore.cosign';
const SIGNATURE = 'dev.cosignproject.cosign/signature';
/** The version whose entries have a promise of the log and no proof. */
const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle+json;version=0.1';

type Annotations = Readonly<Record<string, string>>;

/**
 * A DSSE envelope and the annotations of its layer as a bundle; undefined where they cannot be one.
 * @see https://github.com/sigstore/cosign/blob/main/specs/ATTESTATION_SPEC.md
 */
export function bundleOfEnvelope(envelope: Uint8Array, annotations: Annotations): Uint8Array | undefined {
  const value = parseStrict(envelope)?.value;
  const [payload, payloadType, signatures] = ['payload', 'payloadType', 'signatures'].map((name) =>
    memberOf(value, name),
  );
  // Which of several signatures counts would be a matter of the verifier.
  const sig =
    Array.isArray(signatures) && signatures.length === 1 ? memberOf(signatures[0], 'sig') : undefined;
  if (typeof payload !== 'string' || typeof payloadType !== 'string' || typeof sig !== 'string')
    return undefined;
  return bundleOf({ dsseEnvelope: { payload, payloadType, signatures: [{ sig }] } }, annotations);
}

/**
 * A signature over a payload and the annotations of its layer as a bundle; undefined where they cannot be one.
 * @see https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
 */
export function bundleOfSignature(payload: Uint8Array, annotations: Annotations): Uint8Array | undefined {
  const signature = annotations[SIGNATURE];
  if (signature === undefined || decodeBase64(signature) === undefined) return undefined;
  const messageDigest = { algorithm: 'SHA2_256', digest: hash('sha256', payload, 'base64') };
  return bundleOf({ messageSignature: { messageDigest, signature } }, annotations);
}

function bundleOf(content: object, annotations: Annotations): Uint8Array | undefined {
  const signer = signerOf(annotations[`${PREFIX}/certificate`]);
  const entries = entriesOf(annotations[`${PREFIX}/bundle`]);
  const timestamps = timestampsOf(annotations[`${PREFIX}/rfc3161timestamp`]);
  if (signer === undefined || entries === undefined || timestamps === undefined) return undefined;
  const bundle = {
    mediaType: MEDIA_TYPE,
    verificationMaterial: {
      ...signer,
      tlogEntries: entries,
      ...(timestamps.length === 0 ? {} : { timestampVerificationData: { rfc3161Timestamps: timestamps } }),
    },
    ...content,
  };
  return Buffer.from(JSON.stringify(bundle));
}

/** The signer's certificate alone: its chain is the reader's to know. Without one it is a key, and the reader's to know as well. */
function signerOf(certificate: string | undefined): object | undefined {
  if (certificate === undefined || certificate === '') return { publicKey: { hint: '' } };
  try {
    const rawBytes = new X509Certificate(certificate).raw.toString('base64');
    return { x509CertificateChain: { certificates: [{ rawBytes }] } };
  } catch {
    return undefined;
  }
}

/** Rekor's promise to include the entry, as cosign keeps it: `{SignedEntryTimestamp, Payload: {body, integratedTime, logIndex, logID}}`. */
function entriesOf(text: string | undefined): readonly object[] | undefined {
  if (text === undefined || text === '') return [];
  const value = parseStrict(Buffer.from(text))?.value;
  const signedEntryTimestamp = memberOf(value, 'SignedEntryTimestamp');
  const [body, integratedTime, logIndex, logId] = ['body', 'integratedTime', 'logIndex', 'logID'].map(
    (name) => memberOf(memberOf(value, 'Payload'), name),
  );
  const kindVersion = typeof body === 'string' ? kindOf(body) : undefined;
  if (typeof signedEntryTimestamp !== 'string' || kindVersion === undefined) return undefined;
  if (!isCount(integratedTime) || !isCount(logIndex)) return undefined;
  if (typeof logId !== 'string' || !/^[0-9a-f]{64}$/.test(logId)) return undefined;
  return [
    {
      logIndex: String(logIndex),
      logId: { keyId: Buffer.from(logId, 'hex').toString('base64') },
      kindVersion,
      integratedTime: String(integratedTime),
      inclusionPromise: { signedEntryTimestamp },
      canonicalizedBody: body,
    },
  ];
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

function kindOf(body: string): { kind: string; version: string } | undefined {
  const value = parseStrict(decodeBase64(body) ?? Buffer.alloc(0))?.value;
  const [kind, version] = [memberOf(value, 'kind'), memberOf(value, 'apiVersion')];
  return typeof kind === 'string' && typeof version === 'string' ? { kind, version } : undefined;
}

function timestampsOf(text: string | undefined): readonly object[] | undefined {
  if (text === undefined || text === '') return [];
  const signedTimestamp = memberOf(parseStrict(Buffer.from(text))?.value, 'SignedRFC3161Timestamp');
  return typeof signedTimestamp === 'string' ? [{ signedTimestamp }] : undefined;
}
