// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AttestError, type Bundle, openLedger, signStatement } from '../../../attest/index.ts';
import { expectThrown } from '../../expect.ts';
import { appendTo, NOW, newSigner, open, statementBytes, temporaryFolders } from '../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const signer = newSigner();

const entryOf = (bundle: Bundle | undefined) => bundle?.verificationMaterial.tlogEntries[0];
const indexOf = (bundle: Bundle | undefined): number => Number(entryOf(bundle)?.logIndex);
const sizeOf = (bundle: Bundle | undefined): number => Number(entryOf(bundle)?.inclusionProof.treeSize);

describe('a new ledger', () => {
  it('is empty, for its owner only, and keeps its name and key', async () => {
    const directory = join(folders.make(), 'deep', 'state');
    const ledger = open(directory, { origin: 'ledger.example' });
    expect([ledger.size(), [...ledger.records()], ledger.bundle(0)]).toEqual([0, [], undefined]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const file of ['ledger.sqlite3', 'ledger.key'])
      expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
    const root = ledger.trustedRoot();
    await ledger.close();
    const again = open(directory);
    expect(again.trustedRoot()).toEqual(root);
    await again.close();
  });

  it('describes its log as a Sigstore trusted root', async () => {
    const ledger = open(folders.make(), { origin: 'ledger.example' });
    expect(ledger.trustedRoot()).toEqual({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        {
          baseUrl: 'https://ledger.example',
          hashAlgorithm: 'SHA2_256',
          publicKey: {
            rawBytes: expect.stringMatching(/^MCowBQYDK2VwAyEA/),
            keyDetails: 'PKIX_ED25519',
            validFor: { start: '2026-11-24T00:00:00Z' },
          },
          logId: { keyId: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) },
        },
      ],
      certificateAuthorities: [],
      ctlogs: [],
      timestampAuthorities: [],
    });
    await ledger.close();
  });

  it('has a name of its own where none is given', async () => {
    const [one, two] = [open(folders.make()), open(folders.make())];
    const names = [one, two].map((ledger) => ledger.trustedRoot().tlogs[0]?.baseUrl);
    expect(names[0]).toMatch(/^https:\/\/ledger-[0-9a-f]{16}\.countersign\.local$/);
    expect(names[0]).not.toBe(names[1]);
    await Promise.all([one.close(), two.close()]);
  });

  it.each(['Ledger.example', 'a b', '', 'a/b', 'x\n'])('refuses the name %j', (origin) => {
    expectThrown(() => open(folders.make(), { origin }), AttestError, 'LEDGER_UNAVAILABLE');
  });
});

describe('an append', () => {
  it('resolves with a Sigstore bundle v0.3', async () => {
    const ledger = open(folders.make(), { origin: 'ledger.example' });
    const envelope = await signStatement(statementBytes(), signer);
    const bundle = await ledger.append(envelope, signer);
    expect(bundle).toEqual({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        publicKey: { hint: signer.keyId },
        tlogEntries: [
          {
            logIndex: '0',
            logId: ledger.trustedRoot().tlogs[0]?.logId,
            kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
            integratedTime: '0',
            inclusionProof: {
              logIndex: '0',
              rootHash: expect.any(String),
              treeSize: '1',
              hashes: [],
              checkpoint: { envelope: expect.stringMatching(/^ledger\.example\n1\n/) },
            },
            canonicalizedBody: expect.any(String),
          },
        ],
      },
      dsseEnvelope: envelope,
    });
    await ledger.close();
  });

  it('shares one commit and one checkpoint with those of the same turn', async () => {
    const ledger = open(folders.make());
    const envelope = await signStatement(statementBytes(), signer);
    const bundles = await Promise.all(Array.from({ length: 50 }, () => ledger.append(envelope, signer)));
    expect(bundles.map(indexOf)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(new Set(bundles.map((bundle) => entryOf(bundle)?.inclusionProof.checkpoint.envelope)).size).toBe(
      1,
    );
    expect(sizeOf(await appendTo(ledger, signer))).toBe(51);
    await ledger.close();
  });

  it('works for more than one batch at once', async () => {
    const ledger = open(folders.make());
    const envelope = await signStatement(statementBytes(), signer);
    const bundles = await Promise.all(Array.from({ length: 2_500 }, () => ledger.append(envelope, signer)));
    expect(bundles.map(indexOf)).toEqual(Array.from({ length: 2_500 }, (_, index) => index));
    expect(new Set(bundles.map(sizeOf))).toEqual(new Set([1_024, 2_048, 2_500]));
    await ledger.close();
  });

  it('is given out again, byte for byte, now and after opening again', async () => {
    const directory = folders.make();
    const ledger = open(directory);
    const bundles: Bundle[] = [];
    const envelope = await signStatement(statementBytes(), signer);
    for (const batch of [1, 3, 1, 8, 5, 1, 13])
      bundles.push(
        ...(await Promise.all(Array.from({ length: batch }, () => ledger.append(envelope, signer)))),
      );
    expect([...ledger.records()]).toEqual(bundles.map((bundle, index) => ({ index, bundle })));
    await ledger.close();
    const again = open(directory);
    expect(again.size()).toBe(32);
    expect([...again.records()].map(({ bundle }) => JSON.stringify(bundle))).toEqual(
      bundles.map((bundle) => JSON.stringify(bundle)),
    );
    expect([-1, 0.5, 32, Number.NaN].map((index) => again.bundle(index))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    await again.close();
  });

  it('fails alone where its envelope is malformed', async () => {
    const ledger = open(folders.make());
    const good = await signStatement(statementBytes(), signer);
    const bad = [
      { ...good, payload: 'no base64' },
      { ...good, payload: '' },
      { ...good, payload: Buffer.alloc(256 * 1024 + 1).toString('base64') },
      { ...good, signatures: [{ sig: '' }] as const },
      { ...good, signatures: [{ sig: good.signatures[0].sig.replace(/.$/, '') }] as const },
    ];
    const results = await Promise.allSettled([good, ...bad, good].map((each) => ledger.append(each, signer)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      ...bad.map(() => 'rejected'),
      'fulfilled',
    ]);
    for (const result of results)
      if (result.status === 'rejected') {
        expect(result.reason).toBeInstanceOf(AttestError);
        expect(result.reason).toMatchObject({ code: 'BUNDLE_SHAPE' });
      }
    expect(ledger.size()).toBe(2);
    await ledger.close();
  });
});

describe('closing', () => {
  it('waits for appends on their way and refuses later ones', async () => {
    const directory = folders.make();
    const ledger = open(directory);
    const envelope = await signStatement(statementBytes(), signer);
    const appends = Array.from({ length: 10 }, () => ledger.append(envelope, signer));
    const closed = ledger.close();
    await expect(appendTo(ledger, signer)).rejects.toMatchObject({
      name: 'AttestError',
      code: 'LEDGER_UNAVAILABLE',
    });
    expect(await Promise.all(appends)).toHaveLength(10);
    await closed;
    await ledger.close();
    const again = openLedger({ directory, now: () => NOW, create: false });
    expect(again.size()).toBe(10);
    await again.close();
  });
});
