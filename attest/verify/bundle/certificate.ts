// SPDX-License-Identifier: Apache-2.0
// What a signing certificate says of its holder, read strictly. The library has proved that it chains to a trusted authority; it does
// not ask what the certificate is for, takes the first of several names, and reads the issuer as if its bytes had seven bits.

import { X509Certificate } from 'node:crypto';
import type { SigstoreAuthority } from '../../trust/sigstore.ts';
import { refuse } from '../refusal.ts';
import { readAll, readDer, UTF8_STRING } from './der.ts';

/** Who an authority says the holder of a key is. */
export interface CertifiedIdentity {
  readonly issuer: string;
  readonly identity: string;
}

/** One extension of a certificate: its object identifier and the content of its value. */
export interface Extension {
  readonly oid: string;
  readonly value: Buffer;
}

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** The issuer as bare bytes, and as a UTF8String in DER. */
const ISSUER_V1 = '1.3.6.1.4.1.57264.1.1';
const ISSUER_V2 = '1.3.6.1.4.1.57264.1.8';

const SEQUENCE = 0x30;
const EMAIL = 0x81;
const URI = 0x86;

/** Refuses a certificate that no authority issued itself, that is for something else, or that is one of an authority. */
export function checkCertificate(der: Buffer, authorities: readonly SigstoreAuthority[]): void {
  const certificate = attempt(() => new X509Certificate(der));
  if (certificate?.raw.equals(der) !== true) refuse('CERTIFICATE', 'the certificate cannot be read');
  const isIssued = authorities.some(
    ({ chain: [issuer] }) => issuer !== undefined && isIssuedBy(certificate, issuer),
  );
  if (!isIssued) refuse('CERTIFICATE', 'no trusted authority issued the certificate');
  if (certificate.ca) refuse('CERTIFICATE', 'the certificate is one of an authority');
  if (certificate.keyUsage?.includes(CODE_SIGNING) !== true)
    refuse('CERTIFICATE', 'the certificate is not for signing code');
}

function isIssuedBy(certificate: X509Certificate, der: Buffer): boolean {
  const issuer = new X509Certificate(der);
  return certificate.checkIssued(issuer) && attempt(() => certificate.verify(issuer.publicKey)) === true;
}

/** The one identity that a certificate names, with its issuer. */
export function identityOf(extensions: readonly Extension[]): CertifiedIdentity {
  const names = readDer(only(extensions, SUBJECT_ALTERNATIVE_NAME) ?? Buffer.alloc(0));
  const [name, ...others] = (names?.tag === SEQUENCE ? readAll(names.content) : undefined) ?? [];
  if (name === undefined || others.length > 0 || (name.tag !== EMAIL && name.tag !== URI))
    return refuse('CERTIFICATE', 'the certificate does not name exactly one identity');
  const identity = textOf(name.content);
  const issuer = issuerOf(extensions);
  if (identity === undefined || issuer === undefined)
    return refuse('CERTIFICATE', 'the certificate names its holder or the issuer in no readable way');
  return { issuer, identity };
}

/** Both forms of the issuer may be there; they must say the same. */
function issuerOf(extensions: readonly Extension[]): string | undefined {
  const bare = only(extensions, ISSUER_V1);
  const encoded = only(extensions, ISSUER_V2);
  const value = encoded === undefined ? undefined : readDer(encoded);
  if (encoded !== undefined && value?.tag !== UTF8_STRING) return undefined;
  if (bare !== undefined && value !== undefined && !bare.equals(value.content)) return undefined;
  return textOf(value?.content ?? bare ?? Buffer.alloc(0));
}

/** The value of an extension that is there at most once. */
export function only(extensions: readonly Extension[], oid: string): Buffer | undefined {
  const [found, second] = extensions.filter((extension) => extension.oid === oid);
  return second === undefined
    ? found?.value
    : refuse('CERTIFICATE', 'the certificate has an extension twice');
}

/** Visible text only: a line break or a zero byte in a name is somebody's trick. */
function textOf(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  const isPlain = Buffer.from(text, 'utf8').equals(bytes) && /^[^\p{C}\s]+$/u.test(text);
  return isPlain ? text : undefined;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
