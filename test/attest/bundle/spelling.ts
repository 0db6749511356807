// SPDX-License-Identifier: Apache-2.0
// The other spellings of a bundle that mean the same, all of them: two bundles with the same text here are one bundle.
import { createRequire } from 'node:module';
import type { Json } from './world.ts';

const { RFC3161Timestamp }: Json = createRequire(import.meta.url)('@sigstore/core');

/** They select nothing and prove nothing: each key of the reader's is tried. */
const HINTS = ['hint', 'keyid'];
/** DSSE: either base64 alphabet, the second with or without padding. */
const ANY_BASE64 = ['payload', 'sig'];

const isEmpty = (value: Json): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/**
 * White space between tokens and the order of members are none of a bundle's meaning. What protobuf's JSON leaves out are members that
 * are null, empty or the number zero.
 */
export function meaning(json: string): string | undefined {
  try {
    return JSON.stringify(sorted(JSON.parse(json)));
  } catch {
    return undefined;
  }
}

/** What counts in an RFC 3161 response: who signed which bytes when. Its status and the lists of algorithms no signature covers. */
function stampMeaning(text: string): Json {
  const stamp = RFC3161Timestamp.parse(Buffer.from(text, 'base64'));
  const parts = [
    stamp.tstInfo.raw,
    stamp.signedAttrsObj.toDER(),
    stamp.signatureValue,
    stamp.signerIssuer,
    stamp.signerSerialNumber,
  ];
  return parts.map((part: Buffer) => part.toString('base64'));
}

function sorted(value: Json, name = ''): Json {
  if (typeof value === 'string' && name === 'signedTimestamp') return stampMeaning(value);
  if (typeof value === 'string' && ANY_BASE64.includes(name))
    return Buffer.from(value, 'base64').toString('base64');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => sorted(item));
  const members = Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key], key)] as const)
    .filter(([key, member]) => member !== null && member !== '0' && !isEmpty(member) && !HINTS.includes(key));
  return Object.fromEntries(members);
}

/**
 * What a trusted root says that counts, at one time: keys, certificates, ids, hosts, and whether each is valid then. Who operates what,
 * and the path of a URL, are for people.
 */
export function rootMeaning(json: string, at: Date): string {
  const root: Json = JSON.parse(json);
  const isValid = ({ start, end }: Json): boolean =>
    Date.parse(start) <= at.getTime() && (end === undefined || at.getTime() <= Date.parse(end));
  const logs = (list: Json): Json =>
    (list ?? []).map(({ baseUrl, publicKey, logId }: Json) => [
      new URL(baseUrl).hostname,
      publicKey.rawBytes,
      publicKey.keyDetails,
      isValid(publicKey.validFor),
      logId.keyId,
    ]);
  const authorities = (list: Json): Json =>
    (list ?? []).map(({ certChain, validFor }: Json) => [certChain, isValid(validFor)]);
  const { tlogs, ctlogs, certificateAuthorities, timestampAuthorities } = root;
  return JSON.stringify([
    logs(tlogs),
    logs(ctlogs).map(([, ...rest]: Json) => rest),
    authorities(certificateAuthorities),
    authorities(timestampAuthorities),
  ]);
}
