// SPDX-License-Identifier: Apache-2.0
// A key that was stolen and revoked, and a log that has ended: what the thief dates back holds nowhere.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Ledger, openFileRows, openInputs, openLedger, openReader } from '../../../attest/index.ts';
import { readArchive } from '../../../engine/archive/index.ts';
import { appendTo, newSigner, temporaryFolders, trustedKey, trustOf } from '../../attest/fixture.ts';
import { statementWith } from '../../engine/record/fixture.ts';
import { countersign, type Outcome } from '../world.ts';

const folders = temporaryFolders();
const state = folders.make();
const elsewhere = folders.make();
const signer = newSigner();
const END = '2026-11-24T12:00:00Z';
const NOW = new Date('2026-12-24T12:00:00Z');
let until = '';
let ledger: Ledger;

const idOf = (index: number): string => `019ab500-0000-7000-8000-${String(index).padStart(12, '0')}`;
const append = async (index: number): Promise<unknown> =>
  appendTo(
    ledger,
    signer,
    statementWith({
      id: idOf(index),
      time: '2026-11-20T10:00:00.000Z',
      startBy: '2026-11-21T10:00:00.000Z',
      scope: { environment: 'production', operations: ['CREATE'] },
    }),
  );

beforeAll(async () => {
  ledger = openLedger({ directory: state, now: () => new Date('2026-10-01T00:00:00Z'), create: true });
  await append(0);
  await append(1);
  const rows = openFileRows(state);
  until = (await (await openReader(rows)).newest())?.note ?? '';
  await rows.close();
  // After the theft: the time that it states is the thief's word.
  await append(2);
  openInputs(state, { create: true }).close();
  await ledger.close();
});
afterAll(() => folders.removeAll());

const trusting = (file: object): void => writeFileSync(join(state, 'trust.json'), JSON.stringify(file));
/** A key with these dates, in a log that may have an end. */
const keyed = (dates: object): object => trustOf([trustedKey(signer, dates)], [ledger]);
const logEnded = (more: object): object => {
  const file = JSON.parse(JSON.stringify(keyed({})));
  file.logs[0].tlogs[0].publicKey.validFor.end = END;
  return { ...file, ...more };
};

const SPAN = ['--from', '2026-11-01', '--to', '2026-12-01', '--state', state];
const at = (...argv: string[]): Promise<Outcome> => countersign(argv, { now: () => NOW });
/** The ids that do not hold, by replay. */
const refused = async (...argv: string[]): Promise<readonly string[]> => {
  const { out } = await at('replay', ...SPAN, '--format', 'json', ...argv);
  return JSON.parse(out).refused.map(({ id }: { id: string }) => id);
};
const sample = async (): Promise<{ readonly out: string; readonly exit: number }> => {
  const out = join(folders.make(), 'sample');
  const argv = ['--env', 'production', ...SPAN, '--seed', 's', '--out', out];
  return { out, exit: (await at('report', 'sample', ...argv)).exit };
};
const pack = async (): Promise<{ readonly folder: string; readonly err: string }> => {
  const out = join(folders.make(), 'pack.tar.gz');
  const { err } = await at('report', 'evidence', '--framework', 'soc2', ...SPAN, '--out', out);
  const folder = folders.make();
  for (const { path, bytes } of readArchive(readFileSync(out), out)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return { folder, err };
};
const saysNo = (index: number): string => `no  ${idOf(index)} does not hold\n`;

describe.each<[string, () => { readonly none: object; readonly kept: object }]>([
  ['a revoked key', () => ({ none: keyed({ revokedAt: END }), kept: keyed({ revokedAt: END, until }) })],
  ['an expired key', () => ({ none: keyed({ notAfter: END }), kept: keyed({ notAfter: END, until }) })],
  ['a log that has ended', () => ({ none: logEnded({}), kept: logEnded({ finals: [until] }) })],
])('%s', (_, files) => {
  it('holds for nothing where no checkpoint was kept', async () => {
    trusting(files().none);
    expect(await refused()).toEqual([idOf(0), idOf(1), idOf(2)]);
    expect((await sample()).exit).toBe(1);
    const { folder, err } = await pack();
    expect(err).toBe(saysNo(0) + saysNo(1) + saysNo(2));
    expect(readFileSync(join(folder, 'report.md'), 'utf8')).not.toContain('--at');
  });

  it('holds for what the kept checkpoint proves, and verify record says the same', async () => {
    trusting(files().kept);
    expect(await refused()).toEqual([idOf(2)]);
    const { out, exit } = await sample();
    expect({ exit, drawn: readdirSync(join(out, 'changes')).length }).toEqual({ exit: 1, drawn: 3 });
    for (const index of [0, 1, 2]) {
      const folder = join(out, 'changes', idOf(index));
      const page = readFileSync(join(folder, 'page.md'), 'utf8');
      expect(page.includes('--at')).toBe(false);
      expect(page.includes('; that it was signed before cannot be shown')).toBe(index === 2);
      const argv = ['verify', 'record', join(folder, 'record.json'), '--trust', join(out, 'trust.json')];
      const { out: said } = await at(...argv, '--format', 'json');
      const names = JSON.parse(said).checks.map(({ name }: { name: string }) => name);
      expect(names[0]).toBe(index === 2 ? 'signature and ledger' : 'signature');
    }
    expect((await pack()).err).toBe(saysNo(2));
  });
});

describe('a key that ends later', () => {
  it('is asked at the time when it had just signed, which the reports name', async () => {
    trusting(keyed({ notAfter: '2027-01-01T00:00:00Z' }));
    expect(await refused()).toEqual([]);
    const { folder, err } = await pack();
    expect(err).toBe('');
    expect(readFileSync(join(folder, 'report.md'), 'utf8')).toContain('--at 2026-11-20T10:01:00.000Z');
  });
});

describe('a checkpoint that the ledger does not have', () => {
  it('proves nothing', async () => {
    const other = openLedger({
      directory: elsewhere,
      now: () => new Date('2026-10-01T00:00:00Z'),
      create: true,
    });
    await appendTo(other, signer);
    const rows = openFileRows(elsewhere);
    const note = (await (await openReader(rows)).newest())?.note ?? '';
    await rows.close();
    trusting(trustOf([trustedKey(signer, { revokedAt: END, until: note })], [ledger, other]));
    await other.close();
    expect(await refused()).toEqual([idOf(0), idOf(1), idOf(2)]);
  });
});
