// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair, parseTrust, readSigner, verifyRecord } from '../../../attest/index.ts';
import { SUMMARY_PREDICATE_TYPE } from '../../../engine/record/vsa.ts';
import { appendTo, open, temporaryFolders, trustedKey, trustOf } from '../../attest/fixture.ts';
import { hex, statementWith } from '../../engine/record/fixture.ts';
import { countersign } from '../world.ts';

const folders = temporaryFolders();
const folder = folders.make();
const at = (name: string): string => join(folder, name);
const { privateKeyPem } = generateKeyPair();
const signer = readSigner(privateKeyPem);
const ledger = open(at('state'));
afterAll(async () => {
  await ledger.close();
  folders.removeAll();
});

const SCOPE = { scope: { environment: 'live', operations: ['CREATE'] }, projectDigest: { sha256: hex('5') } };

async function vsa(
  predicate: object,
  ...more: string[]
): Promise<{ exit: number; out: string; err: string }> {
  const bundle = await appendTo(ledger, signer, statementWith({ ...SCOPE, ...predicate }));
  writeFileSync(at('record.json'), JSON.stringify(bundle));
  writeFileSync(at('trust.json'), JSON.stringify(trustOf([trustedKey(signer)], [ledger])));
  writeFileSync(at('key.pem'), privateKeyPem, { mode: 0o600 });
  const flags = [
    '--trust',
    at('trust.json'),
    '--key',
    at('key.pem'),
    '--state',
    at('state'),
    '--out',
    at('vsa.json'),
  ];
  return countersign(['report', 'vsa', at('record.json'), ...flags, ...more]);
}

describe('report vsa', () => {
  it('signs the summary of a record that holds, in the ledger as the record is', async () => {
    expect(await vsa({})).toMatchObject({ exit: 0, err: '' });
    const verdict = verifyRecord(readFileSync(at('vsa.json')), parseTrust(readFileSync(at('trust.json'))), {
      use: 'record',
      predicateType: SUMMARY_PREDICATE_TYPE,
      at: new Date('2026-11-24T12:00:00Z'),
    });
    expect(verdict).toMatchObject({ ok: true, value: { subjects: [{ name: 'set.txt' }] } });
  });

  it('makes none of a deny, of one too late, or for another environment', async () => {
    for (const [predicate, argv, why] of [
      [{ verdict: 'deny' }, [], 'decision'],
      [{ startBy: '2026-11-24T11:30:00.000Z' }, [], 'time'],
      [{}, ['--env', 'test'], 'environment'],
    ] as const) {
      writeFileSync(at('vsa.json'), '');
      const { exit, err } = await vsa(predicate, ...argv);
      expect({ exit, says: err.includes(`no  ${why}: `) }).toEqual({ exit: 1, says: true });
      expect(existsSync(at('vsa.json')) && readFileSync(at('vsa.json'), 'utf8')).toBe('');
    }
  });

  it('wants a record, a key and a place', async () => {
    expect(await countersign(['report', 'vsa', at('record.json')])).toMatchObject({ exit: 2, out: '' });
  });
});
