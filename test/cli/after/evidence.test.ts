// SPDX-License-Identifier: Apache-2.0
// From a control to the proof, with nothing but what is in the pack.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLedger } from '../../../attest/index.ts';
import { readArchive } from '../../../engine/archive/index.ts';
import { appendTo, newSigner, temporaryFolders, trustedKey, trustOf } from '../../attest/fixture.ts';
import { statementWith } from '../../engine/record/fixture.ts';
import { countersign, type Outcome } from '../world.ts';

const folders = temporaryFolders();
const state = folders.make();
const signer = newSigner();
afterAll(() => folders.removeAll());

const idOf = (index: number): string => `019ab500-0000-7000-8000-${String(index).padStart(12, '0')}`;
const finding = {
  rule: 'rbac.wildcard',
  result: 'fail',
  severity: 'high',
  object: '/Pod/shop/web',
  controls: [],
};
const RECORDS = [
  { passed: { 'pod.privileged': 1, 'rbac.wildcard': 1 } },
  { passed: { 'pod.privileged': 1, 'rbac.wildcard': 0 }, verdict: 'deny', findings: [finding] },
  { passed: { 'own.rule': 1 }, scope: { environment: 'staging', operations: ['CREATE'] } },
];

beforeAll(async () => {
  const ledger = openLedger({ directory: state, now: () => new Date('2026-10-01T00:00:00Z'), create: true });
  for (const [index, changes] of RECORDS.entries()) {
    const scope = { environment: 'production', operations: ['CREATE'] };
    await appendTo(ledger, signer, statementWith({ scope, ...changes, id: idOf(index) }));
  }
  writeFileSync(join(state, 'trust.json'), JSON.stringify(trustOf([trustedKey(signer)], [ledger])));
  await ledger.close();
});

const pack = (out: string, ...argv: string[]): Promise<Outcome> =>
  countersign(['report', 'evidence', '--from', '2026-11-01', '--state', state, '--out', out, ...argv]);

/** Unpacks into a folder of its own. */
function unpack(file: string): string {
  const folder = folders.make();
  for (const { path, bytes } of readArchive(readFileSync(file), file)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}

describe('report evidence', () => {
  it('leads from controls to rules to decisions to records that verify', async () => {
    const out = join(folders.make(), 'pack.tar.gz');
    expect(await pack(out, '--framework', 'soc2')).toEqual({
      exit: 0,
      out: `${out}: 3 records for 5 controls\n`,
      err: '',
    });
    const folder = unpack(out);
    const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
    expect(index).toMatchObject({ kind: 'EvidencePack', framework: 'soc2', failing: [] });
    expect(index.controls[0]).toEqual({
      id: 'CC6.1',
      title: expect.any(String),
      rules: [{ rule: 'rbac.wildcard', held: [idOf(0)], found: [idOf(1)] }],
    });
    expect(index.controls[2]).toMatchObject({ id: 'CC6.8', rules: [] });
    expect(index.decisions[1]).toMatchObject({ id: idOf(1), verdict: 'deny', environment: 'production' });
    const report = readFileSync(join(folder, 'report.md'), 'utf8');
    expect(report).toContain('3 decisions, 2 allowed, 1 denied, 0 without an answer');
    expect(report).toContain('No rule of this control was evaluated: there is no evidence.');
    const argv = ['--trust', join(folder, 'trust.json'), '--at', '2026-11-24T11:01:00Z'];
    const record = join(folder, index.decisions[0].record);
    expect(await countersign(['verify', 'record', record, ...argv])).toMatchObject({ exit: 0 });
  });

  it('is the same bytes for the same records', async () => {
    const [one, two] = [join(folders.make(), 'a.tar.gz'), join(folders.make(), 'a.tar.gz')];
    for (const out of [one, two]) await pack(out, '--framework', 'soc2', '--to', '2026-12-01');
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
  });

  it('takes controls of one’s own, and one environment', async () => {
    const file = join(folders.make(), 'own.yaml');
    writeFileSync(file, 'kind: Controls\nname: own\ncontrols: [{id: A, title: t, rules: [own.*]}]\n');
    const out = join(folders.make(), 'pack.tar.gz');
    expect(await pack(out, '--framework', file, '--env', 'stag*')).toMatchObject({
      exit: 0,
      out: `${out}: 1 record for 1 control\n`,
    });
    writeFileSync(file, 'kind: Controls\nname: own\ncontrols: []\n');
    expect(await pack(out, '--framework', file)).toMatchObject({ exit: 4 });
    expect(await pack(out, '--framework', 'no-such')).toMatchObject({ exit: 3 });
  });

  it('names records that do not hold, and packs them all the same', async () => {
    const trust = join(folders.make(), 'trust.json');
    writeFileSync(trust, readFileSync(join(state, 'trust.json'), 'utf8').replace('"*"', '"staging"'));
    const out = join(folders.make(), 'pack.tar.gz');
    const { exit, err } = await pack(out, '--framework', 'soc2', '--trust', trust);
    expect({ exit, err }).toEqual({
      exit: 1,
      err: `no  ${idOf(0)} does not hold\nno  ${idOf(1)} does not hold\n`,
    });
    expect(JSON.parse(readFileSync(join(unpack(out), 'index.json'), 'utf8')).failing.length).toBe(2);
  });

  it('of nothing is no pass', async () => {
    const out = join(folders.make(), 'pack.tar.gz');
    expect(await pack(out, '--framework', 'soc2', '--env', 'nowhere')).toMatchObject({ exit: 3 });
    expect(await countersign(['report', 'evidence'])).toMatchObject({ exit: 2 });
  });
});
