// SPDX-License-Identifier: Apache-2.0
// The question that most tests put, and how they put it.
import {
  type AttestationQuestion,
  type AttestationVerdict,
  keylessSigner,
  keySigner,
  readSigstoreTrust,
  type SignerPolicy,
  type SigstoreTrust,
  verifyAttestation,
} from '../../../attest/index.ts';
import { ARTIFACT, DIGEST, IDENTITY, ISSUER, type Json, moment } from './world.ts';

export const bytesOf = (json: Json): Buffer => Buffer.from(JSON.stringify(json));
export const trustOf = (root: Json): SigstoreTrust => readSigstoreTrust(bytesOf(root));

export const RELEASE: SignerPolicy = keylessSigner({ name: 'release', issuer: ISSUER, identity: IDENTITY });
export const keyed = (pem: string, name = 'key'): SignerPolicy => keySigner(name, pem);

export function question(
  trust: SigstoreTrust,
  changes: Partial<AttestationQuestion> = {},
): AttestationQuestion {
  return {
    trust,
    signers: [RELEASE],
    subject: { algorithm: 'sha256', digest: DIGEST },
    artifact: ARTIFACT,
    requireLog: true,
    now: moment(60),
    ...changes,
  };
}

/** `verified`, or the code of the refusal. */
export function outcome(bundle: Json | Buffer, asked: AttestationQuestion): string {
  const verdict: AttestationVerdict = verifyAttestation(
    Buffer.isBuffer(bundle) ? bundle : bytesOf(bundle),
    asked,
  );
  return verdict.verified ? 'verified' : verdict.code;
}
