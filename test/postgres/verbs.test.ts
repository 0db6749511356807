// SPDX-License-Identifier: Apache-2.0
// A check that records to a ledger in PostgreSQL, and what is read of it later: replay, reports, a summary.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../attest/fixture.ts';
import { countersign, type Outcome } from '../cli/world.ts';
import { HAS_POSTGRES, type Server, startServer } from './server.ts';

const folders = temporaryFolders();
const root = folders.make();
const at = (name: string): string => join(root, name);
let server: Server;
const suite = HAS_POSTGRES ? describe : describe.skip;

beforeAll(async () => {
  if (!HAS_POSTGRES) return;
  server = await startServer();
  await countersign(['init', root]);
  const key = readFileSync(at('.countersign/key.pem'));
  mkdirSync(at('policy'));
  writeFileSync(at('key.pem'), key, { mode: 0o600 });
  writeFileSync(at('policy/main.rego'), 'package main\n\ndeny_pod contains "no" if input.kind == "Pod"\n');
  writeFileSync(
    at('countersign.yaml'),
    `apiVersion: countersign.dev/v1alpha1\nkind: Project\nenvironments:\n  - {name: test, tier: testing}\npolicies: [{path: policy}]\nledger: {directory: state, url: '${await server.database()}'}\n`,
  );
  for (const kind of ['Pod', 'Service'])
    writeFileSync(
      at(`${kind}.yaml`),
      `apiVersion: v1\nkind: ${kind}\nmetadata: {name: web, namespace: shop}\n`,
    );
}, 120_000);
afterAll(async () => {
  if (HAS_POSTGRES) await server.stop();
  folders.removeAll();
});

const run = (...argv: string[]): Promise<Outcome> =>
  countersign([...argv, '--project', at('countersign.yaml')]);
const check = (kind: string): Promise<Outcome> =>
  run(
    ...['check', at(`${kind}.yaml`), '--env', 'test'],
    ...['--record', at(`${kind}.json`), '--key', at('key.pem')],
  );
const SPAN = ['--from', '2026-11-24', '--to', '2026-11-25'];

suite('a Project whose ledger is in PostgreSQL', () => {
  it('is recorded to by check, and its record verifies', async () => {
    expect((await check('Pod')).exit).toBe(1);
    expect((await check('Service')).exit).toBe(0);
    expect(existsSync(at('state/ledger.sqlite3'))).toBe(false);
    const verified = await countersign([
      ...['verify', 'record', at('Service.json'), '--trust', at('state/trust.json'), '--env', 'test'],
    ]);
    expect(verified).toMatchObject({
      exit: 0,
      out: expect.stringContaining('ok  ledger: entry 1 of a trusted log'),
    });
    const list = await run('records', 'list', '--verdict', 'deny');
    expect(list.out).toMatch(/^0 {2}2026-11-24T12:00:00/);
    expect((await run('records', 'verify', '--trust', at('state/trust.json'))).exit).toBe(0);
  }, 60_000);

  it('is replayed from, and each record is verified', async () => {
    expect(await run('replay', ...SPAN)).toEqual({
      exit: 0,
      out: 'replayed 2 records: 2 the same, 0 differ\nverified 2 records: 2 hold, 0 do not\n',
      err: '',
    });
  }, 60_000);

  it('is reported on, as evidence, as a sample and by a summary', async () => {
    const pack = await run('report', 'evidence', '--framework', 'soc2', ...SPAN, '--out', at('pack.tar.gz'));
    expect(pack).toMatchObject({ exit: 0, out: expect.stringMatching(/: 2 records for \d+ controls\n$/) });
    const argv = ['--env', 'test', ...SPAN, '--seed', 's', '--out', at('sample')];
    expect(await run('report', 'sample', ...argv)).toEqual({
      exit: 0,
      out: `${at('sample/index.md')}: 1 of 1 changes\n`,
      err: '',
    });
    const summary = await countersign([
      ...['report', 'vsa', at('Service.json'), '--trust', at('state/trust.json'), '--key', at('key.pem')],
      ...['--state', at('state'), '--ledger', await urlOf(), '--out', at('vsa.json')],
    ]);
    expect(summary).toMatchObject({ exit: 0, err: '' });
    expect((await run('records', 'show', '2')).out).toContain('https://slsa.dev/verification_summary/v1');
  }, 60_000);
});

const urlOf = async (): Promise<string> =>
  /url: '([^']+)'/.exec(readFileSync(at('countersign.yaml'), 'utf8'))?.[1] ?? '';
