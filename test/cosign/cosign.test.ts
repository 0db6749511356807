// SPDX-License-Identifier: Apache-2.0
// Stock cosign accepts our records against our trusted root, with no flag that weakens it, and refuses what the ledger does not
// hold. COUNTERSIGN_COSIGN names the program; without it the suite is skipped, but fails where CI is set. Not part of `npm test`.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bundle, type Ledger, signStatement } from '../../attest/index.ts';
import { appendTo, newSigner, open, PREDICATE_TYPE, temporaryFolders } from '../attest/fixture.ts';

const cosign = process.env['COUNTERSIGN_COSIGN'];
const folders = temporaryFolders();
afterAll(() => folders.removeAll());

if (cosign === undefined || cosign === '') {
  if (process.env['CI'] !== undefined && process.env['CI'] !== '') {
    it('has cosign to check with', () => {
      throw new Error('COUNTERSIGN_COSIGN does not name a cosign');
    });
  } else {
    process.stderr.write('skipped: COUNTERSIGN_COSIGN does not name a cosign 3.1.3\n');
    describe.skip('stock cosign', () => {
      it('accepts our records', () => undefined);
    });
  }
} else {
  describe('stock cosign', () => {
    const signer = newSigner();
    const directory = folders.make();
    const at = (name: string): string => join(directory, name);
    let ledger: Ledger;
    let otherLedger: Ledger;
    let records: Bundle[];

    beforeAll(async () => {
      ledger = open(folders.make());
      otherLedger = open(folders.make());
      const single = await appendTo(ledger, signer);
      const batch = await Promise.all(Array.from({ length: 5 }, () => appendTo(ledger, signer)));
      records = [single, ...batch];
      writeFileSync(at('key.pub'), signer.publicKeyPem);
      writeFileSync(at('other.pub'), newSigner().publicKeyPem);
      writeFileSync(at('trusted_root.json'), JSON.stringify(ledger.trustedRoot()));
      writeFileSync(at('other_root.json'), JSON.stringify(otherLedger.trustedRoot()));
      writeFileSync(at('set.txt'), 'hello');
      writeFileSync(at('other.txt'), 'hello\n');
    });
    afterAll(() => Promise.all([ledger.close(), otherLedger.close()]));

    interface Question {
      readonly key?: string;
      readonly root?: string;
      readonly type?: string;
      readonly blob?: string;
    }

    function verify(record: unknown, question: Question = {}): { status: number | null; stderr: string } {
      writeFileSync(at('record.json'), JSON.stringify(record));
      const {
        key = 'key.pub',
        root = 'trusted_root.json',
        type = PREDICATE_TYPE,
        blob = 'set.txt',
      } = question;
      const flags = [
        '--key',
        at(key),
        '--bundle',
        at('record.json'),
        '--trusted-root',
        at(root),
        '--type',
        type,
      ];
      const { status, stderr } = spawnSync(cosign ?? '', ['verify-blob-attestation', ...flags, at(blob)], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', HOME: directory },
      });
      return { status, stderr };
    }

    const material = (bundle: Bundle | undefined) => bundle?.verificationMaterial;

    it('accepts every record, and one fetched later', () => {
      for (const record of records)
        expect(verify(record)).toMatchObject({ status: 0, stderr: expect.stringContaining('Verified OK') });
      expect(verify(ledger.bundle(0))).toMatchObject({ status: 0 });
    });

    it.each<[string, Question]>([
      ['another key', { key: 'other.pub' }],
      ['another log', { root: 'other_root.json' }],
      ['another type', { type: 'https://slsa.dev/verification_summary/v1' }],
      ['another blob', { blob: 'other.txt' }],
    ])('refuses a record for %s', (_, question) => {
      expect(verify(records[0], question).status).toBe(1);
    });

    it('refuses a record that the ledger does not hold', async () => {
      const elsewhere = await appendTo(otherLedger, signer);
      const neverLogged = {
        ...records[0],
        dsseEnvelope: await signStatement(
          Buffer.from(records[0]?.dsseEnvelope.payload ?? '', 'base64'),
          signer,
        ),
      };
      const withoutEntry = {
        ...records[0],
        verificationMaterial: { ...material(records[0]), tlogEntries: [] },
      };
      const swapped = { ...records[0], verificationMaterial: material(records[1]) };
      for (const record of [elsewhere, neverLogged, withoutEntry, swapped])
        expect(verify(record).status).toBe(1);
    });
  });
}
