// SPDX-License-Identifier: Apache-2.0
// A Project whose ledger is a database that is not there; test/postgres has one that is.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair } from '../../../attest/index.ts';
import { temporaryFolders } from '../../attest/fixture.ts';
import { countersign } from '../world.ts';

const folders = temporaryFolders();
const root = folders.make();
const before = process.cwd();
beforeAll(() => {
  writeFileSync(
    join(root, 'countersign.yaml'),
    'apiVersion: countersign.dev/v1alpha1\nkind: Project\nenvironments:\n  - {name: test, tier: testing}\npolicies: [{path: policy}]\nledger:\n  directory: state\n  url: postgres://127.0.0.1:1/ledger\n',
  );
  writeFileSync(
    join(root, 'pod.yaml'),
    'apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n',
  );
  process.chdir(root);
  mkdirSync('state');
  mkdirSync('policy');
  writeFileSync('policy/main.rego', 'package main\n\ndeny contains "no" if input.kind == "Pod"\n');
  writeFileSync('key.pem', generateKeyPair().privateKeyPem, { mode: 0o600 });
  writeFileSync(
    'state/trust.json',
    '{"apiVersion": "countersign.dev/v1alpha1", "kind": "Trust", "keys": [], "logs": []}',
  );
});
afterAll(() => {
  process.chdir(before);
  folders.removeAll();
});

describe('a ledger that is a database', () => {
  it.each([
    'check pod.yaml --env test --record record.json --key key.pem',
    'check pod.yaml --env test --record record.json --key key.pem --state other',
    'report evidence --framework soc2 --from 2026-01-01 --out pack.tar.gz --trust state/trust.json',
    'report sample --env test --from 2026-01-01 --count 1 --seed x --out sample --trust state/trust.json',
    'replay --from 2026-01-01 --trust state/trust.json',
    'records list',
  ])('is not passed over for a file where it is not there: %s', async (line) => {
    expect(await countersign(line.split(' '))).toEqual({
      exit: 5,
      out: '',
      err: expect.stringContaining('[LEDGER_UNAVAILABLE]'),
    });
    for (const folder of ['state', 'other']) expect(existsSync(join(folder, 'ledger.sqlite3'))).toBe(false);
  });
});
