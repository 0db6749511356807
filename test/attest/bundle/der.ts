// SPDX-License-Identifier: Apache-2.0
// As much of DER as certificates need, written out, so that a test can make every certificate that an authority should not.
import { createPublicKey, hash, type KeyObject, sign } from 'node:crypto';

export function tagged(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...length), content]);
}
export const sequence = (...parts: Uint8Array[]): Buffer => tagged(0x30, ...parts);
export const octets = (...parts: Uint8Array[]): Buffer => tagged(0x04, ...parts);
export const text = (value: string): Buffer => tagged(0x0c, Buffer.from(value));
const integer = (...bytes: number[]): Buffer => tagged(0x02, Uint8Array.of(...bytes));
const TRUE = tagged(0x01, Uint8Array.of(0xff));

export function oid(dotted: string): Buffer {
  const [a = 0, b = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [40 * a + b, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tagged(0x06, Uint8Array.from(bytes));
}

/** UTCTime, as RFC 5280 §4.1.2.5 asks until 2049; a verifier that writes the certificate anew would not find another form. */
const time = (date: Date): Buffer =>
  tagged(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
const nameOf = (name: string): Buffer => sequence(tagged(0x31, sequence(oid('2.5.4.3'), text(name))));
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));

export const extension = (id: string, value: Uint8Array, isCritical = false): Buffer =>
  sequence(oid(id), ...(isCritical ? [TRUE] : []), octets(value));
export const keyUsage = (...purposes: string[]): Buffer =>
  extension('2.5.29.37', sequence(...purposes.map(oid)));
export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
export const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
export const constraints = (isAuthority: boolean): Buffer =>
  extension('2.5.29.19', sequence(...(isAuthority ? [TRUE] : [])), true);
/** Subject alternative names, of type email (0x81) or URI (0x86). */
export const alternativeNames = (...names: readonly (readonly [0x81 | 0x86, string])[]): Buffer =>
  extension('2.5.29.17', sequence(...names.map(([tag, name]) => tagged(tag, Buffer.from(name)))), true);
/** The issuer of the identity as Fulcio writes it since 2023, and as it did before. */
export const issuerV2 = (issuer: string): Buffer => extension('1.3.6.1.4.1.57264.1.8', text(issuer));
export const issuerV1 = (issuer: string): Buffer => extension('1.3.6.1.4.1.57264.1.1', Buffer.from(issuer));

export interface CertificateContent {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly name: string; readonly key: KeyObject };
  readonly from: Date;
  readonly to: Date;
  readonly extensions: readonly Buffer[];
}

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

function tbsOf({ subject, publicKey, issuer, from, to, extensions }: CertificateContent): Buffer {
  return sequence(
    tagged(0xa0, integer(2)),
    integer(0x01, 0x02, 0x03),
    ECDSA_SHA256,
    nameOf(issuer.name),
    sequence(time(from), time(to)),
    nameOf(subject),
    spkiOf(publicKey),
    tagged(0xa3, sequence(...extensions)),
  );
}

/** A certificate in DER, signed with ECDSA over SHA-256. */
export function certificate(content: CertificateContent): Buffer {
  const tbs = tbsOf(content);
  const signature = sign('sha256', tbs, content.issuer.key);
  return sequence(tbs, ECDSA_SHA256, tagged(0x03, Uint8Array.of(0), signature));
}

const number = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer.subarray(8 - bytes);
};

/** The same with a signed certificate timestamp of a log. @see RFC 6962 §3.2 */
export function loggedCertificate(content: CertificateContent, logKey: KeyObject): Buffer {
  const tbs = tbsOf(content);
  const issuerHash = hash('sha256', spkiOf(createPublicKey(content.issuer.key)), 'buffer');
  const stamp = number(content.from.getTime(), 8);
  const signed = [
    Uint8Array.of(0, 0),
    stamp,
    Uint8Array.of(0, 1),
    issuerHash,
    number(tbs.length, 3),
    tbs,
    Uint8Array.of(0, 0),
  ];
  const signature = sign('sha256', Buffer.concat(signed), logKey);
  const logId = hash('sha256', spkiOf(createPublicKey(logKey)), 'buffer');
  const head = [Uint8Array.of(0), logId, stamp, Uint8Array.of(0, 0, 4, 3)];
  const sct = Buffer.concat([...head, number(signature.length, 2), signature]);
  const list = Buffer.concat([number(sct.length + 2, 2), number(sct.length, 2), sct]);
  const extensions = [...content.extensions, extension('1.3.6.1.4.1.11129.2.4.2', octets(list))];
  return certificate({ ...content, extensions });
}
