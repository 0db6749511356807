// SPDX-License-Identifier: Apache-2.0
import { isIdentity, type SignerPolicy } from '../../trust/signers.ts';
import type { AttestationQuestion, ClaimSigner } from '../attestation.ts';
import { quoted, type RefusalCode, refuse } from '../refusal.ts';
import { checkKeyTime } from '../signer.ts';
import { type ForeignEntity, foreignEntityOf, type Proved } from '../sigstore.ts';
import { buildOf } from './build.ts';
import { checkCertificate, identityOf } from './certificate.ts';
import { checkEntries } from './log.ts';
import type { BundleParts } from './parts.ts';
import { serialized } from './serialized.ts';

/** Who signed, and when that was at the earliest and the latest. */
export interface ProvedSigner {
  readonly signer: ClaimSigner;
  readonly times: readonly Date[];
}

const REASONS: Readonly<Partial<Record<RefusalCode, string>>> = {
  SIGNATURE: 'the signature does not hold',
  LOG_ENTRY: 'a log entry is about something else',
  CERTIFICATE:
    'the certificate is not one of a trusted authority, at the time of signing and in a certificate log',
  TIMESTAMP: 'there is no time of signing that a trusted log or timestamp authority vouches for',
  LOG_PROOF: 'a proof that the log holds the signature is missing or does not hold',
};

/** Proves that one of the signers made the signature, with everything that the bundle has to show for it. */
export function proveSigner(parts: BundleParts, question: AttestationQuestion): ProvedSigner {
  const artifact = question.artifact === undefined ? undefined : Buffer.from(question.artifact);
  const entity =
    foreignEntityOf(serialized(parts), artifact) ??
    refuse('SHAPE', 'a certificate or a timestamp cannot be read');
  return parts.certificate === undefined
    ? proveKey(entity, parts, question)
    : proveIdentity(entity, parts.certificate, parts, question);
}

/**
 * The hint of a bundle is not read, nor any key that it brings along (cosign GHSA-fx35-mq7g-6g98): each key of the reader's is tried.
 */
function proveKey(entity: ForeignEntity, parts: BundleParts, question: AttestationQuestion): ProvedSigner {
  const keys = question.signers.filter((signer) => signer.kind === 'key');
  const signer =
    keys.find(({ key }) => entity.isSignedBy(key.key)) ??
    refuse('SIGNER', 'a key signed it that is none of the trusted ones');
  const { key, name } = signer;
  const { times } = proved(entity, question, key.key);
  checkEntries(parts.entries, { ...question, signer: key.der, times });
  const first = Math.min(...times.map((time) => time.getTime()));
  checkKeyTime(key, times.length === 0 ? undefined : new Date(first));
  return { signer: { kind: 'key', name, keyId: key.id }, times };
}

function proveIdentity(
  entity: ForeignEntity,
  certificate: Buffer,
  { entries, issuers }: BundleParts,
  question: AttestationQuestion,
): ProvedSigner {
  const { trust, signers } = question;
  const known = trust.certificateAuthorities.flatMap(({ chain }) => chain);
  if (!issuers.every((issuer) => known.some((der) => der.equals(issuer))))
    refuse('CERTIFICATE', 'the chain has a certificate that is not of the trusted root');
  const { times, extensions } = proved(entity, question, undefined);
  checkCertificate(certificate, trust.certificateAuthorities);
  checkEntries(entries, { ...question, signer: certificate, times });
  const { issuer, identity } = identityOf(extensions);
  const signer =
    signers.find((each) => isSigner(each, issuer, identity)) ??
    refuse(
      'SIGNER',
      `${quoted(identity)} of ${quoted(issuer)} signed it, who is none of the trusted signers`,
    );
  const build = buildOf(extensions);
  const about = build === undefined ? {} : { build };
  return { signer: { kind: 'keyless', name: signer.name, issuer, identity, ...about }, times };
}

const isSigner = (signer: SignerPolicy, issuer: string, identity: string): boolean =>
  signer.kind === 'keyless' && isIdentity(signer, issuer, identity);

function proved(
  entity: ForeignEntity,
  { trust, requireLog }: AttestationQuestion,
  key: Parameters<ForeignEntity['prove']>[0]['key'],
): Proved {
  const result = entity.prove({ trust, key, requireLog });
  return typeof result === 'string' ? refuse(result, REASONS[result] ?? 'it does not hold') : result;
}
