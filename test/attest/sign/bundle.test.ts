// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, generateKeyPairSync, hash, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readSigner, signArtefact, signAttestation } from '../../../attest/index.ts';
import { preAuthEncoding } from '../../../attest/sign/index.ts';
import { newSigner } from '../fixture.ts';

const ed25519 = readSigner(
  generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey,
);
const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const bytes = Buffer.from('an artefact\n');
const base64 = expect.stringMatching(/^[A-Za-z0-9+/]+={0,2}$/);

describe.each([
  ['ECDSA P-256', newSigner(), 'sha256'],
  ['Ed25519', ed25519, null],
] as const)('a bundle signed with %s', (_, signer, digest) => {
  const holds = (signed: Uint8Array, signature: unknown): boolean =>
    verify(digest, signed, createPublicKey(signer.publicKeyPem), Buffer.from(String(signature), 'base64'));

  it('over an artefact has its digest and one signature over its bytes', async () => {
    const bundle = await signArtefact(bytes, signer);
    expect(bundle).toEqual({
      mediaType: MEDIA_TYPE,
      verificationMaterial: { publicKey: { hint: signer.fingerprint } },
      messageSignature: {
        messageDigest: { algorithm: 'SHA2_256', digest: hash('sha256', bytes, 'base64') },
        signature: base64,
      },
    });
    const signature: unknown = Reflect.get(Object(Reflect.get(bundle, 'messageSignature')), 'signature');
    expect(holds(bytes, signature)).toBe(true);
    expect(holds(Buffer.from('another'), signature)).toBe(false);
  });

  it('over a statement has an envelope without a keyid', async () => {
    const statement = Buffer.from('{"any": "statement"}');
    const bundle = await signAttestation(statement, signer);
    expect(bundle).toEqual({
      mediaType: MEDIA_TYPE,
      verificationMaterial: { publicKey: { hint: signer.fingerprint } },
      dsseEnvelope: {
        payload: statement.toString('base64'),
        payloadType: 'application/vnd.in-toto+json',
        signatures: [{ sig: base64 }],
      },
    });
    const [only] = 'dsseEnvelope' in bundle ? bundle.dsseEnvelope.signatures : [];
    expect(holds(preAuthEncoding('application/vnd.in-toto+json', statement), only?.sig)).toBe(true);
  });
});
