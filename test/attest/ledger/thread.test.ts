// SPDX-License-Identifier: Apache-2.0
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  AttestError,
  openLedgerThread,
  readTrust,
  signStatement,
  verifyRecord,
} from '../../../attest/index.ts';
import {
  appendTo,
  newSigner,
  open,
  PREDICATE_TYPE,
  statementBytes,
  temporaryFolders,
  trustedKey,
  trustOf,
} from '../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const signer = newSigner();

/** A folder with a ledger that was made and closed. */
async function made(): Promise<string> {
  const folder = folders.make();
  await open(folder).close();
  return folder;
}

const refusal = (append: Promise<unknown>): Promise<unknown> =>
  append.then(
    () => 'appended',
    (error: unknown) => error,
  );

describe('a ledger in a thread of its own', () => {
  it('appends as the ledger itself does: each bundle is the one that the file gives out, and verifies', async () => {
    const folder = await made();
    const thread = openLedgerThread(folder);
    const statements = Array.from({ length: 20 }, (_, number) =>
      statementBytes({ predicate: { verdict: 'allow', number } }),
    );
    const bundles = await Promise.all(
      statements.map(async (bytes) => thread.append(await signStatement(bytes, signer), signer)),
    );
    await thread.close();
    const ledger = open(folder);
    expect(ledger.size()).toBe(20);
    const trust = readTrust(trustOf([trustedKey(signer)], [ledger]));
    for (const bundle of bundles) {
      const index = Number(bundle.verificationMaterial.tlogEntries[0]?.logIndex);
      expect(bundle).toEqual(ledger.bundle(index));
      expect(verifyRecord(bundle, trust, { use: 'record', predicateType: PREDICATE_TYPE }).ok).toBe(true);
    }
    await ledger.close();
  });

  it('finishes what is on its way before it closes, and takes nothing after', async () => {
    const folder = await made();
    const thread = openLedgerThread(folder);
    const envelope = await signStatement(statementBytes(), signer);
    const appended = thread.append(envelope, signer);
    const closed = thread.close();
    expect(await refusal(thread.append(envelope, signer))).toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: 'the ledger is closed',
    });
    expect((await appended).dsseEnvelope).toEqual(envelope);
    await closed;
    expect(await thread.close()).toBeUndefined();
    const ledger = open(folder);
    expect(ledger.size()).toBe(1);
    await ledger.close();
  });

  it('closes without ever having been used', async () => {
    expect(await openLedgerThread(await made()).close()).toBeUndefined();
  });

  it("hands over the ledger's errors, and works again when their cause is gone", async () => {
    const folder = folders.make();
    const thread = openLedgerThread(folder);
    const envelope = await signStatement(statementBytes(), signer);
    const error = await refusal(thread.append(envelope, signer));
    expect(error).toBeInstanceOf(AttestError);
    expect(error).toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    const bad = { ...envelope, payload: 'no base64' };
    await open(folder).close();
    expect(await refusal(thread.append(bad, signer))).toMatchObject({ code: 'BUNDLE_SHAPE' });
    expect((await thread.append(envelope, signer)).dsseEnvelope).toEqual(envelope);
    await thread.close();
  });

  it('refuses to go on in a file that was put in the place of its own', async () => {
    const folder = await made();
    const thread = openLedgerThread(folder);
    const envelope = await signStatement(statementBytes(), signer);
    await thread.append(envelope, signer);
    rmSync(join(folder, 'ledger.sqlite3'));
    writeFileSync(join(folder, 'ledger.sqlite3'), '');
    expect(await refusal(thread.append(envelope, signer))).toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await thread.close();
  });

  it('shares one file with appends of other threads', async () => {
    const folder = await made();
    const [one, two, own] = [openLedgerThread(folder), openLedgerThread(folder), open(folder)];
    await Promise.all([one, two, own, one, two, own].map((ledger) => appendTo(ledger, signer)));
    await Promise.all([one.close(), two.close()]);
    expect(own.size()).toBe(6);
    await own.close();
  });
});
