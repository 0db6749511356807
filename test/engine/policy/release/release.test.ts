// SPDX-License-Identifier: Apache-2.0
import { sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { generateKeyPair, readSigner, readTrust } from '../../../../attest/index.ts';
import { PAYLOAD_TYPE, preAuthEncoding } from '../../../../attest/sign/index.ts';
import { EngineError } from '../../../../engine/error.ts';
import {
  admitName,
  admitRelease,
  lockText,
  RELEASE_TYPE,
  type Release,
  readLock,
  releaseStatement,
  verifyRelease,
  withReleases,
} from '../../../../engine/policy/release/index.ts';
import { expectThrown } from '../../../expect.ts';

const at = new Date('2026-11-24T12:00:00Z');
const digestOf = (digit: number | string): string => `sha256:${String(digit).repeat(64)}`;
const RELEASE: Release = {
  name: 'team/policies',
  version: 7,
  expires: '2027-01-01T00:00:00Z',
  roots: ['a', 'main'],
  digest: digestOf(1),
};

interface Author {
  readonly pem: string;
  readonly keyId: string;
  readonly publicKeyPem: string;
}

function newAuthor(): Author {
  const pem = generateKeyPair().privateKeyPem;
  const { keyId, publicKeyPem } = readSigner(pem);
  return { pem, keyId, publicKeyPem };
}

const author = newAuthor();
const stranger = newAuthor();
const trustOf = (key: object = {}) =>
  readTrust({
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'Trust',
    keys: [{ name: 'author', uses: ['policy'], environments: ['*'], publicKey: author.publicKeyPem, ...key }],
    logs: [],
  });

function envelope(statement: Uint8Array | string, by: Author = author, keyid?: string | null): Buffer {
  const payload = Buffer.from(statement);
  const sig = sign('sha256', preAuthEncoding(PAYLOAD_TYPE, payload), by.pem).toString('base64');
  const signature = keyid === null ? { sig } : { keyid: keyid ?? by.keyId, sig };
  return Buffer.from(
    JSON.stringify({
      payload: payload.toString('base64'),
      payloadType: PAYLOAD_TYPE,
      signatures: [signature],
    }),
  );
}

const ask = (bytes: Uint8Array | undefined, more: object = {}) =>
  verifyRelease(bytes, { bundle: 'b.tar.gz', digest: RELEASE.digest, trust: trustOf(), at, ...more });
const refused = (bytes: Uint8Array | undefined, more: object = {}): void =>
  expectThrown(() => ask(bytes, more), EngineError, 'BUNDLE_SIGNATURE');

function statement(change: (value: Record<string, unknown>) => object): string {
  const value: Record<string, unknown> = JSON.parse(Buffer.from(releaseStatement(RELEASE)).toString('utf8'));
  return JSON.stringify({ ...value, ...change(value) });
}
const predicate = (change: object) =>
  statement((value) => ({ predicate: { ...Object(value['predicate']), ...change } }));

describe('a release', () => {
  it('is what was signed', () => {
    expect(ask(envelope(releaseStatement(RELEASE)))).toEqual(RELEASE);
    expect(ask(envelope(releaseStatement(RELEASE)), { environment: 'production' })).toEqual(RELEASE);
  });

  it.each<[string, Partial<Release>]>([
    ['no name', { name: '' }],
    ['a name with a space', { name: 'a b' }],
    ['version 0', { version: 0 }],
    ['a negative version', { version: -1 }],
    ['half a version', { version: 1.5 }],
    ['a version beyond 2^53', { version: 2 ** 53 }],
    ['a day that there is not', { expires: '2027-02-30T00:00:00Z' }],
    ['another form of time', { expires: '2027-01-01' }],
    ['no digest', { digest: 'x' }],
  ])('cannot be made with %s', (_, change) => {
    expect(() => releaseStatement({ ...RELEASE, ...change })).toThrow(RangeError);
  });

  it.each<[string, () => Buffer | undefined]>([
    ['nothing', () => undefined],
    ['no JSON', () => Buffer.from('{')],
    ['a stranger', () => envelope(releaseStatement(RELEASE), stranger)],
    [
      "a stranger with the author's key id",
      () => envelope(releaseStatement(RELEASE), stranger, author.keyId),
    ],
    ['no key id', () => envelope(releaseStatement(RELEASE), author, null)],
    [
      'no signature',
      () => Buffer.from(JSON.stringify({ payload: 'e30=', payloadType: 'x', signatures: [] })),
    ],
    ['no statement', () => envelope('hello')],
    ['another type', () => envelope(statement(() => ({ predicateType: 'https://slsa.dev/provenance/v1' })))],
    [
      'a record of ours',
      () =>
        envelope(
          statement(() => ({ predicateType: RELEASE_TYPE.replace('policy-bundle', 'deployment-decision') })),
        ),
    ],
    ['another bundle', () => envelope(releaseStatement({ ...RELEASE, digest: digestOf(2) }))],
    [
      'two bundles',
      () => envelope(statement((value) => ({ subject: [value['subject'], value['subject']].flat() }))),
    ],
    ['a version that is text', () => envelope(predicate({ version: '7' }))],
    ['version 0', () => envelope(predicate({ version: 0 }))],
    ['no end', () => envelope(predicate({ expires: '' }))],
    ['roots that are none', () => envelope(predicate({ roots: [1] }))],
    ['one member more', () => envelope(predicate({ more: 1 }))],
  ])('is refused: %s', (_, make) => {
    refused(make());
  });

  it('counts only where its key is trusted for policies, here and now', () => {
    const good = envelope(releaseStatement(RELEASE));
    const limits = [
      { uses: ['record'] },
      { uses: ['approval', 'provenance'] },
      { environments: [] },
      { notBefore: '2026-11-25T00:00:00Z' },
      { notAfter: '2026-11-23T00:00:00Z' },
      { revokedAt: '2026-11-24T00:00:00Z' },
      { publicKey: stranger.publicKeyPem },
    ];
    for (const limit of limits) refused(good, { trust: trustOf(limit) });
    refused(good, { trust: trustOf({ environments: ['staging'] }), environment: 'production' });
    expect(ask(good, { trust: trustOf({ environments: ['staging'] }), environment: 'staging' })).toEqual(
      RELEASE,
    );
  });

  it('holds in no changed form', () => {
    const good = envelope(releaseStatement(RELEASE));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const changed = Buffer.from(good);
        changed[index] = (changed[index] ?? 0) ^ flip;
        try {
          // What is left may be the same text spelt differently, but never another release.
          expect(ask(changed)).toEqual(RELEASE);
        } catch (error) {
          expect(error).toMatchObject({ code: 'BUNDLE_SIGNATURE' });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('what was seen before', () => {
  const seen = withReleases(new Map(), [RELEASE]);
  const admit = (change: Partial<Release>, allowed: readonly string[] = [], now = at): void =>
    admitRelease({ ...RELEASE, ...change }, seen, { at: now, allowed });

  it('lets the same and newer ones through', () => {
    admit({});
    admit({ version: 8, digest: digestOf(2) });
    admit({ name: 'another', version: 1, digest: digestOf(3) });
  });

  it('refuses older ones and another of the same version, until a person allows its digest', () => {
    const older = { version: 6, digest: digestOf(2) };
    expectThrown(() => admit(older), EngineError, 'BUNDLE_ROLLBACK');
    expectThrown(() => admit({ digest: digestOf(2) }), EngineError, 'BUNDLE_ROLLBACK');
    expectThrown(() => admit(older, [RELEASE.digest]), EngineError, 'BUNDLE_ROLLBACK');
    admit(older, [digestOf(2)]);
  });

  it('refuses expired ones, from their end on', () => {
    admit({}, [], new Date('2026-12-31T23:59:59.999Z'));
    for (const now of ['2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z', 'never'])
      expectThrown(() => admit({}, [], new Date(now)), EngineError, 'BUNDLE_EXPIRED');
    admit({}, [RELEASE.digest], new Date('2028-01-01T00:00:00Z'));
  });

  it('refuses another release under a known reference', () => {
    const ask = (known: string | undefined, release?: Release, allowed: readonly string[] = []): void =>
      admitName('oci://r/a:v1', known, {
        digest: digestOf(1),
        allowed,
        ...(release === undefined ? {} : { release }),
      });
    ask(undefined, RELEASE);
    ask('team/policies', RELEASE);
    expectThrown(() => ask('team/tests', RELEASE), EngineError, 'BUNDLE_ROLLBACK');
    expectThrown(() => ask('team/tests'), EngineError, 'BUNDLE_ROLLBACK');
    ask('team/tests', RELEASE, [digestOf(1)]);
  });

  it('never forgets the newest, whatever comes after', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }), (versions) => {
        const releases = versions.map((version) => ({ ...RELEASE, version, digest: digestOf(version % 10) }));
        const newest = Math.max(...versions);
        const after = releases.reduce(
          (all, release) => withReleases(all, [release]),
          withReleases(new Map(), []),
        );
        expect(after.get(RELEASE.name)?.version).toBe(newest);
        for (const version of versions.filter((one) => one < newest))
          expectThrown(
            () => admitRelease({ ...RELEASE, version }, after, { at, allowed: [] }),
            EngineError,
            'BUNDLE_ROLLBACK',
          );
      }),
      { numRuns: 50 },
    );
  });
});

describe('a lock file', () => {
  const LOCK = {
    bundles: new Map([
      ['oci://r.example/b:v1', { digest: digestOf(2), release: 'team/policies' }],
      ['oci://r.example/a:v1', { digest: digestOf(1) }],
    ]),
    releases: new Map([['team/policies', { version: 7, digest: digestOf(3) }]]),
  };

  it('comes back as it was written, in order', () => {
    const text = lockText(LOCK);
    expect(readLock(text, 'x')).toEqual(LOCK);
    expect(text.indexOf('/a:v1')).toBeLessThan(text.indexOf('/b:v1'));
  });

  const whole = { apiVersion: 'countersign.dev/v1alpha1', kind: 'Lock', bundles: {}, releases: {} };
  it.each<[string, string]>([
    ['nothing', ''],
    ['no object', '[]'],
    ['another kind', JSON.stringify({ ...whole, kind: 'Trust' })],
    ['an unknown key', JSON.stringify({ ...whole, bundle: {} })],
    ['no releases', JSON.stringify({ ...whole, releases: undefined })],
    ['releases that are a list', JSON.stringify({ ...whole, releases: [] })],
    ['a key twice', '{"releases": {"a": {"version": 9}}, "releases": {}}'],
    ['a digest that is none', JSON.stringify({ ...whole, bundles: { a: { digest: 'x' } } })],
    ['a pin with more', JSON.stringify({ ...whole, bundles: { a: { digest: digestOf(1), x: 1 } } })],
    ['version 0', JSON.stringify({ ...whole, releases: { a: { version: 0, digest: digestOf(1) } } })],
    [
      'a version that is text',
      JSON.stringify({ ...whole, releases: { a: { version: '1', digest: digestOf(1) } } }),
    ],
    [
      'a version of 1e3',
      `{"apiVersion":"${whole.apiVersion}","kind":"Lock","bundles":{},"releases":{"a":{"version":1e3,"digest":"${digestOf(1)}"}}}`,
    ],
  ])('is refused: %s', (_, text) => {
    expectThrown(() => readLock(text, 'x'), EngineError, 'LOCK_SHAPE');
  });
});
