// SPDX-License-Identifier: Apache-2.0
// Our own, where Sigstore's library has one: the library puts the token into the message of an error, and sends it on where the
// service redirects.
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { readSigner, type Signer } from '../key.ts';
import { postOrGet, serviceUrl, unavailable } from './http.ts';
import type { IdentityToken } from './token.ts';

const SERVICE = 'Fulcio';

/**
 * Makes a key that lives as long as this process, and has it certified for the holder of a token.
 * @throws {AttestError} SIGSTORE_REFUSED | SIGSTORE_UNAVAILABLE
 * @see https://github.com/sigstore/fulcio/blob/main/fulcio.proto  CreateSigningCertificate
 */
export async function certify(address: string, { token, subject }: IdentityToken): Promise<Signer> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = readSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const url = new URL(`${serviceUrl(SERVICE, address)}/api/v2/signingCert`);
  const body = {
    credentials: { oidcIdentityToken: token },
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: signer.publicKeyPem },
      proofOfPossession: sign('sha256', Buffer.from(subject), privateKey).toString('base64'),
    },
  };
  const answer = await postOrGet(SERVICE, url, { body });
  const certificate = leafOf(answer);
  if (certificate === undefined || !certificate.checkPrivateKey(privateKey))
    throw unavailable(SERVICE, 'its answer holds no certificate for our key');
  return { ...signer, certificate: { der: certificate.raw, pem: certificate.toString() } };
}

const member = (value: unknown, name: string): unknown => Reflect.get(Object(value), name);

/** The first certificate of the chain, in either of the two forms of an answer. */
function leafOf(answer: unknown): X509Certificate | undefined {
  const chain =
    member(answer, 'signedCertificateEmbeddedSct') ?? member(answer, 'signedCertificateDetachedSct');
  const certificates = member(member(chain, 'chain'), 'certificates');
  const first: unknown = Array.isArray(certificates) ? certificates[0] : undefined;
  try {
    return typeof first === 'string' ? new X509Certificate(first) : undefined;
  } catch {
    return undefined;
  }
}
