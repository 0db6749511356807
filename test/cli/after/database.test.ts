// SPDX-License-Identifier: Apache-2.0
// A Project whose ledger is a database, and the verbs that know ledgers in files only.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../../attest/fixture.ts';
import { countersign } from '../world.ts';

const folders = temporaryFolders();
const root = folders.make();
const before = process.cwd();
beforeAll(() => {
  writeFileSync(
    join(root, 'countersign.yaml'),
    'apiVersion: countersign.dev/v1alpha1\nkind: Project\nenvironments:\n  - {name: test, tier: testing}\nledger:\n  directory: state\n  url: postgres://db.example/ledger\n',
  );
  writeFileSync(join(root, 'pod.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n');
  process.chdir(root);
});
afterAll(() => {
  process.chdir(before);
  folders.removeAll();
});

describe('a ledger that is a database', () => {
  it.each([
    'check pod.yaml --env test --record record.json --key key.pem',
    'check pod.yaml --env test --record record.json --key key.pem --state other',
    'report vsa record.json --project countersign.yaml --key key.pem --out vsa.json',
    'report evidence --framework soc2 --from 2026-01-01 --out pack.tar.gz',
    'report sample --env test --from 2026-01-01 --count 1 --seed x --out sample.tar.gz',
    'replay --from 2026-01-01',
  ])('is refused, not passed over for a file: %s', async (line) => {
    expect(await countersign(line.split(' '))).toEqual({
      exit: 2,
      out: '',
      err: expect.stringContaining(
        'the ledger of this Project is a database, which only serve and records use',
      ),
    });
    expect([existsSync('state'), existsSync('other')]).toEqual([false, false]);
  });
});
