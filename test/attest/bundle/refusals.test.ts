// SPDX-License-Identifier: Apache-2.0
// What does not hold is refused, each time for a bundle that differs in one thing from one that holds. Numbers are those of the
// published attacks on systems like this one.
import { createPublicKey, hash, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { NO_SIGSTORE, type SigstoreTrust } from '../../../attest/index.ts';
import { noteKeyId } from '../../../attest/log/index.ts';
import { bytesOf, keyed, outcome, question, trustOf } from './ask.ts';
import { meaning } from './spelling.ts';
import {
  ARTIFACT,
  base64,
  DIGEST,
  type Json,
  moment,
  newKey,
  newWorld,
  PAYLOAD_TYPE,
  PREDICATE_TYPE,
  pemOf,
  signedBytes,
  statement,
  type World,
} from './world.ts';

let world: World;
let other: World;
let trust: SigstoreTrust;
let good: Json;
let tiled: Json;
let file: Json;

beforeAll(async () => {
  world = await newWorld();
  other = await newWorld();
  trust = trustOf(world.trustedRoot());
  good = await world.make();
  tiled = await world.make({ entries: ['hashedrekord 0.0.2'], timestamps: 1 });
  file = await world.make({ entries: ['hashedrekord 0.0.1'], content: { artifact: ARTIFACT } });
});

/** A copy in which something is changed. */
function changed(bundle: Json, change: (copy: Json) => void): Json {
  const copy = structuredClone(bundle);
  change(copy);
  return copy;
}
const entryOf = (bundle: Json): Json => bundle.verificationMaterial.tlogEntries[0];
const flipped = (text: string, at = 40): string => {
  const bytes = Buffer.from(text, 'base64');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return base64(bytes);
};

describe('the bundles from which the others differ in one thing', () => {
  it('verify', () => {
    for (const bundle of [good, tiled, file]) expect(outcome(bundle, question(trust))).toBe('verified');
  });
});

describe('the shape of a bundle', () => {
  it.each<[string, (copy: Json) => void]>([
    [
      'a media type of the future',
      (copy) => (copy.mediaType = 'application/vnd.dev.sigstore.bundle.v0.4+json'),
    ],
    ['a member that nobody reads', (copy) => (copy.note = 'trust me')],
    ['a member that nobody reads in an entry', (copy) => (entryOf(copy).note = 'trust me')],
    ['two ways to say who signed', (copy) => (copy.verificationMaterial.publicKey = { hint: '' })],
    ['no way to say who signed', (copy) => delete copy.verificationMaterial.certificate],
    ['two kinds of content', (copy) => (copy.messageSignature = file.messageSignature)],
    ['no content', (copy) => delete copy.dsseEnvelope],
    ['two signatures', (copy) => copy.dsseEnvelope.signatures.push(copy.dsseEnvelope.signatures[0])],
    ['no signature', (copy) => (copy.dsseEnvelope.signatures = [])],
    ['an empty payload (attack 8)', (copy) => (copy.dsseEnvelope.payload = '')],
    ['an entry of another kind', (copy) => (entryOf(copy).kindVersion.kind = 'rekord')],
    ['an entry of a kind in a list', (copy) => (entryOf(copy).kindVersion.kind = ['dsse'])],
    ['an entry of another version', (copy) => (entryOf(copy).kindVersion.version = '0.0.9')],
    ['an entry without a proof', (copy) => delete entryOf(copy).inclusionProof],
    ['a proof without a checkpoint', (copy) => delete entryOf(copy).inclusionProof.checkpoint],
    ['a proof of another root', (copy) => (entryOf(copy).inclusionProof.rootHash = base64(Buffer.alloc(32)))],
    ['a proof of another size', (copy) => (entryOf(copy).inclusionProof.treeSize = '2')],
    ['a number as a number', (copy) => (entryOf(copy).logIndex = 1)],
    ['a promise without a time', (copy) => (entryOf(copy).integratedTime = '0')],
    ['a certificate that is none', (copy) => (copy.verificationMaterial.certificate.rawBytes = 'AAAA')],
  ])('with %s is refused', (_, change) => {
    expect(outcome(changed(good, change), question(trust))).toBe('SHAPE');
  });

  it('with a key twice in an object is refused', () => {
    const text = JSON.stringify(good);
    const twice = text.replace('"payloadType":', '"payloadType":"x","payloadType":');
    expect(outcome(Buffer.from(twice), question(trust))).toBe('SHAPE');
    expect(outcome(Buffer.from(text), question(trust))).toBe('verified');
  });

  it.each(['', '{', 'null', '[]', '"bundle"', '{"mediaType":{}}'])('that is %j is refused', (text) => {
    expect(outcome(Buffer.from(text), question(trust))).toBe('SHAPE');
  });

  it('needs a promise in v0.1, and no chain in v0.3', async () => {
    const old = await world.make({ version: '0.1' });
    expect(outcome(old, question(trust))).toBe('verified');
    expect(
      outcome(
        changed(old, (copy) => delete entryOf(copy).inclusionProof),
        question(trust),
      ),
    ).toBe('verified');
    expect(
      outcome(
        changed(old, (copy) => delete entryOf(copy).inclusionPromise),
        question(trust),
      ),
    ).toBe('SHAPE');
    const { mediaType } = good;
    expect(outcome({ ...old, mediaType }, question(trust))).toBe('SHAPE');
  });

  it('attack 2: a time that nothing vouches for is refused, and so is one that was moved', () => {
    const unpromised = changed(good, (copy) => delete entryOf(copy).inclusionPromise);
    expect(outcome(unpromised, question(trust))).toBe('SHAPE');
    const moved = changed(unpromised, (copy) => (entryOf(copy).integratedTime = '1700000000'));
    expect(outcome(moved, question(trust))).toBe('SHAPE');
    const later = changed(
      good,
      (copy) => (entryOf(copy).integratedTime = String(Number(entryOf(copy).integratedTime) + 1)),
    );
    expect(outcome(later, question(trust))).toBe('LOG_PROOF');
    const inTiles = changed(tiled, (copy) => (entryOf(copy).integratedTime = entryOf(good).integratedTime));
    expect(outcome(inTiles, question(trust))).toBe('SHAPE');
    const index = changed(tiled, (copy) => (entryOf(copy).logIndex = '7000'));
    expect(outcome(index, question(trust))).toBe('SHAPE');
  });
});

describe('attack 14: the lists of a bundle', () => {
  it.each([
    [32, 'TIMESTAMP'],
    [33, 'SHAPE'],
  ])('of %d log entries, all the same, is refused as %s', (count, code) => {
    const bundle = changed(good, ({ verificationMaterial }) => {
      verificationMaterial.tlogEntries = Array.from({ length: count }, () => entryOf(good));
    });
    expect(outcome(bundle, question(trust))).toBe(code);
  });

  it.each([
    [32, 'TIMESTAMP'],
    [33, 'SHAPE'],
  ])('of %d timestamps, all the same, is refused as %s', (count, code) => {
    const bundle = changed(tiled, ({ verificationMaterial: { timestampVerificationData: data } }) => {
      data.rfc3161Timestamps = Array.from({ length: count }, () => data.rfc3161Timestamps[0]);
    });
    expect(outcome(bundle, question(trust))).toBe(code);
  });

  it.each([
    [1_024, 1, 'verified'],
    [1_025, 1, 'STATEMENT'],
    [1, 32, 'verified'],
    [1, 33, 'STATEMENT'],
  ])('of %d subjects with %d digests each gives %s', async (subjects, digests, expected) => {
    const digest = Object.fromEntries(Array.from({ length: digests }, (_, index) => [`d${index}`, 'aa']));
    const subject = Array.from({ length: subjects }, () => ({ digest: { ...digest } }));
    const last: Json = subject.at(-1);
    delete last.digest.d0;
    last.digest.sha256 = DIGEST;
    const bundle = await world.make({ content: { payload: statement({ subject }) } });
    expect(outcome(bundle, question(trust))).toBe(expected);
  });
});

describe('attacks 12, 13 and 22: what is huge', () => {
  const list = (count: number, item: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => item(index)).join();
  it.each<[string, () => Buffer]>([
    ['a million keys', () => Buffer.from(`{${list(1_000_000, (index) => `"k${index}":1`)}}`)],
    ['lists eight million deep', () => Buffer.from('['.repeat(8_000_000) + ']'.repeat(8_000_000))],
    ['eight million numbers', () => Buffer.from(`[${list(8_000_000, () => '1')}]`)],
    ['17 MiB', () => Buffer.alloc(17 * 1024 * 1024, 0x20)],
    ['16 MiB of nothing', () => Buffer.alloc(16 * 1024 * 1024, 0x20)],
    ['a certificate of 17 KiB', () => bytesOf(changed(good, largeCertificate))],
  ])('is refused before it costs much: %s', (_, make) => {
    const bytes = make();
    const before = process.cpuUsage();
    expect(outcome(bytes, question(trust))).toBe('SHAPE');
    const { user } = process.cpuUsage(before);
    expect(user).toBeLessThan(5_000_000);
  });
  const largeCertificate = (copy: Json): void => {
    copy.verificationMaterial.certificate.rawBytes = base64(Buffer.alloc(17 * 1024, 0x05));
  };
});

describe('what was signed', () => {
  const ofPayload = async (payload: Buffer, payloadType = PAYLOAD_TYPE): Promise<Json> =>
    world.make({ content: { payload, payloadType }, entries: ['hashedrekord 0.0.1'] });

  it.each<[string, Buffer]>([
    ['garbage', Buffer.from([0x00, 0xff, 0x01])],
    ['JSON that is no Statement', Buffer.from('{"hello":"world"}')],
    ['a Statement without a subject', statement({ subject: [] })],
    ['a Statement of another kind', statement({ _type: 'https://in-toto.io/Statement/v2' })],
    ['a Statement of no type', statement({ predicateType: '' })],
    [
      'a Statement with a key twice',
      Buffer.from(statement().toString().replace('"predicate"', '"_type":1,"predicate"')),
    ],
    ['a list', Buffer.from('[]')],
  ])('attack 8: %s is no Statement', async (_, payload) => {
    expect(outcome(await ofPayload(payload), question(trust))).toBe('STATEMENT');
  });

  it('may be a Statement v0.1', async () => {
    const payload = statement({ _type: 'https://in-toto.io/Statement/v0.1' });
    expect(outcome(await ofPayload(payload), question(trust))).toBe('verified');
  });

  it('attack 4: an attestation of another type does not answer for this one, by payload type or predicate type', async () => {
    const asked = question(trust, { predicateType: PREDICATE_TYPE });
    expect(outcome(good, asked)).toBe('verified');
    const scan = await ofPayload(
      statement({ predicateType: 'https://cosign.sigstore.dev/attestation/vuln/v1' }),
    );
    expect(outcome(scan, asked)).toBe('PREDICATE_TYPE');
    expect(outcome(scan, question(trust))).toBe('verified');
    expect(outcome(await ofPayload(statement(), 'application/json'), question(trust))).toBe('PAYLOAD_TYPE');
    expect(outcome(file, asked)).toBe('PREDICATE_TYPE');
    const relabelled = changed(await ofPayload(statement(), 'application/json'), (copy) => {
      copy.dsseEnvelope.payloadType = PAYLOAD_TYPE;
    });
    expect(outcome(relabelled, question(trust))).toBe('LOG_ENTRY');
  });

  it('attack 3: a good bundle does not answer for another digest', async () => {
    const subject = { algorithm: 'sha256', digest: hash('sha256', 'another file') } as const;
    const { artifact: _, ...asked } = question(trust);
    expect(outcome(good, { ...asked, subject })).toBe('SUBJECT');
    expect(outcome(good, asked)).toBe('verified');
    expect(outcome(good, { ...asked, subject, artifact: ARTIFACT })).toBe('SUBJECT');
    expect(outcome(file, { ...asked, subject, artifact: Buffer.from('another file') })).toBe('SUBJECT');
    expect(outcome(good, { ...asked, subject: { algorithm: 'sha512', digest: DIGEST } })).toBe('SUBJECT');
    for (const digest of [{ sha512: DIGEST }, { sha256: DIGEST.toUpperCase() }, { sha256: DIGEST.slice(1) }])
      expect(outcome(await ofPayload(statement({ subject: [{ digest }] })), asked)).toBe('SUBJECT');
  });

  it('a file must be there to verify a signature over it', () => {
    const { artifact: _, ...asked } = question(trust);
    expect(outcome(file, asked)).toBe('ARTIFACT');
  });

  it('a file under a digest of another algorithm is refused', () => {
    const sha512 = changed(file, (copy) => (copy.messageSignature.messageDigest.algorithm = 'SHA2_512'));
    expect(outcome(sha512, question(trust))).toBe('SUBJECT');
    const sha1 = changed(file, (copy) => (copy.messageSignature.messageDigest.algorithm = 'SHA1'));
    expect(outcome(sha1, question(trust))).toBe('SHAPE');
  });

  it('may not be changed', () => {
    const payload = base64(statement({ predicate: {} }));
    expect(
      outcome(
        changed(good, (copy) => (copy.dsseEnvelope.payload = payload)),
        question(trust),
      ),
    ).toBe('LOG_ENTRY');
    const asked = question(NO_SIGSTORE, { requireLog: false, signers: [keyed(pemOf(newKey()))] });
    expect(
      outcome(
        changed(good, (copy) => (copy.dsseEnvelope.payload = payload)),
        asked,
      ),
    ).not.toBe('verified');
  });
});

describe('the log entries of a bundle', () => {
  it('attacks 6, 7, 10 and 15: an entry of another bundle does not answer for this one', async () => {
    const second = await world.make({ content: { payload: statement({ predicate: { second: true } }) } });
    const swapped = changed(
      good,
      (copy) => (copy.verificationMaterial.tlogEntries = second.verificationMaterial.tlogEntries),
    );
    expect(outcome(swapped, question(trust))).toBe('LOG_ENTRY');
    const foreign = await other.make();
    const elsewhere = changed(
      good,
      (copy) => (copy.verificationMaterial.tlogEntries = foreign.verificationMaterial.tlogEntries),
    );
    expect(outcome(elsewhere, question(trust))).toBe('LOG_PROOF');
    const none = changed(tiled, (copy) => (copy.verificationMaterial.tlogEntries = []));
    expect(outcome(none, question(trust))).toBe('LOG_PROOF');
  });

  it.each(['hashedrekord 0.0.1', 'dsse 0.0.1', 'intoto 0.0.2', 'hashedrekord 0.0.2', 'dsse 0.0.2'] as const)(
    'attack 7: an entry %s that names another key is refused',
    async (name) => {
      const [key, another] = [newKey(), newKey()];
      const content = { payload: statement() };
      const bytes = signedBytes(content);
      const signed = { content, bytes, signature: sign('sha256', bytes, key), certificate: undefined };
      const bundle = await world.make({ key, entries: [] });
      const dsseEnvelope = { ...bundle.dsseEnvelope, signatures: [{ sig: base64(signed.signature) }] };
      const withEntry = async (named: typeof key): Promise<Json> => {
        const tlogEntries = [await world.log(name, { ...signed, key: named })];
        return {
          ...bundle,
          dsseEnvelope,
          verificationMaterial: { ...bundle.verificationMaterial, tlogEntries },
        };
      };
      const asked = question(trust, { signers: [keyed(pemOf(key))] });
      expect(outcome(await withEntry(key), asked)).toBe('verified');
      expect(outcome(await withEntry(another), asked)).toBe('LOG_ENTRY');
    },
  );

  it('attack 17: of several entries all must be good, first or last', async () => {
    const two = await world.make({ entries: ['dsse 0.0.1', 'hashedrekord 0.0.2'] });
    const stranger = await world.make({ entries: ['hashedrekord 0.0.2'] });
    const [first, second] = two.verificationMaterial.tlogEntries;
    const withEntries = (...tlogEntries: Json[]): Json =>
      changed(two, (copy) => (copy.verificationMaterial.tlogEntries = tlogEntries));
    expect(outcome(withEntries(first, second), question(trust))).toBe('verified');
    expect(outcome(withEntries(second, first), question(trust))).toBe('verified');
    expect(outcome(withEntries(first, entryOf(stranger)), question(trust))).toBe('LOG_ENTRY');
    expect(outcome(withEntries(entryOf(stranger), first), question(trust))).toBe('LOG_ENTRY');
    const unproved = changed(second, (copy) => (copy.inclusionProof.hashes[0] = base64(Buffer.alloc(32))));
    expect(outcome(withEntries(first, unproved), question(trust))).toBe('LOG_PROOF');
  });

  it('attack 16: the signature of a checkpoint is verified, and so are promise and proof', () => {
    const note: string = entryOf(tiled).inclusionProof.checkpoint.envelope;
    const [, signature = ''] = / ([A-Za-z0-9+/=]+)\n$/.exec(note) ?? [];
    const forged = note.replace(signature, flipped(signature));
    const wrong: [Json, (copy: Json) => void][] = [
      [tiled, (copy) => (entryOf(copy).inclusionProof.checkpoint.envelope = forged)],
      [tiled, (copy) => entryOf(copy).inclusionProof.hashes.pop()],
      [tiled, (copy) => (entryOf(copy).inclusionProof.hashes[1] = base64(Buffer.alloc(32)))],
      [good, (copy) => (entryOf(copy).inclusionPromise.signedEntryTimestamp = base64(Buffer.alloc(70, 1)))],
      [good, (copy) => (entryOf(copy).logIndex = '1')],
    ];
    for (const [bundle, change] of wrong)
      expect(outcome(changed(bundle, change), question(trust))).toBe('LOG_PROOF');
  });

  it('are of the log that they are said to be of', () => {
    // The library takes any part of the URL for the log's name; the origin is signed by the right key, for another log.
    const checkpoint = (origin: string): string => {
      const text = entryOf(tiled).inclusionProof.checkpoint.envelope.split('\n\n')[0].split('\n');
      const signed = Buffer.from(`${[origin, ...text.slice(1)].join('\n')}\n`);
      const id = Buffer.from(noteKeyId('tiles.rekor.example', createPublicKey(world.tilesKey))).subarray(
        0,
        4,
      );
      const line = base64(Buffer.concat([id, sign(null, signed, world.tilesKey)]));
      return `${signed}\n— ${origin} ${line}\n`;
    };
    const of = (origin: string): Json =>
      changed(tiled, (copy) => (entryOf(copy).inclusionProof.checkpoint.envelope = checkpoint(origin)));
    expect(outcome(of('tiles.rekor.example'), question(trust))).toBe('verified');
    expect(outcome(of('rekor.example'), question(trust))).toBe('LOG_CHECKPOINT');
    expect(outcome(of('tiles.rekor'), question(trust))).toBe('LOG_CHECKPOINT');
  });

  it('must be of a log that was valid then', async () => {
    const windowed = (window: Json): SigstoreTrust =>
      trustOf(changed(world.trustedRoot(), (root) => (root.tlogs[1].publicKey.validFor = window)));
    const [before, now, later] = [
      moment(-1_000).toISOString(),
      moment(-1).toISOString(),
      moment(100).toISOString(),
    ];
    expect(outcome(tiled, question(windowed({ start: before, end: later })))).toBe('verified');
    expect(outcome(tiled, question(windowed({ start: before, end: now })))).toBe('LOG_TIME');
    expect(outcome(tiled, question(windowed({ start: later })))).toBe('LOG_TIME');
    const key = newKey();
    const untimed = await world.make({ key, entries: ['dsse 0.0.2'] });
    const asked = { signers: [keyed(pemOf(key))] };
    expect(outcome(untimed, question(windowed({ start: before }), asked))).toBe('verified');
    expect(outcome(untimed, question(windowed({ start: before, end: later }), asked))).toBe('LOG_TIME');
    expect(outcome(untimed, question(windowed({ start: later }), asked))).toBe('LOG_TIME');
  });

  it('may not stand twice', () => {
    const twice = changed(tiled, (copy) => copy.verificationMaterial.tlogEntries.push(entryOf(tiled)));
    expect(outcome(twice, question(trust))).toBe('LOG_PROOF');
  });
});

describe('the time of signing', () => {
  it('is that of a trusted authority, over this signature', async () => {
    const foreign = await other.make({ entries: ['hashedrekord 0.0.2'], timestamps: 1 });
    const wrong = changed(tiled, ({ verificationMaterial }) => {
      verificationMaterial.timestampVerificationData = foreign.verificationMaterial.timestampVerificationData;
    });
    expect(outcome(wrong, question(trust))).toBe('TIMESTAMP');
    const second = await world.make({ entries: ['hashedrekord 0.0.2'], timestamps: 1 });
    const swapped = changed(tiled, ({ verificationMaterial }) => {
      verificationMaterial.timestampVerificationData = second.verificationMaterial.timestampVerificationData;
    });
    expect(outcome(swapped, question(trust))).toBe('TIMESTAMP');
    const without = changed(tiled, (copy) => delete copy.verificationMaterial.timestampVerificationData);
    expect(outcome(without, question(trust))).toBe('TIMESTAMP');
  });

  it('has passed', () => {
    expect(outcome(good, question(trust, { now: moment(-200) }))).toBe('verified');
    expect(outcome(good, question(trust, { now: moment(-400) }))).toBe('TIMESTAMP');
  });

  it('attack 20: is not too long ago', async () => {
    const day = 24 * 3_600;
    const maxAgeMs = day * 1_000;
    expect(outcome(good, question(trust, { maxAgeMs, now: moment(day) }))).toBe('verified');
    expect(outcome(good, question(trust, { maxAgeMs, now: moment(day + 1) }))).toBe('AGE');
    const key = newKey();
    const untimed = await world.make({ key, entries: ['dsse 0.0.2'] });
    expect(outcome(untimed, question(trust, { signers: [keyed(pemOf(key))], maxAgeMs }))).toBe('AGE');
  });
});

describe('attack 26: JSON of the wrong shape, at every level', () => {
  const wrong = [null, true, 0, -1, 1.5, '', 'x', [], {}, [null], [[]], { a: 1 }];

  function walk(bundle: Json, path: readonly string[], value: Json): void {
    if (typeof value !== 'object' || value === null) return;
    for (const name of Object.keys(value)) {
      for (const replacement of wrong) {
        const copy = structuredClone(bundle);
        path.reduce((node, step) => node[step], copy)[name] = replacement;
        if (outcome(copy, question(trust)) !== 'verified') continue;
        const isSame = meaning(JSON.stringify(copy)) === meaning(JSON.stringify(bundle));
        expect([...path, name, replacement, isSame]).toEqual([...path, name, replacement, true]);
      }
      walk(bundle, [...path, name], value[name]);
    }
  }

  it('is refused and never throws', () => {
    for (const bundle of [good, tiled, file]) walk(bundle, [], bundle);
  });
});
