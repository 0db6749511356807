// SPDX-License-Identifier: Apache-2.0
// A server and the verbs `records …` over a ledger in PostgreSQL, which crashes meanwhile.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair } from '../../attest/index.ts';
import { openRecording } from '../../cli/ledger/recording.ts';
import { keyOf } from '../../cli/signing/key.ts';
import { statementBytes, temporaryFolders } from '../attest/fixture.ts';
import { countersign, worldOf } from '../cli/world.ts';
import { HAS_POSTGRES, type Server, startServer } from './server.ts';

const folders = temporaryFolders();
let server: Server;
const suite = HAS_POSTGRES ? describe : describe.skip;
beforeAll(async () => {
  if (HAS_POSTGRES) server = await startServer();
}, 120_000);
afterAll(async () => {
  if (HAS_POSTGRES) await server.stop();
  folders.removeAll();
});
const key = keyOf(generateKeyPair().privateKeyPem);
const statement = (id: string, verdict = 'allow'): Buffer =>
  statementBytes({ predicate: { id, verdict, time: '2026-11-24T12:00:00Z' } });

suite('a server with its ledger in PostgreSQL', () => {
  it('spools while the database is down, and brings all in, in order', async () => {
    const url = await server.database();
    const [state, spool] = [folders.make(), folders.make()];
    let err = '';
    const io = worldOf({
      err: (text) => {
        err += text;
      },
    });
    const recording = await openRecording({ state, url, spool }, { ...key, io });
    expect(await recording.record(statement('a'))).toEqual({ recordId: '0' });
    await server.crash();
    expect(await recording.record(statement('b', 'deny'))).toEqual({ recordId: 'spooled-1' });
    expect(await recording.record(statement('c'))).toEqual({ recordId: 'spooled-2' });
    await server.start();
    await recording.close();
    expect(err.split('\n').map((line) => line.replace(/: the database.*/, '"'))).toEqual([
      '{"level":"warn","event":"ledger","message":"records go to the spool"',
      '{"level":"info","event":"ledger","message":"the spool is empty again","records":2}',
      '',
    ]);
    const list = await countersign([
      'records',
      'list',
      '--state',
      state,
      '--ledger',
      url,
      '--format',
      'jsonl',
    ]);
    expect(list.err).toBe('');
    expect(
      list.out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).id),
    ).toEqual(['c', 'b', 'a']);
    const denied = await countersign([
      'records',
      'list',
      '--state',
      state,
      '--ledger',
      url,
      '--verdict',
      'deny',
    ]);
    expect(denied.out).toMatch(/^1 {2}2026-11-24T12:00:00Z {2}deny/);
    const proved = join(state, 'proved.json');
    expect(
      (await countersign(['records', 'prove', 'b', '--state', state, '--ledger', url, '-o', proved])).exit,
    ).toBe(0);
    const trust = join(state, 'trust.json');
    const verified = await countersign(['verify', 'record', proved, '--trust', trust]);
    expect(verified.out).toContain('ok  ledger: entry 1 of a trusted log');
    const kept = join(state, 'kept.txt');
    writeFileSync(
      kept,
      (await countersign(['records', 'checkpoint', '--state', state, '--ledger', url])).out,
    );
    const argv = ['records', 'verify', '--state', state, '--ledger', url, '--since', kept, '--trust', trust];
    expect(await countersign(argv)).toMatchObject({ exit: 0, err: '' });
    const root = await countersign(['records', 'trusted-root', '--state', state, '--ledger', url]);
    expect(root.out).toBe(readFileSync(join(state, 'trusted_root.json'), 'utf8'));
    expect(existsSync(join(state, 'ledger.sqlite3'))).toBe(false);
  }, 60_000);

  it('refuses, with the reason, where there is no spool, and goes on when the database is there again', async () => {
    const url = await server.database();
    const recording = await openRecording({ state: folders.make(), url }, { ...key, io: worldOf() });
    await recording.record(statement('a'));
    await server.crash();
    await expect(recording.record(statement('b'))).rejects.toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: expect.stringMatching(/^the database of the ledger: /),
    });
    await server.start();
    expect(await recording.record(statement('c'))).toEqual({ recordId: '1' });
    await recording.close();
  }, 60_000);
});
