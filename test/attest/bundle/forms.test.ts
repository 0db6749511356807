// SPDX-License-Identifier: Apache-2.0
// Every form of a bundle that is out there verifies, and says what it says.

import { generateKeyPairSync, hash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { NO_SIGSTORE, type SigstoreTrust, verifyAttestation } from '../../../attest/index.ts';
import { bytesOf, keyed, outcome, question, trustOf } from './ask.ts';
import {
  ARTIFACT,
  DIGEST,
  type EntryName,
  IDENTITY,
  ISSUER,
  type Making,
  newKey,
  newWorld,
  PREDICATE_TYPE,
  pemOf,
  SIGNED_AT,
  statement,
  type Version,
  type World,
} from './world.ts';

let world: World;
let trust: SigstoreTrust;
beforeAll(async () => {
  world = await newWorld();
  trust = trustOf(world.trustedRoot());
});

const FORMS: readonly (readonly [Version, EntryName, number])[] = [
  ['0.1', 'dsse 0.0.1', 0],
  ['0.1', 'intoto 0.0.2', 0],
  ['0.2', 'dsse 0.0.1', 0],
  ['0.2', 'dsse 0.0.1', 1],
  ['0.3', 'dsse 0.0.1', 0],
  ['0.3', 'intoto 0.0.2', 1],
  ['0.3', 'hashedrekord 0.0.1', 0],
  ['0.3', 'hashedrekord 0.0.2', 1],
  ['0.3', 'dsse 0.0.2', 1],
];

describe('a bundle', () => {
  it.each(FORMS)(
    'v%s with an entry %s and %d timestamps verifies, keyless and by key',
    async (version, entry, timestamps) => {
      const key = newKey();
      const making: Making = { version, entries: [entry], timestamps };
      expect(outcome(await world.make(making), question(trust))).toBe('verified');
      const signers = [keyed(pemOf(key))];
      expect(outcome(await world.make({ ...making, key }), question(trust, { signers }))).toBe('verified');
    },
  );

  it.each<[Version, EntryName, number]>([
    ['0.1', 'hashedrekord 0.0.1', 0],
    ['0.2', 'hashedrekord 0.0.1', 0],
    ['0.3', 'hashedrekord 0.0.1', 1],
    ['0.3', 'hashedrekord 0.0.2', 1],
  ])(
    'v%s that signs a file, with an entry %s, verifies, keyless and by key',
    async (version, entry, timestamps) => {
      const key = newKey();
      const making: Making = { version, entries: [entry], timestamps, content: { artifact: ARTIFACT } };
      expect(outcome(await world.make(making), question(trust))).toBe('verified');
      const signers = [keyed(pemOf(key))];
      expect(outcome(await world.make({ ...making, key }), question(trust, { signers }))).toBe('verified');
    },
  );

  it('by an Ed25519 key verifies, of a file and of an envelope', async () => {
    const { privateKey: key } = generateKeyPairSync('ed25519');
    const stranger = generateKeyPairSync('ed25519').privateKey;
    for (const content of [{ artifact: ARTIFACT }, { payload: statement() }]) {
      const bundle = await world.make({ key, entries: [], content });
      const asked = (pem: string) => question(NO_SIGSTORE, { signers: [keyed(pem)], requireLog: false });
      expect(outcome(bundle, asked(pemOf(key)))).toBe('verified');
      expect(outcome(bundle, asked(pemOf(stranger)))).toBe('SIGNER');
      expect(outcome(bundle, asked(pemOf(newKey())))).toBe('SIGNER');
    }
  });

  it('with several entries and timestamps verifies', async () => {
    const entries = ['dsse 0.0.1', 'hashedrekord 0.0.2'] as const;
    expect(outcome(await world.make({ entries, timestamps: 1 }), question(trust))).toBe('verified');
  });

  it('by a key verifies with no instance at all, where none is asked for', async () => {
    const key = newKey();
    const bundle = await world.make({ key, entries: [] });
    const asked = question(NO_SIGSTORE, { signers: [keyed(pemOf(key))], requireLog: false });
    expect(outcome(bundle, asked)).toBe('verified');
    expect(outcome(bundle, { ...asked, requireLog: true })).toBe('LOG_PROOF');
  });

  it('by a certificate verifies by a timestamp alone, where no log is asked for', async () => {
    const bundle = await world.make({ entries: [], timestamps: 1 });
    expect(outcome(bundle, question(trust, { requireLog: false }))).toBe('verified');
    expect(outcome(bundle, question(trust))).toBe('LOG_PROOF');
    const without = await world.make({ entries: [] });
    expect(outcome(without, question(trust, { requireLog: false }))).toBe('TIMESTAMP');
  });

  it('gives a claim with the predicate, exact, and who signed', async () => {
    const payload = Buffer.from(statement().toString().replace('9007199254740992', '9007199254740993'));
    const verdict = verifyAttestation(
      bytesOf(await world.make({ content: { payload } })),
      question(trust, { predicateType: PREDICATE_TYPE }),
    );
    expect(verdict).toEqual({
      verified: true,
      claim: {
        subject: `sha256:${DIGEST}`,
        predicateType: PREDICATE_TYPE,
        predicate: { buildDefinition: { buildType: 'https://ci.example/v1' }, run: expect.anything() },
        payload,
        payloadDigest: `sha256:${hash('sha256', payload)}`,
        signer: { kind: 'keyless', name: 'release', issuer: ISSUER, identity: IDENTITY },
        at: SIGNED_AT.toISOString(),
      },
    });
    expect(JSON.stringify(verdict)).toContain('"run":9007199254740993}');
  });

  it('of a file gives a claim without a predicate', async () => {
    const key = newKey();
    const bundle = await world.make({
      key,
      entries: ['hashedrekord 0.0.2'],
      content: { artifact: ARTIFACT },
    });
    const signer = keyed(pemOf(key), 'alice');
    expect(verifyAttestation(bytesOf(bundle), question(trust, { signers: [signer] }))).toEqual({
      verified: true,
      claim: {
        subject: `sha256:${DIGEST}`,
        payload: new Uint8Array(),
        payloadDigest: `sha256:${DIGEST}`,
        signer: { kind: 'key', name: 'alice', keyId: bundle.verificationMaterial.publicKey.hint },
      },
    });
  });
});
