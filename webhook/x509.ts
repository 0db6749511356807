// SPDX-License-Identifier: Apache-2.0
import { createHash, createPublicKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** What stands in a certificate; the public key and the issuer's key are ECDSA P-256. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** Present for a leaf: its names, DNS names and IP addresses mixed. Absent for a CA. */
  readonly hosts?: readonly string[];
}

/** Who signs: the name of the issuer as it stands in the CA's certificate, and its private key. */
export interface Issuer {
  readonly commonName: string;
  readonly privateKey: KeyObject;
}

const OID = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;
// RFC 5280 4.2.1.3, most significant bit first: digitalSignature is bit 0, keyCertSign 5, cRLSign 6.
const KEY_USAGE = { leaf: { bits: 0x80, unused: 7 }, ca: { bits: 0x06, unused: 1 } } as const;
const GENERAL_NAME = { dns: 2, ip: 7 } as const;

/**
 * Issues an X.509 v3 certificate (RFC 5280) and returns it as PEM. A request with `hosts` makes a server
 * certificate, one without makes a CA that may issue leaves only.
 */
export async function issueCertificate(request: CertificateRequest, issuer: Issuer): Promise<string> {
  // Loaded here: a server that is given its certificate never needs it.
  const { AttributeTypeAndValue, Certificate, Time, TimeType } = await import('pkijs');
  const { Integer, Utf8String } = await import('asn1js');
  const name = (value: string) =>
    new AttributeTypeAndValue({ type: OID.commonName, value: new Utf8String({ value }) });
  const time = (value: Date) => new Time({ value, type: timeType(value, TimeType) });
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = new Integer({ valueHex: serialNumber() });
  certificate.subject.typesAndValues.push(name(request.commonName));
  certificate.issuer.typesAndValues.push(name(issuer.commonName));
  certificate.notBefore = time(request.notBefore);
  certificate.notAfter = time(request.notAfter);
  await certificate.subjectPublicKeyInfo.importKey(
    request.publicKey.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']),
  );
  certificate.extensions = await extensions(request, createPublicKey(issuer.privateKey));
  await certificate.sign(
    issuer.privateKey.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']),
    'SHA-256',
  );
  return new X509Certificate(Buffer.from(certificate.toSchema(true).toBER(false))).toString();
}

// RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on.
function timeType<T>(value: Date, types: { readonly UTCTime: T; readonly GeneralizedTime: T }): T {
  return value.getUTCFullYear() < 2050 ? types.UTCTime : types.GeneralizedTime;
}

// RFC 5280 4.1.2.2: positive, at most 20 octets; a leading 01 keeps it so in minimal encoding.
function serialNumber(): ArrayBuffer {
  return Uint8Array.from([1, ...randomBytes(15)]).buffer;
}

async function extensions(request: CertificateRequest, issuerKey: KeyObject) {
  const pki = await import('pkijs');
  const asn1 = await import('asn1js');
  const extension = (extnID: string, critical: boolean, value: { toBER(sizeOnly?: boolean): ArrayBuffer }) =>
    new pki.Extension({ extnID, critical, extnValue: value.toBER(false) });
  const ca = request.hosts === undefined;
  const usage = KEY_USAGE[ca ? 'ca' : 'leaf'];
  const constraints = new pki.BasicConstraints(ca ? { cA: true, pathLenConstraint: 0 } : {});
  const authority = new pki.AuthorityKeyIdentifier({
    keyIdentifier: new asn1.OctetString({ valueHex: keyIdentifier(issuerKey) }),
  });
  const always = [
    extension(OID.basicConstraints, true, constraints.toSchema()),
    extension(
      OID.keyUsage,
      true,
      new asn1.BitString({
        valueHex: Uint8Array.of(usage.bits).buffer,
        unusedBits: usage.unused,
      }),
    ),
    extension(
      OID.subjectKeyIdentifier,
      false,
      new asn1.OctetString({ valueHex: keyIdentifier(request.publicKey) }),
    ),
    extension(OID.authorityKeyIdentifier, false, authority.toSchema()),
  ];
  if (request.hosts === undefined) return always;
  const names = new pki.GeneralNames({
    names: request.hosts.map((host) =>
      isIP(host) === 0
        ? new pki.GeneralName({ type: GENERAL_NAME.dns, value: host })
        : new pki.GeneralName({
            type: GENERAL_NAME.ip,
            value: new asn1.OctetString({ valueHex: ipOctets(host) }),
          }),
    ),
  });
  const usages = new pki.ExtKeyUsage({ keyPurposes: [OID.serverAuth] });
  return [
    ...always,
    extension(OID.extKeyUsage, false, usages.toSchema()),
    extension(OID.subjectAltName, false, names.toSchema()),
  ];
}

function keyIdentifier(key: KeyObject): ArrayBuffer {
  const digest = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
  return Uint8Array.from(digest.subarray(0, 20)).buffer;
}

/** The 4 or 16 octets of an IP address (RFC 5280 4.2.1.6). */
function ipOctets(host: string): ArrayBuffer {
  if (isIP(host) === 4) return Uint8Array.from(host.split('.').map(Number)).buffer;
  const [head = '', tail] = new URL(`https://[${host}]/`).hostname.slice(1, -1).split('::');
  const before = hextets(head);
  const after = hextets(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  const words = [...before, ...zeros, ...after];
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff])).buffer;
}

function hextets(text: string): number[] {
  return text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
}
