// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Bundle,
  type Ledger,
  type RefusalCode,
  readTrust,
  type Signer,
  signStatement,
  type Trust,
  verifyRecord,
} from '../../../attest/index.ts';
import { preAuthEncoding } from '../../../attest/sign/index.ts';
import {
  appendTo,
  NOW,
  newSigner,
  open,
  PREDICATE_TYPE,
  SET_DIGEST,
  statementBytes,
  temporaryFolders,
  trustedKey,
  trustOf,
} from '../fixture.ts';

const folders = temporaryFolders();
const [signer, stranger] = [newSigner(), newSigner()];
let ledger: Ledger;
let otherLedger: Ledger;
let record: Bundle;
let later: Bundle;
let trust: Trust;

beforeAll(async () => {
  ledger = open(folders.make(), { origin: 'ledger.example' });
  otherLedger = open(folders.make(), { origin: 'ledger.example' });
  for (let index = 0; index < 5; index++) await appendTo(ledger, signer);
  record = await appendTo(ledger, signer);
  later = await appendTo(ledger, signer, statementBytes({ predicate: { verdict: 'deny' } }));
  trust = readTrust(trustOf([trustedKey(signer)], [ledger]));
});
afterAll(async () => {
  await Promise.all([ledger.close(), otherLedger.close()]);
  folders.removeAll();
});

const question = { use: 'record', predicateType: PREDICATE_TYPE } as const;
const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const verify = (value: unknown, believed = trust, more: object = {}) =>
  verifyRecord(value, believed, { ...question, ...more });

function expectRefused(verdict: ReturnType<typeof verifyRecord>, code: RefusalCode): void {
  expect(verdict).toEqual({ ok: false, code, reason: expect.stringMatching(/^[^\n]{10,400}[^.]$/) });
}

/** A deep copy with one member replaced, or removed where the value is undefined. */
function changed(value: unknown, path: string, to: unknown): unknown {
  const copy: unknown = structuredClone(value);
  const names = path.split('/');
  let at: unknown = copy;
  for (const name of names.slice(0, -1))
    at = typeof at === 'object' && at !== null ? Reflect.get(at, name) : {};
  if (typeof at !== 'object' || at === null) throw new Error(`no ${path}`);
  const last = names.at(-1) ?? '';
  if (to === undefined) Reflect.deleteProperty(at, last);
  else Reflect.set(at, last, to);
  return copy;
}

const ENTRY = 'verificationMaterial/tlogEntries/0';
const PROOF = `${ENTRY}/inclusionProof`;

describe('a record that holds', () => {
  it('says who signed it, where the log has it, and what it is about', () => {
    const expected = {
      ok: true,
      value: {
        keyName: 'ci',
        logIndex: 5,
        logOrigin: 'ledger.example',
        predicateType: PREDICATE_TYPE,
        subjects: [{ name: 'set.txt', digest: { sha256: SET_DIGEST } }],
        statement: statementBytes(),
      },
    };
    expect(verify(bytesOf(record))).toEqual(expected);
    expect(verify(JSON.stringify(record, null, 2))).toEqual(expected);
    expect(verify(record)).toEqual(expected);
  });

  it('holds for every entry of the log, whenever it is fetched', () => {
    for (const { bundle } of ledger.records()) expect(verify(bundle)).toMatchObject({ ok: true });
  });

  it('may spell payload and signature URL-safe, as DSSE allows', () => {
    const { payload, signatures } = record.dsseEnvelope;
    const urlSafe = (text: string): string => Buffer.from(text, 'base64').toString('base64url');
    const spelled = changed(
      changed(record, 'dsseEnvelope/payload', urlSafe(payload)),
      'dsseEnvelope/signatures',
      [{ sig: urlSafe(signatures[0].sig) }],
    );
    expect(verify(spelled)).toMatchObject({ ok: true });
  });

  it('may be about 1,024 subjects with 32 digests each, unnamed too', async () => {
    const digest = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`d${index}`, '00']));
    const many = await appendTo(
      ledger,
      signer,
      statementBytes({ subject: Array.from({ length: 1_024 }, () => ({ digest: { a: '0' } })) }),
    );
    const wide = await appendTo(ledger, signer, statementBytes({ subject: [{ digest }] }));
    expect(verify(many)).toMatchObject({ ok: true });
    expect(verify(wide)).toMatchObject({ ok: true, value: { subjects: [{ digest }] } });
  });
});

describe('the shape of a record', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 1],
    ['a symbol', Symbol('x')],
    ['no bytes', Buffer.alloc(0)],
    ['text', 'hello'],
    ['an empty object', {}],
    ['a list', []],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff])],
    ['more than 1 MiB', Buffer.alloc(1024 * 1024 + 1, 0x20)],
    ['deep nesting', '['.repeat(100_000)],
    [
      'an object that cannot be written',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
    ],
    ['a big integer', { a: 1n }],
  ])('is not %s', (_, value) => {
    expectRefused(verify(value), 'SHAPE');
  });

  it('is whole', () => {
    const text = bytesOf(record);
    for (let end = 0; end < text.length; end += 7) expectRefused(verify(text.subarray(0, end)), 'SHAPE');
  });

  it('is at most 1 MiB, white space included', () => {
    const padded = Buffer.alloc(1024 * 1024 + 1, ' ');
    bytesOf(record).copy(padded);
    expect(verify(padded.subarray(0, -1))).toMatchObject({ ok: true });
    expectRefused(verify(padded), 'SHAPE');
  });

  it('has no key twice', () => {
    const text = JSON.stringify(record);
    const twice = [
      text.replace('"dsseEnvelope":', `"dsseEnvelope":${JSON.stringify(later.dsseEnvelope)},"dsseEnvelope":`),
      text.replace('"payload":', '"payload" : "", "\\u0070ayload":'),
      text.replace('"hint":', '"hint":"","hint":'),
    ];
    for (const each of twice) expectRefused(verify(each), 'SHAPE');
  });

  it.each<[string, string, unknown]>([
    ['another media type', 'mediaType', 'application/vnd.dev.sigstore.bundle+json;version=0.2'],
    ['a member more', 'more', 1],
    ['a member of a prototype', '__proto__x', {}],
    ['no envelope', 'dsseEnvelope', undefined],
    ['a message signature beside it', 'messageSignature', { signature: 'AAAA' }],
    ['no signature', 'dsseEnvelope/signatures', []],
    ['a keyid', 'dsseEnvelope/signatures/0/keyid', 'x'],
    ['an empty signature', 'dsseEnvelope/signatures/0/sig', ''],
    ['an empty payload', 'dsseEnvelope/payload', ''],
    ['a payload that is no text', 'dsseEnvelope/payload', 1],
    ['a payload in mixed base64', 'dsseEnvelope/payload', '+_+_'],
    ['no key', 'verificationMaterial/publicKey', undefined],
    ['a certificate', 'verificationMaterial/certificate', { rawBytes: 'AAAA' }],
    ['timestamps', 'verificationMaterial/timestampVerificationData', { rfc3161Timestamps: [] }],
    ['a key beside its hint', 'verificationMaterial/publicKey/rawBytes', 'AAAA'],
    ['no log entries', 'verificationMaterial/tlogEntries', []],
    ['log entries that are none', 'verificationMaterial/tlogEntries', [null]],
    ['a time', `${ENTRY}/integratedTime`, '1764000000'],
    ['an inclusion promise', `${ENTRY}/inclusionPromise`, { signedEntryTimestamp: 'AAAA' }],
    ['no proof', PROOF, undefined],
    ['another index', `${ENTRY}/logIndex`, '4'],
    ['another index in its proof', `${PROOF}/logIndex`, '4'],
    ['an index that is no number', `${ENTRY}/logIndex`, '0x5'],
    ['an index that is a number', `${ENTRY}/logIndex`, 5],
    ['another size', `${PROOF}/treeSize`, '7'],
    ['another root', `${PROOF}/rootHash`, Buffer.alloc(32).toString('base64')],
    ['a hash too short', `${PROOF}/hashes/0`, 'AAAA'],
    ['65 hashes', `${PROOF}/hashes`, Array.from({ length: 65 }, () => Buffer.alloc(32).toString('base64'))],
    ['a checkpoint that is none', `${PROOF}/checkpoint/envelope`, 'hello'],
  ])('has not %s', (_, path, to) => {
    expectRefused(verify(changed(record, path, to)), 'SHAPE');
  });

  it('has one signature', () => {
    const [one] = record.dsseEnvelope.signatures;
    expectRefused(verify(changed(record, 'dsseEnvelope/signatures', [one, one])), 'SHAPE');
    expectRefused(
      verify(changed(record, 'dsseEnvelope/signatures', [one, ...later.dsseEnvelope.signatures])),
      'SHAPE',
    );
  });

  it('has 32 log entries at most', () => {
    const [entry] = record.verificationMaterial.tlogEntries;
    const entries = Array.from({ length: 33 }, () => entry);
    expectRefused(verify(changed(record, 'verificationMaterial/tlogEntries', entries)), 'SHAPE');
  });
});

describe('the key of a record', () => {
  const believed = (more: object, by: Signer = signer): Trust =>
    readTrust(trustOf([trustedKey(by, more)], [ledger]));

  it('is one that the reader trusts', () => {
    expectRefused(verify(record, believed({}, stranger)), 'KEY_UNKNOWN');
    expectRefused(verify(record, readTrust(trustOf([], [ledger]))), 'KEY_UNKNOWN');
  });

  it('is not the one that the record would like', () => {
    const both = readTrust(trustOf([trustedKey(signer), trustedKey(stranger, { name: 'other' })], [ledger]));
    const hinted = changed(record, 'verificationMaterial/publicKey/hint', stranger.keyId);
    expectRefused(verify(hinted, both), 'SIGNATURE');
    expectRefused(
      verify(changed(record, 'verificationMaterial/publicKey/hint', '__proto__'), both),
      'KEY_UNKNOWN',
    );
    expectRefused(verify(changed(record, 'verificationMaterial/publicKey/hint', 'ci'), both), 'KEY_UNKNOWN');
  });

  it('is trusted for records', () => {
    expectRefused(verify(record, believed({ uses: ['approval', 'policy'] })), 'KEY_USE');
  });

  it('is trusted for the environment, by its exact name', () => {
    const staging = believed({ environments: ['staging', 'production/eu'] });
    expect(verify(record, staging, { environment: 'production/eu' })).toMatchObject({ ok: true });
    for (const environment of ['production', 'production/eu/', 'Staging', '*', ''])
      expectRefused(verify(record, staging, { environment }), 'KEY_ENVIRONMENT');
  });

  it('is trusted for every environment only where that is written, and an empty list is none', () => {
    expect(verify(record, believed({ environments: ['*'] }), { environment: 'any' })).toMatchObject({
      ok: true,
    });
    expectRefused(verify(record, believed({ environments: [] }), { environment: 'any' }), 'KEY_ENVIRONMENT');
    expectRefused(verify(record, believed({ environments: [] })), 'KEY_ENVIRONMENT');
  });

  const [before, after] = ['2026-11-24T09:59:59.999Z', '2026-11-24T10:00:00.001Z'];
  it.each<[object, boolean]>([
    [{ notBefore: before }, true],
    [{ notBefore: '2026-11-24T10:00:00Z' }, true],
    [{ notBefore: after }, false],
    [{ notAfter: after }, true],
    [{ notAfter: '2026-11-24T10:00:00Z' }, true],
    [{ notAfter: before }, false],
    [{ revokedAt: after }, true],
    [{ revokedAt: '2026-11-24T10:00:00Z' }, false],
    [{ revokedAt: before }, false],
    [{ notBefore: before, notAfter: after, revokedAt: before }, false],
  ])('is valid at the time: %j is %j', (dates, holds) => {
    const verdict = verify(record, believed(dates), { at: NOW });
    if (holds) expect(verdict).toMatchObject({ ok: true });
    else expectRefused(verdict, 'KEY_TIME');
  });

  it('that has dates does not hold without a time to compare them with', () => {
    for (const dates of [{ notBefore: before }, { notAfter: after }, { revokedAt: after }]) {
      expectRefused(verify(record, believed(dates)), 'KEY_TIME');
      expectRefused(verify(record, believed(dates), { at: new Date(Number.NaN) }), 'KEY_TIME');
    }
  });
});

describe('the log of a record', () => {
  it('is one that the reader trusts', () => {
    expectRefused(verify(record, readTrust(trustOf([trustedKey(signer)], []))), 'LOG_UNKNOWN');
    expectRefused(verify(record, readTrust(trustOf([trustedKey(signer)], [otherLedger]))), 'LOG_UNKNOWN');
  });

  it('has signed its checkpoint', async () => {
    // The other log has the same name; its checkpoint claims the size and root of this one.
    const foreign = await appendTo(otherLedger, signer);
    const [entry] = record.verificationMaterial.tlogEntries;
    const line =
      foreign.verificationMaterial.tlogEntries[0]?.inclusionProof.checkpoint.envelope.split('\n\n')[1];
    const text = entry?.inclusionProof.checkpoint.envelope.split('\n\n')[0];
    expectRefused(
      verify(changed(record, `${PROOF}/checkpoint/envelope`, `${text}\n\n${line}`)),
      'LOG_CHECKPOINT',
    );
  });

  it('is not another whose whole entry was put in its place', async () => {
    const foreign = await otherLedger.append(record.dsseEnvelope, signer);
    expectRefused(verify(foreign), 'LOG_UNKNOWN');
    const disguised = changed(foreign, `${ENTRY}/logId`, record.verificationMaterial.tlogEntries[0]?.logId);
    expectRefused(verify(disguised), 'LOG_CHECKPOINT');
  });

  it('has the record: a checkpoint and a root of another size do not do', () => {
    const [entry] = record.verificationMaterial.tlogEntries;
    const [newer] = later.verificationMaterial.tlogEntries;
    const proof = { ...newer?.inclusionProof, logIndex: entry?.logIndex };
    expectRefused(verify(changed(record, PROOF, proof)), 'LOG_PROOF');
    for (const hashes of [
      [],
      entry?.inclusionProof.hashes.slice(1),
      [...(entry?.inclusionProof.hashes ?? [])].reverse(),
    ])
      expectRefused(verify(changed(record, `${PROOF}/hashes`, hashes)), 'LOG_PROOF');
  });

  it('has this record and not another', () => {
    const swapped = changed(
      record,
      'verificationMaterial/tlogEntries',
      later.verificationMaterial.tlogEntries,
    );
    const back = changed(later, 'verificationMaterial/tlogEntries', record.verificationMaterial.tlogEntries);
    expectRefused(verify(swapped), 'LOG_ENTRY');
    expectRefused(verify(back), 'LOG_ENTRY');
  });

  it('has an entry whose every byte is as expected', () => {
    const body = Buffer.from(
      record.verificationMaterial.tlogEntries[0]?.canonicalizedBody ?? '',
      'base64',
    ).toString();
    const bodies = [
      body.replace('}}}}', '},"more":1}}}'),
      body.replace('{"apiVersion"', '{ "apiVersion"'),
      body.replace('PKIX_ECDSA_P256_SHA_256', 'PKIX_ECDSA_P384_SHA_384'),
      body.replace(signer.publicKeyDer.toString('base64'), stranger.publicKeyDer.toString('base64')),
    ];
    for (const each of bodies) {
      expect(each).not.toBe(body);
      const encoded = Buffer.from(each).toString('base64');
      expectRefused(verify(changed(record, `${ENTRY}/canonicalizedBody`, encoded)), 'LOG_ENTRY');
    }
  });

  it.each([
    ['kind', 'dsse'],
    ['kind', 'intoto'],
    ['version', '0.0.1'],
  ])('has an entry of our %s, not %j', (name, value) => {
    expectRefused(verify(changed(record, `${ENTRY}/kindVersion/${name}`, value)), 'LOG_ENTRY');
  });

  it('that names the record several times must be right each time', async () => {
    const again = await ledger.append(record.dsseEnvelope, signer);
    const other = await otherLedger.append(record.dsseEnvelope, signer);
    const [one] = record.verificationMaterial.tlogEntries;
    const [two] = other.verificationMaterial.tlogEntries;
    const [bad] = later.verificationMaterial.tlogEntries;
    const both = readTrust(trustOf([trustedKey(signer)], [ledger, otherLedger]));
    const withEntries = (...entries: unknown[]) =>
      changed(record, 'verificationMaterial/tlogEntries', entries);
    expect(verify(withEntries(one, two), both)).toMatchObject({ ok: true, value: { logIndex: 5 } });
    expectRefused(verify(withEntries(one, two)), 'LOG_UNKNOWN');
    expectRefused(verify(withEntries(one, bad), both), 'LOG_ENTRY');
    expectRefused(verify(withEntries(bad, one), both), 'LOG_ENTRY');
    expectRefused(verify(withEntries(one, one), both), 'LOG_PROOF');
    expectRefused(verify(withEntries(one, again.verificationMaterial.tlogEntries[0]), both), 'LOG_PROOF');
  });

  it('is valid at the time', () => {
    const [log] = ledger.trustedRoot().tlogs;
    const validFor = { start: '2026-11-24T00:00:00Z', end: '2026-11-25T00:00:00Z' };
    const root = { ...ledger.trustedRoot(), tlogs: [{ ...log, publicKey: { ...log?.publicKey, validFor } }] };
    const ending = readTrust({ ...trustOf([trustedKey(signer)], []), logs: [root] });
    expect(verify(record, ending, { at: NOW })).toMatchObject({ ok: true });
    expectRefused(verify(record, ending, { at: new Date('2026-11-25T00:00:01Z') }), 'LOG_TIME');
    expectRefused(verify(record, ending, { at: new Date('2026-11-23T23:59:59Z') }), 'LOG_TIME');
    expectRefused(verify(record, ending), 'LOG_TIME');
  });
});

describe('what a record says', () => {
  /** Everything is signed and logged properly; only the payload is not what it should be. */
  async function recorded(payload: Buffer, payloadType?: string): Promise<Bundle> {
    if (payloadType === undefined) return appendTo(ledger, signer, payload);
    const sig = (await signer.sign(preAuthEncoding(payloadType, payload))).toString('base64');
    return ledger.append({ payload: payload.toString('base64'), payloadType, signatures: [{ sig }] }, signer);
  }

  it('is an in-toto payload', async () => {
    for (const type of ['application/json', 'application/vnd.in-toto+json ', 'Application/vnd.in-toto+json'])
      expectRefused(verify(await recorded(statementBytes(), type)), 'PAYLOAD_TYPE');
    expectRefused(verify(changed(record, 'dsseEnvelope/payloadType', 'text/plain')), 'PAYLOAD_TYPE');
  });

  it.each<[string, Buffer]>([
    ['garbage', Buffer.from('garbage')],
    ['binary', Buffer.from([0xff, 0x00])],
    ['an empty object', Buffer.from('{}')],
    ['a list', Buffer.from('[]')],
    ['of another type', statementBytes({ _type: 'https://in-toto.io/Statement/v0.1' })],
    ['without subjects', statementBytes({ subject: [] })],
    ['with a subject without a digest', statementBytes({ subject: [{ name: 'x' }] })],
    ['with an empty digest', statementBytes({ subject: [{ name: 'x', digest: {} }] })],
    ['with a digest that is no text', statementBytes({ subject: [{ name: 'x', digest: { sha256: 1 } }] })],
    ['with a digest in capitals', statementBytes({ subject: [{ name: 'x', digest: { sha256: 'AB' } }] })],
    ['with a digest that is a list', statementBytes({ subject: [{ name: 'x', digest: ['00'] }] })],
    ['with a name that is no text', statementBytes({ subject: [{ name: 1, digest: { sha256: '00' } }] })],
    [
      'with a subject that has more',
      statementBytes({ subject: [{ name: 'x', uri: 'y', digest: { sha256: '00' } }] }),
    ],
    [
      'with 1,025 subjects',
      statementBytes({ subject: Array.from({ length: 1_025 }, () => ({ digest: { a: '0' } })) }),
    ],
    [
      'with 33 digests',
      statementBytes({
        subject: [{ digest: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`d${n}`, '0'])) }],
      }),
    ],
    ['with a type that is no text', statementBytes({ predicateType: 1 })],
    ['without a predicate', statementBytes({ predicate: undefined })],
    ['with a member more', statementBytes({ more: true })],
    [
      'with a predicate twice',
      Buffer.from(
        statementBytes().toString().replace('"predicate":', '"predicate":{"verdict":"deny"},"predicate":'),
      ),
    ],
    [
      'with a verdict twice',
      Buffer.from(statementBytes().toString().replace('"verdict":', '"verdict":"deny","\\u0076erdict":')),
    ],
  ])('is a Statement, not one %s', async (_, payload) => {
    expectRefused(verify(await recorded(payload)), 'STATEMENT');
  });

  it('is of the type that was asked for', async () => {
    for (const predicateType of [`${PREDICATE_TYPE}/`, 'https://slsa.dev/verification_summary/v1', ''])
      expectRefused(verify(await recorded(statementBytes({ predicateType }))), 'PREDICATE_TYPE');
    expectRefused(
      verify(record, trust, { predicateType: 'https://slsa.dev/verification_summary/v1' }),
      'PREDICATE_TYPE',
    );
  });

  it('was signed by the key', async () => {
    const other = await signStatement(statementBytes(), stranger);
    expectRefused(verify(changed(record, 'dsseEnvelope/signatures', other.signatures)), 'SIGNATURE');
    expectRefused(verify(changed(record, 'dsseEnvelope/payload', later.dsseEnvelope.payload)), 'SIGNATURE');
  });

  it('has the one signature that was logged, not a second good one', async () => {
    const resigned = await signStatement(statementBytes(), signer);
    expectRefused(verify(changed(record, 'dsseEnvelope/signatures', resigned.signatures)), 'LOG_ENTRY');
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const malleated = mirrored(Buffer.from(record.dsseEnvelope.signatures[0].sig, 'base64'), order);
    expectRefused(
      verify(changed(record, 'dsseEnvelope/signatures/0/sig', malleated.toString('base64'))),
      'LOG_ENTRY',
    );
  });

  it('is quoted and cut where a message names it', async () => {
    const bundle = await recorded(statementBytes({ predicateType: `"\n${'x'.repeat(10_000)}` }));
    const verdict = verify(bundle);
    expectRefused(verdict, 'PREDICATE_TYPE');
    expect(verdict).toMatchObject({ reason: expect.stringContaining('"\\"\\nxxx') });
  });
});

/** The other good ECDSA signature that anybody can make of one: (r, n - s). */
function mirrored(der: Buffer, order: bigint): Buffer {
  const rLength = der[3] ?? 0;
  const r = der.subarray(2, 4 + rLength);
  const s = BigInt(`0x${der.subarray(6 + rLength).toString('hex')}`);
  const hex = (order - s).toString(16).padStart(64, '0');
  const bytes = Buffer.from(/^[89a-f]/.test(hex) ? `00${hex}` : hex, 'hex');
  const body = Buffer.concat([r, Buffer.from([2, bytes.length]), bytes]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}
