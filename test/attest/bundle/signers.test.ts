// SPDX-License-Identifier: Apache-2.0
// Who signed: identities are exact, certificates are what they must be, keys have their time, people are counted.
import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  AttestError,
  keylessSigner,
  NO_SIGSTORE,
  openVerdictCache,
  parseTrust,
  readQuorum,
  type SignerPolicy,
  type SigstoreTrust,
  signersFor,
  verifyAttestation,
  verifyEnvelope,
  verifyQuorum,
} from '../../../attest/index.ts';
import { bytesOf, keyed, outcome, question, RELEASE, trustOf } from './ask.ts';
import {
  alternativeNames,
  CODE_SIGNING,
  certificate,
  constraints,
  issuerV1,
  issuerV2,
  keyUsage,
  loggedCertificate,
  TIME_STAMPING,
} from './der.ts';
import {
  base64,
  derOf,
  IDENTITY,
  ISSUER,
  type Json,
  moment,
  newKey,
  newWorld,
  PREDICATE_TYPE,
  pemOf,
  signedBytes,
  statement,
  type World,
} from './world.ts';

let world: World;
let trust: SigstoreTrust;
let good: Json;
beforeAll(async () => {
  world = await newWorld();
  trust = trustOf(world.trustedRoot());
  good = await world.make();
});

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'no error';
  } catch (error) {
    return error instanceof AttestError ? error.code : `not ours: ${String(error)}`;
  }
};
const identified = (identity: string | { glob: string }, issuer = ISSUER): SignerPolicy =>
  keylessSigner({ name: 'release', issuer, identity });

describe('attacks 6 and 37: an identity', () => {
  it.each<[string, string | { glob: string }, string, string]>([
    ['itself', IDENTITY, ISSUER, 'verified'],
    ['a longer one', `${IDENTITY}-evil`, ISSUER, 'SIGNER'],
    ['a shorter one', IDENTITY.slice(0, -1), ISSUER, 'SIGNER'],
    ['one in other case', IDENTITY.toUpperCase(), ISSUER, 'SIGNER'],
    ['one in which a dot is another letter', IDENTITY.replace('.example', 'xexample'), ISSUER, 'SIGNER'],
    ['that of another issuer', IDENTITY, `${ISSUER}.evil.example`, 'SIGNER'],
    ['that of an issuer that is longer by a slash', IDENTITY, `${ISSUER}/`, 'SIGNER'],
    [
      'a pattern of one segment',
      { glob: 'https://forge.example/shop/*/.ci/release.yml@refs/heads/main' },
      ISSUER,
      'verified',
    ],
    [
      'a pattern within a segment',
      { glob: 'https://forge.example/shop/w*/.ci/*.yml@refs/heads/m*n' },
      ISSUER,
      'verified',
    ],
    ['an open pattern', { glob: 'https://forge.example/shop/**' }, ISSUER, 'verified'],
    ['a pattern that ends too early', { glob: 'https://forge.example/shop/*' }, ISSUER, 'SIGNER'],
    ['a pattern of another owner', { glob: 'https://forge.example/sho/**' }, ISSUER, 'SIGNER'],
    [
      'a pattern whose star would cross a slash',
      { glob: 'https://forge.example/shop/*/release.yml@refs/heads/main' },
      ISSUER,
      'SIGNER',
    ],
  ])('is compared with %s', (_, identity, issuer, expected) => {
    expect(outcome(good, question(trust, { signers: [identified(identity, issuer)] }))).toBe(expected);
  });

  it('is nobody where nobody is trusted', () => {
    expect(outcome(good, question(trust, { signers: [] }))).toBe('SIGNER');
    expect(outcome(good, question(trust, { signers: [keyed(pemOf(newKey()))] }))).toBe('SIGNER');
    expect(outcome(good, question(trust, { signers: [keyed(pemOf(newKey())), RELEASE] }))).toBe('verified');
  });

  it.each(['', ' ', '*', '.*', '**', 'https://forge.example/*'])('%j is no exact identity', (identity) => {
    expect(codeOf(() => identified(identity))).toBe('TRUST_SHAPE');
  });

  it.each([
    '',
    '*',
    '**',
    '.*',
    'https://*',
    'https://forge.example/*',
    'https://forge.example/**',
    'https://forge.example//**',
    'https://*.example/shop/*',
    'forge.example/shop/*',
    'https://forge.example/s*/web',
    'https://forge.example/shop/a*b*c',
    'https://forge.example/shop/**/x',
    '*@shop.example',
  ])('%j is too wide a pattern', (glob) => {
    expect(codeOf(() => identified({ glob }))).toBe('TRUST_SHAPE');
  });

  it.each([
    '',
    '*',
    '.*',
    'issuer.example',
    'http://issuer.example',
    'https://*.example',
    'https://issuer.example/*',
  ])('%j is no issuer', (issuer) => {
    expect(codeOf(() => identified(IDENTITY, issuer))).toBe('TRUST_SHAPE');
  });
});

describe('a certificate', () => {
  type Changes = Parameters<World['certify']>[1];
  const outcomeOf = async (
    changes: Changes,
    signers: readonly SignerPolicy[] = [RELEASE],
  ): Promise<string> => {
    const key = newKey();
    const bundle = await world.make({ key, certificate: world.certify(key, changes) });
    return outcome(bundle, question(trust, { signers }));
  };
  const named = alternativeNames([0x86, IDENTITY]);
  const mail = 'alice@shop.example';

  it.each<[string, Changes, string]>([
    ['as it should be', {}, 'verified'],
    [
      'with both forms of the issuer',
      { extensions: [keyUsage(CODE_SIGNING), named, issuerV1(ISSUER), issuerV2(ISSUER)] },
      'verified',
    ],
    [
      'with the old form of the issuer',
      { extensions: [keyUsage(CODE_SIGNING), named, issuerV1(ISSUER)] },
      'verified',
    ],
    [
      'with two forms that differ',
      { extensions: [keyUsage(CODE_SIGNING), named, issuerV1('https://evil.example'), issuerV2(ISSUER)] },
      'CERTIFICATE',
    ],
    [
      'with the issuer twice',
      { extensions: [keyUsage(CODE_SIGNING), named, issuerV2(ISSUER), issuerV2('https://evil.example')] },
      'CERTIFICATE',
    ],
    ['without an issuer', { extensions: [keyUsage(CODE_SIGNING), named] }, 'CERTIFICATE'],
    [
      'with an issuer in other bytes',
      { extensions: [keyUsage(CODE_SIGNING), named, issuerV2(ISSUER.replace('e', 'å'))] },
      'SIGNER',
    ],
    [
      'with an issuer that has a zero byte',
      { extensions: [keyUsage(CODE_SIGNING), named, issuerV2(`${ISSUER}\0`)] },
      'CERTIFICATE',
    ],
    ['without a name', { extensions: [keyUsage(CODE_SIGNING), issuerV2(ISSUER)] }, 'CERTIFICATE'],
    [
      'with two names',
      {
        extensions: [
          keyUsage(CODE_SIGNING),
          alternativeNames([0x86, IDENTITY], [0x81, mail]),
          issuerV2(ISSUER),
        ],
      },
      'CERTIFICATE',
    ],
    ['for servers', { extensions: [keyUsage('1.3.6.1.5.5.7.3.1'), named, issuerV2(ISSUER)] }, 'CERTIFICATE'],
    ['for timestamps', { extensions: [keyUsage(TIME_STAMPING), named, issuerV2(ISSUER)] }, 'CERTIFICATE'],
    ['for nothing in particular', { extensions: [named, issuerV2(ISSUER)] }, 'CERTIFICATE'],
    [
      'of an authority',
      { extensions: [constraints(true), keyUsage(CODE_SIGNING), named, issuerV2(ISSUER)] },
      'CERTIFICATE',
    ],
    ['that had expired', { from: moment(-600), to: moment(-1) }, 'CERTIFICATE'],
    ['that was not yet valid', { from: moment(1), to: moment(600) }, 'CERTIFICATE'],
    ['of another authority of that name', { issuer: { name: 'issuing', key: newKey() } }, 'CERTIFICATE'],
    ['of itself', { issuer: { name: '', key: newKey() } }, 'CERTIFICATE'],
  ])('%s', async (_, changes, expected) => {
    expect(await outcomeOf(changes)).toBe(expected);
  });

  it('may name a person by mail', async () => {
    const extensions = [keyUsage(CODE_SIGNING), alternativeNames([0x81, mail]), issuerV2(ISSUER)];
    expect(await outcomeOf({ extensions }, [identified(mail)])).toBe('verified');
    expect(await outcomeOf({ extensions }, [identified(`${mail}.evil.example`)])).toBe('SIGNER');
  });

  it('is in a trusted log of certificates', async () => {
    const made = async (make: (key: ReturnType<typeof newKey>) => Buffer): Promise<string> => {
      const key = newKey();
      return outcome(await world.make({ key, certificate: make(key) }), question(trust));
    };
    const content = world.contentFor;
    expect(await made((key) => loggedCertificate(content(key), world.certificateLogKey))).toBe('verified');
    expect(await made((key) => certificate(content(key)))).toBe('CERTIFICATE');
    expect(await made((key) => loggedCertificate(content(key), newKey()))).toBe('CERTIFICATE');
  });

  it('in a chain brings nobody along who is not trusted', async () => {
    const old = await world.make({ version: '0.2' });
    const withChain = (...more: string[]): Json => {
      const copy = structuredClone(old);
      copy.verificationMaterial.x509CertificateChain.certificates.push(
        ...more.map((rawBytes) => ({ rawBytes })),
      );
      return copy;
    };
    expect(outcome(withChain(base64(world.issuing)), question(trust))).toBe('verified');
    const other = await newWorld();
    expect(outcome(withChain(base64(other.issuing)), question(trust))).toBe('CERTIFICATE');
  });

  it('belongs to the key that signed', async () => {
    const key = newKey();
    const bundle = await world.make({ key, certificate: world.certify(newKey()) });
    expect(outcome(bundle, question(trust))).toBe('SIGNATURE');
  });
});

describe('a key', () => {
  it('attack 9: counts only if it is configured, whatever the bundle says of keys', async () => {
    const [mine, theirs] = [newKey(), newKey()];
    const bundle = await world.make({ key: theirs });
    bundle.verificationMaterial.publicKey.hint = base64(derOf(mine));
    bundle.dsseEnvelope.signatures[0].keyid = keyed(pemOf(mine)).name;
    expect(outcome(bundle, question(trust, { signers: [keyed(pemOf(mine))] }))).toBe('SIGNER');
    expect(outcome(bundle, question(trust, { signers: [keyed(pemOf(theirs))] }))).toBe('verified');
  });

  it('may not be one that a certificate has', async () => {
    const key = newKey();
    const bundle = await world.make({ key, certificate: world.certify(key) });
    const asKey = structuredClone(bundle);
    delete asKey.verificationMaterial.certificate;
    asKey.verificationMaterial.publicKey = { hint: '' };
    expect(outcome(bundle, question(trust, { signers: [keyed(pemOf(key))] }))).toBe('SIGNER');
    expect(outcome(asKey, question(trust, { signers: [keyed(pemOf(key))] }))).toBe('LOG_ENTRY');
  });

  const [before, then, later] = [-100, 0, 100].map((seconds) => moment(seconds).toISOString());
  it.each<[string, object, string, string]>([
    ['without dates', {}, 'verified', 'verified'],
    ['that was valid', { notBefore: before, notAfter: later }, 'verified', 'KEY_TIME'],
    ['that was not yet valid', { notBefore: later }, 'KEY_TIME', 'KEY_TIME'],
    ['that was no longer valid', { notAfter: before }, 'KEY_TIME', 'KEY_TIME'],
    ['that was revoked later', { revokedAt: later }, 'verified', 'KEY_TIME'],
    ['that was revoked at that moment', { revokedAt: then }, 'KEY_TIME', 'KEY_TIME'],
    ['that had been revoked', { revokedAt: before }, 'KEY_TIME', 'KEY_TIME'],
  ])('%s is judged by a proved time, and refused where there is none', async (_, dates, timed, untimed) => {
    const key = newKey();
    const signers = signersFor(trustFile([{ ...keyEntry('alice', pemOf(key)), ...dates }]), {
      use: 'provenance',
      environment: undefined,
    });
    expect(outcome(await world.make({ key }), question(trust, { signers }))).toBe(timed);
    expect(
      outcome(
        await world.make({ key, entries: ['dsse 0.0.2'], timestamps: 1 }),
        question(trust, { signers }),
      ),
    ).toBe(timed);
    expect(outcome(await world.make({ key, entries: ['dsse 0.0.2'] }), question(trust, { signers }))).toBe(
      untimed,
    );
  });
});

const keyEntry = (name: string, publicKey: string, more: object = {}): Json => ({
  name,
  uses: ['provenance'],
  environments: ['*'],
  publicKey,
  ...more,
});
const identityEntry = (name: string, more: object = {}): Json => ({
  name,
  uses: ['provenance'],
  environments: ['*'],
  issuer: ISSUER,
  identity: IDENTITY,
  ...more,
});
const trustFile = (keys: readonly Json[], identities: readonly Json[] = []) =>
  parseTrust(bytesOf({ apiVersion: 'countersign.dev/v1alpha1', kind: 'Trust', keys, identities, logs: [] }));

describe('the signers of a trust file', () => {
  it('are those for this use and this environment', () => {
    const file = trustFile(
      [
        keyEntry('everywhere', pemOf(newKey())),
        keyEntry('for records', pemOf(newKey()), { uses: ['record'] }),
        keyEntry('in test', pemOf(newKey()), { environments: ['test'] }),
        keyEntry('nowhere', pemOf(newKey()), { environments: [] }),
      ],
      [
        identityEntry('release'),
        identityEntry('main', { person: 'alice', identity: { glob: 'https://forge.example/shop/**' } }),
      ],
    );
    const names = (use: 'provenance' | 'record', environment: string | undefined): string[] =>
      signersFor(file, { use, environment }).map(({ name }) => name);
    expect(names('provenance', 'test')).toEqual(['everywhere', 'in test', 'release', 'alice']);
    expect(names('provenance', 'production')).toEqual(['everywhere', 'release', 'alice']);
    expect(names('provenance', undefined)).toEqual(['everywhere', 'release', 'alice']);
    expect(names('record', 'test')).toEqual(['for records']);
  });

  it.each<[string, object]>([
    ['an identity of everybody', { identity: '*' }],
    ['no identity', { identity: undefined }],
    ['no issuer', { issuer: undefined }],
    ['a wide pattern', { identity: { glob: 'https://forge.example/**' } }],
    ['a pattern with another member', { identity: { glob: 'https://forge.example/shop/**', regexp: '.*' } }],
    ['attack 1: a member that nobody reads', { certificateOIDs: ['1.2.3'] }],
    ['no use', { uses: [] }],
  ])('with %s are refused when loaded', (_, more) => {
    expect(codeOf(() => trustFile([], [identityEntry('release')]))).toBe('no error');
    expect(codeOf(() => trustFile([], [identityEntry('release', more)]))).toBe('TRUST_SHAPE');
  });

  it('may have an Ed25519 key, but not for records and releases, which are of one kind', () => {
    const pem = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    for (const use of ['provenance', 'approval'])
      expect(codeOf(() => trustFile([keyEntry('alice', pem, { uses: [use] })]))).toBe('no error');
    for (const use of ['record', 'policy'])
      expect(codeOf(() => trustFile([keyEntry('alice', pem, { uses: ['approval', use] })]))).toBe(
        'TRUST_SHAPE',
      );
  });

  it('with an Ed25519 key verify an envelope by it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const file = trustFile([keyEntry('alice', pem, { uses: ['approval'] })]);
    const signed = sign(null, signedBytes({ payload: statement() }), privateKey);
    const envelope = (sig: Buffer): Buffer =>
      bytesOf({
        payload: base64(statement()),
        payloadType: 'application/vnd.in-toto+json',
        signatures: [{ keyid: file.keys[0]?.id, sig: base64(sig) }],
      });
    const asked = { use: 'approval', predicateType: PREDICATE_TYPE, at: moment(0) } as const;
    expect(verifyEnvelope(envelope(signed), file, asked)).toMatchObject({
      ok: true,
      value: { keyName: 'alice' },
    });
    expect(verifyEnvelope(envelope(Buffer.alloc(64, 1)), file, asked)).toMatchObject({ code: 'SIGNATURE' });
    expect(verifyEnvelope(envelope(Buffer.alloc(70, 1)), file, asked)).toMatchObject({ code: 'SIGNATURE' });
  });

  it('may not have one identity under two names', () => {
    expect(codeOf(() => trustFile([], [identityEntry('a'), identityEntry('b')]))).toBe('TRUST_SHAPE');
  });
});

describe('a quorum', () => {
  const [alice, second, bob, carol] = [newKey(), newKey(), newKey(), newKey()];
  const trusted = (): SignerPolicy[] =>
    signersFor(
      trustFile([
        keyEntry('alice', pemOf(alice)),
        keyEntry('alice at home', pemOf(second), { person: 'alice' }),
        keyEntry('bob', pemOf(bob)),
        keyEntry('carol', pemOf(carol)),
      ]),
      { use: 'provenance', environment: undefined },
    );
  const two = () => readQuorum({ threshold: 2, signers: ['alice', 'bob'] }, trusted());
  const { signers: _, ...asked } = question(NO_SIGSTORE, { requireLog: false });
  const by = async (key: typeof alice): Promise<Json> => world.make({ key, entries: [] });
  const votes = (...bundles: Json[]): string[] =>
    verifyQuorum(bundles.map(bytesOf), two(), asked).claims.map(({ signer }) => signer.name);

  it('of two is met by two people', async () => {
    const verdict = verifyQuorum([bytesOf(await by(alice)), bytesOf(await by(bob))], two(), asked);
    expect(verdict).toMatchObject({ met: true, refused: [] });
    expect(votes(await by(alice), await by(bob))).toEqual(['alice', 'bob']);
  });

  it('attacks 24 and 25: counts people, not signatures, spellings or keys', async () => {
    const one = await by(alice);
    const raw = Buffer.from(one.dsseEnvelope.signatures[0].sig, 'base64');
    const respelled = structuredClone(one);
    respelled.dsseEnvelope.signatures[0].sig = raw.toString('base64url');
    const hinted = structuredClone(one);
    hinted.verificationMaterial.publicKey.hint = 'another';
    hinted.dsseEnvelope.signatures[0].keyid = 'another';
    const malleated = structuredClone(one);
    malleated.dsseEnvelope.signatures[0].sig = base64(otherHalf(raw));
    const alone = [one, one, respelled, hinted, malleated, await by(alice), await by(second)];
    for (const bundle of alone)
      expect(outcome(bundle, { ...asked, signers: two().signers })).toBe('verified');
    expect(votes(...alone)).toEqual(['alice']);
    expect(verifyQuorum(alone.map(bytesOf), two(), asked).met).toBe(false);
    expect(verifyQuorum([...alone, await by(bob)].map(bytesOf), two(), asked).met).toBe(true);
  });

  it('attack 19: is not met when one of its attestations is tampered with', async () => {
    const [first, last] = [await by(alice), await by(bob)];
    const tampered = (bundle: Json): Json => {
      const copy = structuredClone(bundle);
      copy.dsseEnvelope.payload = base64(
        Buffer.from(Buffer.from(copy.dsseEnvelope.payload, 'base64').toString().replace('web', 'evi')),
      );
      return copy;
    };
    expect(verifyQuorum([first, last].map(bytesOf), two(), asked).met).toBe(true);
    for (const bundles of [
      [tampered(first), last],
      [first, tampered(last)],
      [tampered(first), tampered(last)],
    ])
      expect(verifyQuorum(bundles.map(bytesOf), two(), asked).met).toBe(false);
    expect(verifyQuorum([tampered(first), last].map(bytesOf), two(), asked).refused).toEqual([
      { index: 0, code: 'SIGNER', message: expect.any(String) },
    ]);
  });

  it('does not count those who are not of it', async () => {
    expect(votes(await by(alice), await by(carol), await by(newKey()))).toEqual(['alice']);
    expect(verifyQuorum([], two(), asked).met).toBe(false);
    expect(verifyQuorum([], { threshold: 0, signers: [] }, asked).met).toBe(false);
  });

  it.each<[string, unknown]>([
    ['of none', { threshold: 0, signers: ['alice', 'bob'] }],
    ['of fewer than none', { threshold: -1, signers: ['alice', 'bob'] }],
    ['of one and a half', { threshold: 1.5, signers: ['alice', 'bob'] }],
    ['of a text', { threshold: '2', signers: ['alice', 'bob'] }],
    ['of no number', { threshold: Number.NaN, signers: ['alice', 'bob'] }],
    ['of an unsaid number', { signers: ['alice', 'bob'] }],
    ['of more than there are', { threshold: 3, signers: ['alice', 'bob'] }],
    ['of nobody', { threshold: 1, signers: [] }],
    ['of an unsaid list', { threshold: 1 }],
    ['of a name twice', { threshold: 1, signers: ['alice', 'alice'] }],
    ['of a name that nobody has', { threshold: 1, signers: ['mallory'] }],
    ['of a key by its own name', { threshold: 1, signers: ['alice at home'] }],
    ['with another member', { threshold: 1, signers: ['alice'], minimum: 2 }],
    ['that is a list', []],
    ['that is null', null],
  ])('attack 23: %s is refused when loaded', (_name, stated) => {
    expect(codeOf(() => readQuorum(stated, trusted()))).toBe('TRUST_SHAPE');
  });

  it('has no patterns, and no key or identity under two names', () => {
    const pattern = keylessSigner({
      name: 'team',
      issuer: ISSUER,
      identity: { glob: 'https://forge.example/shop/**' },
    });
    const both = { threshold: 1, signers: ['a', 'b'] };
    expect(codeOf(() => readQuorum({ threshold: 1, signers: ['team'] }, [pattern]))).toBe('TRUST_SHAPE');
    expect(codeOf(() => readQuorum(both, [keyed(pemOf(alice), 'a'), keyed(pemOf(alice), 'b')]))).toBe(
      'TRUST_SHAPE',
    );
    expect(codeOf(() => readQuorum(both, [keyed(pemOf(alice), 'a'), keyed(pemOf(bob), 'b')]))).toBe(
      'no error',
    );
    expect(
      codeOf(() =>
        readQuorum(both, [
          { ...RELEASE, name: 'a' },
          { ...RELEASE, name: 'b' },
        ]),
      ),
    ).toBe('TRUST_SHAPE');
  });
});

/** The other signature that ECDSA takes for the same: (r, n - s). */
function otherHalf(der: Buffer): Buffer {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const rLength = der.readUInt8(3);
  const s = BigInt(`0x${der.subarray(6 + rLength).toString('hex')}`);
  const hex = (order - s).toString(16).padStart(64, '0');
  const bytes = Buffer.from(
    Number.parseInt(hex.slice(0, 2), 16) >= 0x80 ? `00${hex}` : hex.replace(/^(?:00)+(?=[0-7])/, ''),
    'hex',
  );
  const r = der.subarray(2, 4 + rLength);
  const body = Buffer.concat([r, Uint8Array.of(0x02, bytes.length), bytes]);
  return Buffer.concat([Uint8Array.of(0x30, body.length), body]);
}

describe('attack 43: the cache of verdicts', () => {
  const limits = { maxVerdicts: 2, maxBytes: 10_000, maxAgeMs: 60_000 };

  it('answers for the same question only', () => {
    const cache = openVerdictCache(limits);
    const bytes = bytesOf(good);
    const asked = question(trust, { now: moment(60) });
    const first = cache.verify(bytes, asked);
    expect(first.verified).toBe(true);
    expect(cache.verify(bytes, asked)).toBe(first);
    const other = { algorithm: 'sha256', digest: 'ab'.repeat(32) } as const;
    const { artifact: _, ...digestOnly } = asked;
    expect(cache.verify(bytes, { ...digestOnly, subject: other })).toMatchObject({ code: 'SUBJECT' });
    expect(cache.verify(bytes, { ...asked, artifact: Buffer.from('another') })).toMatchObject({
      code: 'SUBJECT',
    });
    expect(cache.verify(bytes, { ...asked, signers: [identified(`${IDENTITY}x`)] })).toMatchObject({
      code: 'SIGNER',
    });
    expect(cache.verify(bytes, { ...asked, predicateType: 'https://other.example' })).toMatchObject({
      code: 'PREDICATE_TYPE',
    });
    expect(cache.verify(bytes, { ...asked, trust: NO_SIGSTORE }).verified).toBe(false);
    expect(cache.verify(bytesOf({ ...good, note: 1 }), asked)).toMatchObject({ code: 'SHAPE' });
    expect(cache.size).toBe(1);
  });

  it('forgets what is old, what no longer holds and what is too much', async () => {
    const cache = openVerdictCache(limits);
    const bytes = bytesOf(good);
    const first = cache.verify(bytes, question(trust, { now: moment(0) }));
    expect(cache.verify(bytes, question(trust, { now: moment(60) }))).toBe(first);
    expect(cache.verify(bytes, question(trust, { now: moment(61) }))).not.toBe(first);
    expect(cache.verify(bytes, question(trust, { now: moment(70), maxAgeMs: 69_000 }))).toMatchObject({
      code: 'AGE',
    });
    const again = cache.verify(bytes, question(trust, { now: moment(80) }));
    expect(cache.verify(bytes, question(trust, { now: moment(-20) }))).not.toBe(again);
    for (let count = 0; count < 3; count++) cache.verify(bytesOf(await world.make()), question(trust));
    expect(cache.size).toBe(2);
    const small = openVerdictCache({ ...limits, maxBytes: 10 });
    expect(small.verify(bytes, question(trust)).verified).toBe(true);
    expect(small.size).toBe(0);
  });

  it('does not outlive the trusted root or the dates of a key', async () => {
    const cache = openVerdictCache(limits);
    const expiring = { ...trust, expires: moment(90) };
    expect(cache.verify(bytesOf(good), question(expiring, { now: moment(89) })).verified).toBe(true);
    expect(codeOf(() => cache.verify(bytesOf(good), question(expiring, { now: moment(90) })))).toBe(
      'TRUST_EXPIRED',
    );
    expect(codeOf(() => verifyAttestation(bytesOf(good), question(expiring, { now: moment(90) })))).toBe(
      'TRUST_EXPIRED',
    );
    const key = newKey();
    const bundle = await world.make({ key });
    const signersWith = (more: object): SignerPolicy[] =>
      signersFor(trustFile([keyEntry('alice', pemOf(key), more)]), {
        use: 'provenance',
        environment: undefined,
      });
    expect(cache.verify(bytesOf(bundle), question(trust, { signers: signersWith({}) })).verified).toBe(true);
    const revoked = signersWith({ revokedAt: moment(-10).toISOString() });
    expect(cache.verify(bytesOf(bundle), question(trust, { signers: revoked }))).toMatchObject({
      code: 'KEY_TIME',
    });
  });
});
