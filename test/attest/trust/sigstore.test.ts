// SPDX-License-Identifier: Apache-2.0
// A trusted root is validated before anything is verified with it.
import { createPublicKey } from 'node:crypto';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { AttestError, readSigstoreTrust } from '../../../attest/index.ts';
import { certificate, constraints, keyUsage, TIME_STAMPING } from '../bundle/der.ts';
import { base64, type Json, moment, newKey, newWorld } from '../bundle/world.ts';

let root: Json;
beforeAll(async () => {
  root = (await newWorld()).trustedRoot();
});

function outcome(json: Json | string): string {
  try {
    readSigstoreTrust(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)));
    return 'read';
  } catch (error) {
    return error instanceof AttestError ? error.code : `not ours: ${String(error)}`;
  }
}
function changed(change: (copy: Json) => void): Json {
  const copy = structuredClone(root);
  change(copy);
  return copy;
}
const chainOf = (...certificates: Buffer[]): Json => ({
  certificates: certificates.map((der) => ({ rawBytes: base64(der) })),
});

describe('a trusted root', () => {
  it('is read, and one that names nothing too', () => {
    expect(outcome(root)).toBe('read');
    expect(outcome({ mediaType: root.mediaType })).toBe('read');
    const trust = readSigstoreTrust(Buffer.from(JSON.stringify(root)));
    expect(trust.logs.map(({ host }) => host)).toEqual(['rekor.example', 'tiles.rekor.example']);
    expect(trust.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('of the public instance is read', () => {
    const seeds: Json = createRequire(import.meta.url)('@sigstore/tuf/seeds.json');
    const [seed]: Json[] = Object.values(seeds);
    expect(outcome(Buffer.from(seed.targets['trusted_root.json'], 'base64').toString())).toBe('read');
  });

  const key = newKey();
  const valid = { from: moment(-100), to: moment(100) };
  const rootOf = (extensions: Buffer[]): Buffer =>
    certificate({
      subject: 'r',
      publicKey: createPublicKey(key),
      issuer: { name: 'r', key },
      ...valid,
      extensions,
    });
  const leafOf = (extensions: Buffer[], issuer = key): Buffer =>
    certificate({
      subject: 'l',
      publicKey: createPublicKey(newKey()),
      issuer: { name: 'r', key: issuer },
      ...valid,
      extensions,
    });
  const isAuthority = rootOf([constraints(true)]);
  const stamping = leafOf([keyUsage(TIME_STAMPING)]);

  it.each<[string, (copy: Json) => void]>([
    ['another media type', (copy) => (copy.mediaType = 'application/json')],
    ['a member that nobody reads', (copy) => (copy.extra = true)],
    ['a log with a member that nobody reads', (copy) => (copy.tlogs[0].extra = true)],
    ['a log without a start of validity', (copy) => delete copy.tlogs[0].publicKey.validFor.start],
    ['a log without a validity', (copy) => delete copy.tlogs[0].publicKey.validFor],
    ['a log of certificates without a start of validity', (copy) => (copy.ctlogs[0].publicKey.validFor = {})],
    ['an authority without a start of validity', (copy) => (copy.certificateAuthorities[0].validFor = {})],
    ['an authority without a validity', (copy) => delete copy.certificateAuthorities[0].validFor],
    [
      'a timestamp authority without a start of validity',
      (copy) => (copy.timestampAuthorities[0].validFor = {}),
    ],
    [
      'a validity that ends before it begins',
      (copy) => (copy.tlogs[0].publicKey.validFor.end = '2001-01-01T00:00:00Z'),
    ],
    ['a date that is none', (copy) => (copy.tlogs[0].publicKey.validFor.start = '2025-02-30T00:00:00Z')],
    ['a date in another form', (copy) => (copy.tlogs[0].publicKey.validFor.start = '1 January 2025')],
    ['a key of another kind than stated', (copy) => (copy.tlogs[0].publicKey.keyDetails = 'PKIX_ED25519')],
    ['a key that is none', (copy) => (copy.tlogs[0].publicKey.rawBytes = 'AAAA')],
    ['an id of another key', (copy) => (copy.tlogs[0].logId = copy.tlogs[1].logId)],
    ['a log twice', (copy) => copy.tlogs.push(copy.tlogs[0])],
    ['an authority twice', (copy) => copy.certificateAuthorities.push(copy.certificateAuthorities[0])],
    [
      'its root twice in a chain',
      (copy) =>
        copy.certificateAuthorities[0].certChain.certificates.push(
          copy.certificateAuthorities[0].certChain.certificates[1],
        ),
    ],
    ['a log without a host', (copy) => (copy.tlogs[0].baseUrl = 'https://')],
    ['a log of another hash', (copy) => (copy.tlogs[0].hashAlgorithm = 'SHA2_512')],
    ['65 logs', (copy) => (copy.tlogs = Array.from({ length: 65 }, () => copy.tlogs[0]))],
    ['a chain of nothing', (copy) => (copy.certificateAuthorities[0].certChain = chainOf())],
    [
      'a certificate that is none',
      (copy) => (copy.certificateAuthorities[0].certChain = chainOf(Buffer.alloc(9))),
    ],
    [
      'a certificate with something after it',
      (copy) =>
        (copy.certificateAuthorities[0].certChain = chainOf(Buffer.concat([isAuthority, Buffer.alloc(1)]))),
    ],
    ['a chain without its root', (copy) => copy.certificateAuthorities[0].certChain.certificates.pop()],
    ['a chain in another order', (copy) => copy.certificateAuthorities[0].certChain.certificates.reverse()],
    [
      'an issuer that is no authority',
      (copy) => (copy.certificateAuthorities[0].certChain = chainOf(rootOf([constraints(false)]))),
    ],
    [
      'a timestamp authority that does other things',
      (copy) => (copy.timestampAuthorities[0].certChain = chainOf(leafOf([]), isAuthority)),
    ],
    [
      'a timestamp authority of another root',
      (copy) =>
        (copy.timestampAuthorities[0].certChain = chainOf(
          leafOf([keyUsage(TIME_STAMPING)], newKey()),
          isAuthority,
        )),
    ],
  ])('with %s is refused', (_, change) => {
    expect(outcome(changed(change))).toBe('TRUST_SHAPE');
  });

  it('with chains that differ from those in one thing is read', () => {
    expect(
      outcome(changed((copy) => (copy.certificateAuthorities[0].certChain = chainOf(isAuthority)))),
    ).toBe('read');
    expect(
      outcome(changed((copy) => (copy.timestampAuthorities[0].certChain = chainOf(stamping, isAuthority)))),
    ).toBe('read');
    const start = '2025-02-28T00:00:00Z';
    expect(outcome(changed((copy) => (copy.tlogs[0].publicKey.validFor.start = start)))).toBe('read');
  });

  it.each(['', '{', 'null', '[]', '""', '{"mediaType":1,"mediaType":1}'])('that is %j is refused', (text) => {
    expect(outcome(text)).toBe('TRUST_SHAPE');
  });

  it('attack 26: with JSON of the wrong shape anywhere is refused or the same', () => {
    const wrong = [null, true, 0, 'x', '', [null], [[]], { a: 1 }];
    const walk = (path: readonly string[], value: Json): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const name of Object.keys(value)) {
        for (const replacement of wrong)
          if (name !== 'uri' && name !== 'organization' && name !== 'commonName')
            expect([
              ...path,
              name,
              outcome(changed((copy) => (path.reduce((node, step) => node[step], copy)[name] = replacement))),
            ]).toEqual([...path, name, 'TRUST_SHAPE']);
        walk([...path, name], value[name]);
      }
    };
    walk([], root);
  });
});
