// SPDX-License-Identifier: Apache-2.0
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  AttestError,
  generateKeyPair,
  openRecorder,
  type Recorder,
  readSigner,
  readTrust,
  verifyRecord,
} from '../../../attest/index.ts';
import {
  appendTo,
  open,
  PREDICATE_TYPE,
  statementBytes,
  temporaryFolders,
  trustedKey,
  trustOf,
} from '../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const { privateKeyPem } = generateKeyPair();
const signer = readSigner(privateKeyPem);

/** A folder with a ledger that was made and closed. */
async function made(): Promise<string> {
  const folder = folders.make();
  await open(folder).close();
  return folder;
}
const recorderOf = (directory: string): Recorder =>
  openRecorder({ directory, key: { key: privateKeyPem, env: {} } });

const refusal = (record: Promise<unknown>): Promise<unknown> =>
  record.then(
    () => 'recorded',
    (error: unknown) => error,
  );

describe('a recorder', () => {
  it('signs and appends what it is given: each index is that of its record, which verifies', async () => {
    const folder = await made();
    const recorder = recorderOf(folder);
    const statements = Array.from({ length: 20 }, (_, number) =>
      statementBytes({ predicate: { verdict: 'allow', number } }),
    );
    const records = await Promise.all(statements.map((bytes) => recorder.record(bytes)));
    await recorder.close();
    const ledger = open(folder);
    expect(ledger.size()).toBe(20);
    const trust = readTrust(trustOf([trustedKey(signer)], [ledger]));
    for (const [number, { logIndex }] of records.entries()) {
      const verdict = verifyRecord(ledger.bundle(logIndex), trust, {
        use: 'record',
        predicateType: PREDICATE_TYPE,
      });
      expect(verdict).toMatchObject({ ok: true });
      if (verdict.ok) expect(Buffer.from(verdict.value.statement)).toEqual(statements[number]);
    }
    await ledger.close();
  });

  it('shares one commit among what is asked for in one turn', async () => {
    const folder = await made();
    const recorder = recorderOf(folder);
    await Promise.all(Array.from({ length: 50 }, () => recorder.record(statementBytes())));
    await recorder.close();
    const ledger = open(folder);
    const notes = [...ledger.records()].map(
      ({ bundle }) => bundle.verificationMaterial.tlogEntries[0]?.inclusionProof.checkpoint.envelope,
    );
    expect([notes.length, new Set(notes).size]).toEqual([50, 1]);
    await ledger.close();
  });

  it('finishes what is on its way before it closes, and takes nothing after', async () => {
    const folder = await made();
    const recorder = recorderOf(folder);
    const recorded = recorder.record(statementBytes());
    const closed = recorder.close();
    expect(await refusal(recorder.record(statementBytes()))).toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: 'the ledger is closed',
    });
    expect(await recorded).toEqual({ logIndex: 0 });
    await closed;
    expect(await recorder.close()).toBeUndefined();
    const ledger = open(folder);
    expect(ledger.size()).toBe(1);
    await ledger.close();
  });

  it('closes without ever having been used', async () => {
    expect(await recorderOf(await made()).close()).toBeUndefined();
  });

  it("hands over the ledger's errors, and works again when their cause is gone", async () => {
    const folder = folders.make();
    const recorder = recorderOf(folder);
    const error = await refusal(recorder.record(statementBytes()));
    expect(error).toBeInstanceOf(AttestError);
    expect(error).toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await open(folder).close();
    // One bad statement fails alone.
    const [bad, good] = await Promise.all([
      refusal(recorder.record(Buffer.alloc(0))),
      recorder.record(statementBytes()),
    ]);
    expect(bad).toMatchObject({ code: 'BUNDLE_SHAPE' });
    expect(good).toEqual({ logIndex: 0 });
    await recorder.close();
  });

  it('has no record without a key', async () => {
    const recorder = openRecorder({ directory: await made(), key: { key: 'no key', env: {} } });
    expect(await refusal(recorder.record(statementBytes()))).toMatchObject({ code: 'KEY_UNREADABLE' });
    await recorder.close();
  });

  it('refuses to go on in a file that was put in the place of its own', async () => {
    const folder = await made();
    const recorder = recorderOf(folder);
    await recorder.record(statementBytes());
    rmSync(join(folder, 'ledger.sqlite3'));
    writeFileSync(join(folder, 'ledger.sqlite3'), '');
    expect(await refusal(recorder.record(statementBytes()))).toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await recorder.close();
  });

  it('shares one file with others', async () => {
    const folder = await made();
    const [one, two, own] = [recorderOf(folder), recorderOf(folder), open(folder)];
    await Promise.all([
      ...[one, two, one, two].map((recorder) => recorder.record(statementBytes())),
      ...[own, own].map((ledger) => appendTo(ledger, signer)),
    ]);
    await Promise.all([one.close(), two.close()]);
    expect(own.size()).toBe(6);
    await own.close();
  });
});
