// SPDX-License-Identifier: Apache-2.0
// Where a server's records go when its ledger is not there: refused with the reason, or into the spool and later into the ledger.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair, openFileRows, openSearch } from '../../attest/index.ts';
import { findInstallation } from '../../cli/installation.ts';
import { startIndexing } from '../../cli/ledger/indexing.ts';
import { ledgerPlace } from '../../cli/ledger/place.ts';
import { openRecording } from '../../cli/ledger/recording.ts';
import { keyOf } from '../../cli/signing/key.ts';
import { readProject } from '../../engine/context/project.ts';
import { EngineError } from '../../engine/index.ts';
import { TERMS_VERSION, termsOf } from '../../engine/record/summary.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import { expectThrown } from '../expect.ts';
import { worldOf } from './world.ts';

const base = mkdtempSync(join(tmpdir(), 'countersign-recording-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const key = keyOf(generateKeyPair().privateKeyPem);
const statement = (name: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [],
      predicateType: 'x',
      predicate: { name },
    }),
  );

async function namesIn(state: string): Promise<string[]> {
  const rows = openFileRows(state);
  const entries = await rows.entries(0, await rows.size());
  await rows.close();
  return entries.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()).predicate.name);
}

function listener(): { io: ReturnType<typeof worldOf>; lines: () => object[] } {
  let err = '';
  const io = worldOf({
    err: (text) => {
      err += text;
    },
  });
  return {
    io,
    lines: () =>
      err
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}

describe('a server whose ledger goes away', () => {
  it('refuses to record, with the reason, where nothing else is said', async () => {
    const state = join(base, 'required');
    const { io } = listener();
    const recording = await openRecording({ state }, { ...key, io });
    expect(await recording.record(statement('a'))).toEqual({ recordId: '0' });
    renameSync(join(state, 'ledger.sqlite3'), join(state, 'away'));
    await expect(recording.record(statement('b'))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    expect(recording.trouble()).toEqual(['the ledger is gone']);
    renameSync(join(state, 'away'), join(state, 'ledger.sqlite3'));
    expect(await recording.record(statement('c'))).toEqual({ recordId: '1' });
    expect(recording.trouble()).toEqual([]);
    await recording.close();
    expect(await namesIn(state)).toEqual(['a', 'c']);
  });

  it('records into the spool, and the ledger has it all in the end', async () => {
    const state = join(base, 'spooled');
    const spool = join(base, 'spool');
    const { io, lines } = listener();
    const recording = await openRecording({ state, spool }, { ...key, io });
    await recording.record(statement('a'));
    renameSync(join(state, 'ledger.sqlite3'), join(state, 'away'));
    expect(await recording.record(statement('b'))).toEqual({ recordId: 'spooled-1' });
    expect(await recording.record(statement('c'))).toEqual({ recordId: 'spooled-2' });
    expect(recording.trouble()).toEqual([]);
    renameSync(join(state, 'away'), join(state, 'ledger.sqlite3'));
    await recording.close();
    expect(await namesIn(state)).toEqual(['a', 'b', 'c']);
    expect(lines()).toEqual([
      {
        level: 'warn',
        event: 'ledger',
        message: expect.stringMatching(/^records go to the spool: cannot open the ledger/),
      },
      { level: 'info', event: 'ledger', message: 'the spool is empty again', records: 2 },
    ]);
  });

  it('has them in the index too, late as they are, before anybody asks', async () => {
    const state = join(base, 'indexed');
    const { io } = listener();
    const recording = await openRecording({ state, spool: state }, { ...key, io });
    await recording.record(statement('a'));
    const indexing = startIndexing({ state }, io);
    renameSync(join(state, 'ledger.sqlite3'), join(state, 'away'));
    await recording.record(statement('b'));
    // The ledger's own trouble is told by who records to it.
    await indexing.now();
    renameSync(join(state, 'away'), join(state, 'ledger.sqlite3'));
    await recording.close();
    await indexing.now();
    await indexing.stop();
    const rows = openFileRows(state);
    const file = join(state, 'index.sqlite3');
    const search = await openSearch({ rows, termsOf, version: TERMS_VERSION, file });
    expect((await search.page({ terms: [], limit: 10 })).rows.map(({ number }) => number)).toEqual([1, 0]);
    expect(await search.catchUp()).toBe(0);
    search.close();
    await rows.close();
  });

  it('says once that the index cannot be made', async () => {
    const state = join(base, 'unindexed');
    const { io, lines } = listener();
    mkdirSync(join(state, 'index.sqlite3'), { recursive: true });
    await (await openRecording({ state }, { ...key, io: worldOf() })).close();
    const indexing = startIndexing({ state }, io);
    await indexing.now();
    await indexing.now();
    await indexing.stop();
    expect(lines()).toEqual([
      {
        level: 'warn',
        event: 'index',
        message: expect.stringMatching(/^the index of the ledger is not caught up: /),
      },
    ]);
  });

  it('starts with a ledger that is not there only where there is a spool', async () => {
    const state = join(base, 'file');
    writeFileSync(state, '');
    const spool = join(base, 'spool2');
    const { io, lines } = listener();
    await expect(openRecording({ state: join(state, 'x') }, { ...key, io })).rejects.toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
    });
    const recording = await openRecording({ state: join(state, 'x'), spool }, { ...key, io });
    expect(await recording.record(statement('a'))).toEqual({ recordId: 'spooled-1' });
    await recording.close();
    expect(lines()[0]).toMatchObject({ level: 'warn', event: 'ledger' });
  });
});

describe('the place of a ledger', () => {
  const projectOf = (ledger: string) =>
    readProject(
      {
        name: 'countersign.yaml',
        bytes: Buffer.from(`apiVersion: countersign.dev/v1alpha1\nkind: Project\nledger:\n${ledger}`),
      },
      openYamlReader(findInstallation().toolchain),
    );
  const flags = (given: Record<string, string>) => ({
    positionals: [],
    text: (name: string) => given[name],
    list: () => [],
    has: (name: string) => name in given,
  });

  it.each([
    ['  directory: state\n', {}, { state: '/p/state' }],
    ['  directory: state\n', { state: 's' }, { state: 's' }],
    ['  directory: state\n  onFailure: deny\n', {}, { state: '/p/state' }],
    ['  directory: state\n  onFailure: spool\n', {}, { state: '/p/state', spool: '/p/state' }],
    ['  directory: state\n  onFailure: spool\n  spool: ../x\n', {}, { state: '/p/state', spool: '/x' }],
    ['  directory: state\n  url: postgres://db/l\n', {}, { state: '/p/state', url: 'postgres://db/l' }],
    [
      '  directory: state\n  url: postgres://db/l\n',
      { ledger: 'postgres://x/y' },
      { state: '/p/state', url: 'postgres://x/y' },
    ],
  ])('is, by %j and %j, %j', (ledger, given, place) => {
    expect(ledgerPlace(flags(given), { project: projectOf(ledger), directory: '/p' })).toEqual(place);
  });

  it.each([
    '  directory: s\n  spool: x\n',
    '  directory: s\n  onFailure: deny\n  spool: x\n',
    '  directory: s\n  url: mysql://x\n',
    '  directory: s\n  onFailure: allow\n',
  ])('is refused: %j', (ledger) => {
    expectThrown(() => projectOf(ledger), EngineError, 'PROJECT_SCHEMA');
  });

  it('shows no address that it refuses', () => {
    expect(() => ledgerPlace(flags({ ledger: 'mysql://me:secret@x' }), undefined)).toThrow(
      'the address of the ledger is not one of PostgreSQL',
    );
  });
});
