// SPDX-License-Identifier: Apache-2.0
// Keys come to their end and what they signed before holds on; nobody who has such a key later can date anything back.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  AttestError,
  type Bundle,
  type Ledger,
  openFileRows,
  openReader,
  type RecordVerdict,
  readCheckpoint,
  readTrust,
  verifyRecord,
} from '../../../attest/index.ts';
import { checkpointSigner, hashChildren } from '../../../attest/log/index.ts';
import { expectThrown } from '../../expect.ts';
import {
  appendTo,
  newSigner,
  open,
  PREDICATE_TYPE,
  statementBytes,
  temporaryFolders,
  trustedKey,
} from '../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const LATER = new Date('2030-01-01T00:00:00Z');
const END = '2027-01-01T00:00:00Z';
const numbered = (number: number): Buffer => statementBytes({ predicate: { verdict: 'allow', number } });

async function newestNote(directory: string): Promise<string> {
  const rows = openFileRows(directory);
  const newest = await (await openReader(rows)).newest();
  await rows.close();
  return newest?.note ?? '';
}

/** The bundle of an entry over the newest checkpoint, or over the one that was kept, as `records prove` prints it. */
async function proved(directory: string, index: number, note?: string): Promise<Bundle> {
  const rows = openFileRows(directory);
  const reader = await openReader(rows);
  const [row] = await rows.entries(index, index + 1);
  if (row === undefined) throw new Error('no row');
  const kept = readCheckpoint(note ?? '');
  const bundle = await reader.bundle(
    row,
    kept === undefined ? await reader.newest() : { ...kept, note: note ?? '' },
  );
  await rows.close();
  return bundle;
}

/** A trust file: these keys, these logs of which some have an end, and their last checkpoints. */
const trustOf = (keys: readonly object[], logs: readonly object[], finals?: readonly string[]): object => ({
  apiVersion: 'countersign.dev/v1alpha1',
  kind: 'Trust',
  keys,
  logs,
  ...(finals === undefined ? {} : { finals }),
});

function ended(ledger: Ledger, end = END): object {
  const root = ledger.trustedRoot();
  const tlogs = root.tlogs.map((log) => ({
    ...log,
    publicKey: { ...log.publicKey, validFor: { ...log.publicKey.validFor, end } },
  }));
  return { ...root, tlogs };
}

const verify = (bundle: unknown, trust: object): RecordVerdict =>
  verifyRecord(bundle, readTrust(trust), { use: 'record', predicateType: PREDICATE_TYPE, at: LATER });
const codeOf = (verdict: RecordVerdict): string => (verdict.ok ? 'ok' : verdict.code);

describe('a signing key that came to its end', () => {
  it.each([{ notAfter: END }, { revokedAt: END }])(
    'has signed what a kept checkpoint covers: %j',
    async (dates) => {
      const directory = folders.make();
      const ledger = open(directory);
      const [old, next] = [newSigner(), newSigner()];
      const before = [await appendTo(ledger, old, numbered(0)), await appendTo(ledger, old, numbered(1))];
      const until = await newestNote(directory);
      // The key was stolen; the thief signs, and the ledger takes it.
      const forged = await appendTo(ledger, old, numbered(2));
      const after = await appendTo(ledger, next, numbered(3));
      const keys = [trustedKey(old, { ...dates, until }), trustedKey(next, { name: 'next' })];
      const trust = trustOf(keys, [ledger.trustedRoot()]);
      // The one that was given out under that checkpoint, and the other once it is proved by it.
      expect(before.map((bundle) => codeOf(verify(bundle, trust)))).toEqual(['KEY_TIME', 'ok']);
      expect(codeOf(verify(await proved(directory, 0, until), trust))).toBe('ok');
      // By a later checkpoint the place is the same, but a log that was made since could show it as well.
      expect(codeOf(verify(await proved(directory, 1), trust))).toBe('KEY_TIME');
      expect(codeOf(verify(forged, trust))).toBe('KEY_TIME');
      expect(codeOf(verify(await proved(directory, 2), trust))).toBe('KEY_TIME');
      expect(codeOf(verify(after, trust))).toBe('ok');
      // Without the checkpoint nothing says when anything was signed.
      const dateOnly = trustOf([trustedKey(old, dates)], [ledger.trustedRoot()]);
      expect(codeOf(verify(before[0], dateOnly))).toBe('KEY_TIME');
      await ledger.close();
    },
  );

  it('is not made younger by an index that is not its own, nor by another log', async () => {
    const [directory, elsewhere] = [folders.make(), folders.make()];
    const [ledger, other] = [open(directory), open(elsewhere)];
    const old = newSigner();
    for (let number = 0; number < 3; number++) await appendTo(ledger, old, numbered(number));
    const until = await newestNote(directory);
    const forged = await appendTo(ledger, old, numbered(9));
    const trust = trustOf(
      [trustedKey(old, { revokedAt: END, until })],
      [ledger.trustedRoot(), other.trustedRoot()],
    );
    const lying = structuredClone(forged);
    const [entry] = lying.verificationMaterial.tlogEntries;
    if (entry === undefined) throw new Error('no entry');
    Object.assign(entry, { logIndex: '1' });
    Object.assign(entry.inclusionProof, { logIndex: '1' });
    expect(codeOf(verify(lying, trust))).toBe('KEY_TIME');
    // First in another log that is trusted as well, whose index is as small.
    expect(codeOf(verify(await appendTo(other, old, numbered(9)), trust))).toBe('KEY_TIME');
    await Promise.all([ledger.close(), other.close()]);
  });
});

describe('whoever has the key of the ledger as well as a revoked one', () => {
  /** The record with a proof in a log made by hand: this record, and after it leaves with these hashes, two and two. */
  function inForgedLog(bundle: Bundle, ledger: Ledger, key: KeyObject, above: readonly Buffer[]): Bundle {
    const forged = structuredClone(bundle);
    const [entry] = forged.verificationMaterial.tlogEntries;
    const [log] = ledger.trustedRoot().tlogs;
    if (entry === undefined || log === undefined) throw new Error('no entry');
    const leaf: Uint8Array = Buffer.from(entry.inclusionProof.rootHash, 'base64');
    const root = above.reduce<Uint8Array>((left, right) => hashChildren(left, right), leaf);
    const size = 2 ** above.length;
    Object.assign(entry, { logId: log.logId });
    Object.assign(entry.inclusionProof, {
      rootHash: Buffer.from(root).toString('base64'),
      treeSize: String(size),
      hashes: above.map((hash) => hash.toString('base64')),
      checkpoint: { envelope: checkpointSigner(log.baseUrl.slice('https://'.length), key)(size, root) },
    });
    return forged;
  }

  it('cannot date back with another log of that name, shorter, as long or longer', async () => {
    const directory = folders.make();
    const ledger = open(directory);
    const old = newSigner();
    for (let number = 0; number < 2; number++) await appendTo(ledger, old, numbered(number));
    const until = await newestNote(directory);
    const revoked = trustOf([trustedKey(old, { revokedAt: END, until })], [ledger.trustedRoot()]);
    const valid = trustOf([trustedKey(old)], [ledger.trustedRoot()]);
    const key = createPrivateKey(readFileSync(join(directory, 'ledger.key'), 'utf8'));
    const fork = open(folders.make(), { origin: 'fork.example' });
    const first = await appendTo(fork, old, numbered(9));
    for (const above of [[], [Buffer.alloc(32, 1)], [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]]) {
      const forged = inForgedLog(first, ledger, key, above);
      // Nothing is wrong with it but that it is not the log of which the checkpoint was kept.
      expect(codeOf(verify(forged, valid))).toBe('ok');
      expect(codeOf(verify(forged, revoked))).toBe('KEY_TIME');
    }
    const [entry] = inForgedLog(first, ledger, key, [Buffer.alloc(32, 1)]).verificationMaterial.tlogEntries;
    const lying = structuredClone(first);
    // The kept checkpoint itself, under which the forged record is not.
    Object.assign(lying.verificationMaterial, { tlogEntries: [structuredClone(entry)] });
    const [forgedEntry] = lying.verificationMaterial.tlogEntries;
    if (forgedEntry === undefined) throw new Error('no entry');
    Object.assign(forgedEntry.inclusionProof, {
      rootHash: until.split('\n')[2],
      checkpoint: { envelope: until },
    });
    expect(codeOf(verify(lying, revoked))).toBe('LOG_PROOF');
    await Promise.all([ledger.close(), fork.close()]);
  });

  it('is told that the kept checkpoint has to prove it', async () => {
    const directory = folders.make();
    const ledger = open(directory);
    const old = newSigner();
    const first = await appendTo(ledger, old, numbered(0));
    await appendTo(ledger, old, numbered(1));
    const until = await newestNote(directory);
    const reasonOf = (dates: object): unknown =>
      verify(first, trustOf([trustedKey(old, { ...dates, until })], [ledger.trustedRoot()]));
    expect(reasonOf({ revokedAt: END })).toEqual({
      ok: false,
      code: 'KEY_TIME',
      reason: `key "ci" was revoked at ${END}, but for what the checkpoint that was kept proves`,
    });
    expect(reasonOf({ notAfter: END })).toEqual({
      ok: false,
      code: 'KEY_TIME',
      reason: `key "ci" is not valid after ${END}, but for what the checkpoint that was kept proves`,
    });
    await ledger.close();
  });
});

describe("a log's key that came to its end", () => {
  it('has signed what its last checkpoint proves, and that alone', async () => {
    const [directory, successor] = [folders.make(), folders.make()];
    const ledger = open(directory, { origin: 'ledger.example' });
    const signer = newSigner();
    const given = [await appendTo(ledger, signer, numbered(0)), await appendTo(ledger, signer, numbered(1))];
    const final = await newestNote(directory);
    const late = await appendTo(ledger, signer, numbered(2));
    const next = open(successor, { origin: 'ledger.example' });
    const trust = trustOf([trustedKey(signer)], [ended(ledger), next.trustedRoot()], [final]);
    // The one that was given out under the last checkpoint, and the other once it is proved by it.
    expect(codeOf(verify(given[1], trust))).toBe('ok');
    expect(codeOf(verify(given[0], trust))).toBe('LOG_TIME');
    const rows = openFileRows(directory);
    const reader = await openReader(rows);
    const [row] = await rows.entries(0, 1);
    const stored = await rows.checkpointOver(1);
    if (row === undefined || stored === undefined) throw new Error('no row');
    const again = await reader.bundle(row, {
      ...stored,
      root: Buffer.from(final.split('\n')[2] ?? '', 'base64'),
    });
    await rows.close();
    expect(codeOf(verify(again, trust))).toBe('ok');
    // What the old key signed later, and what its successor signs under the same name.
    expect(codeOf(verify(late, trust))).toBe('LOG_TIME');
    expect(codeOf(verify(await appendTo(next, signer, numbered(3)), trust))).toBe('ok');
    await Promise.all([ledger.close(), next.close()]);
  });

  it('cannot sign another tree of the same size', async () => {
    const directory = folders.make();
    const ledger = open(directory);
    const signer = newSigner();
    const good = await appendTo(ledger, signer, numbered(0));
    const final = await newestNote(directory);
    const fork = folders.make();
    expect(codeOf(verify(good, trustOf([trustedKey(signer)], [ended(ledger)], [final])))).toBe('ok');
    // Whoever has the key makes a log of one other record, by hand: its leaf is its root.
    const key = createPrivateKey(readFileSync(join(directory, 'ledger.key'), 'utf8'));
    const origin = ledger.trustedRoot().tlogs[0]?.baseUrl.slice(8) ?? '';
    const other = await appendTo(open(fork, { origin: 'fork.example' }), signer, numbered(1));
    const forged = structuredClone(other);
    const [entry] = forged.verificationMaterial.tlogEntries;
    if (entry === undefined) throw new Error('no entry');
    const note = checkpointSigner(origin, key)(1, Buffer.from(entry.inclusionProof.rootHash, 'base64'));
    Object.assign(entry, { logId: good.verificationMaterial.tlogEntries[0]?.logId });
    Object.assign(entry.inclusionProof, { checkpoint: { envelope: note } });
    expect(codeOf(verify(forged, trustOf([trustedKey(signer)], [ledger.trustedRoot()])))).toBe('ok');
    expect(codeOf(verify(forged, trustOf([trustedKey(signer)], [ended(ledger)], [final])))).toBe('LOG_TIME');
    await ledger.close();
  });
});

describe('a trust file with kept checkpoints', () => {
  it('is refused where they are none, of no log of it, twice, or without the end that they are about', async () => {
    const directory = folders.make();
    const ledger = open(directory);
    const signer = newSigner();
    await appendTo(ledger, signer);
    const note = await newestNote(directory);
    const stranger = checkpointSigner('stranger.example', generateKeyPairSync('ed25519').privateKey)(
      1,
      Buffer.alloc(32),
    );
    const logs = [ledger.trustedRoot()];
    for (const wrong of [
      trustOf([trustedKey(signer, { until: note })], logs),
      trustOf([trustedKey(signer, { until: 'no note', revokedAt: END })], logs),
      trustOf([trustedKey(signer, { until: stranger, revokedAt: END })], logs),
      trustOf([trustedKey(signer)], [ended(ledger)], ['no note']),
      trustOf([trustedKey(signer)], [ended(ledger)], [stranger]),
      trustOf([trustedKey(signer)], [ended(ledger)], [note, note]),
      trustOf([trustedKey(signer)], logs, [note]),
    ])
      expectThrown(() => readTrust(wrong), AttestError, 'TRUST_SHAPE');
    await ledger.close();
  });
});
