// SPDX-License-Identifier: Apache-2.0
// The verbs about the ledger, from the command line on: records are made with `check`, then listed, shown and exported.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { countersign, type Outcome } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-records-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const state = join(folder, 'state');
const key = join(folder, 'key.pem');
const records = (...argv: string[]): Promise<Outcome> => countersign(['records', ...argv, '--state', state]);

/** Two records, an hour from one another: the shop as it is, which is denied, and mended. */
beforeAll(async () => {
  const { generateKeyPair } = await import('../../attest/index.ts');
  writeFileSync(key, generateKeyPair().privateKeyPem, { mode: 0o600 });
  writeFileSync(
    join(folder, 'project.yaml'),
    'apiVersion: countersign.dev/v1alpha1\nkind: Project\nenvironments: [{name: staging, tier: staging, packs: [{name: baseline, parameters: {images.registry: {registries: [registry.shop.example, registry.k8s.io]}}}]}]\n',
  );
  const environment = ['--project', join(folder, 'project.yaml'), '--env', 'staging'];
  const times = ['2026-11-24T11:00:00Z', '2026-11-24T12:00:00Z'];
  for (const [index, path] of ['examples/shop', 'examples/shop-mended'].entries())
    await countersign(
      [
        ...['check', path, ...environment],
        ...['--record', join(folder, `${index}.json`), '--key', key, '--state', state],
      ],
      { now: () => new Date(times[index] ?? '') },
    );
}, 60_000);

const lines = (out: string): readonly { index: number; verdict: string; rules: readonly string[] }[] =>
  out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const recordOf = (index: number): string => readFileSync(join(folder, `${index}.json`), 'utf8');

describe('records list', () => {
  it('lists the newest first, in columns', async () => {
    const { exit, out, err } = await records('list');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out.split('\n').map((line) => line.slice(0, 36).trim())).toEqual([
      '1  2026-11-24T12:00:00.000Z  allow',
      '0  2026-11-24T11:00:00.000Z  deny',
      '',
    ]);
  });

  it.each([
    [['--verdict', 'deny'], [0]],
    [
      ['--verdict', 'deny', '--verdict', 'allow'],
      [1, 0],
    ],
    [['--rule', 'pod.privileged'], [0]],
    [['--rule', 'pod.privileged', '--verdict', 'allow'], []],
    [
      ['--artefact', 'apps/Deployment/shop/web'],
      [1, 0],
    ],
    [['--from', '2026-11-24T11:30:00Z'], [1]],
    [['--to', '2026-11-24T11:30:00Z'], [0]],
    [
      ['--from', '2026-11-24', '--to', '2026-11-24'],
      [1, 0],
    ],
    [['--to', '2026-11-23'], []],
    [['--env', 'production'], []],
    [
      ['--env', 'staging'],
      [1, 0],
    ],
    [['--actor', 'nobody'], []],
  ])('%j: %j', async (argv, wanted) => {
    const { exit, out, err } = await records('list', '--format', 'jsonl', ...argv);
    expect({ exit, err }).toEqual({
      exit: 0,
      err: wanted.length === 0 ? 'note: no record is as asked for\n' : '',
    });
    expect(lines(out).map(({ index }) => index)).toEqual(wanted);
  });

  it('finds a set by its digest, with and without its algorithm', async () => {
    const { subject } = JSON.parse((await records('list', '--limit', '1', '--format', 'jsonl')).out);
    for (const digest of [subject, `sha256:${subject}`])
      expect(lines((await records('list', '--artefact', digest, '--format', 'jsonl')).out)).toHaveLength(1);
  });

  it('goes on where a page ended', async () => {
    const first = await records('list', '--limit', '1', '--format', 'jsonl');
    expect(first.err).toBe('note: there are more: --before 1\n');
    const second = await records('list', '--limit', '1', '--before', '1', '--format', 'jsonl');
    expect({ index: lines(second.out)[0]?.index, err: second.err }).toEqual({ index: 0, err: '' });
  });

  it('writes CSV as spreadsheets read it', async () => {
    const { out } = await records('list', '--format', 'csv', '--verdict', 'allow');
    expect(out.replace(/[0-9a-f]{64},[0-9a-f-]{36}/, 'SUBJECT,ID')).toBe(
      'index,time,verdict,environment,actor,phase,rules,subject,id,predicateType\r\n' +
        '1,2026-11-24T12:00:00.000Z,allow,staging,,check,,SUBJECT,ID,https://countersign.dev/attestation/deployment-decision/v1\r\n',
    );
  });

  it.each([
    [['--verdict', 'maybe'], 'unknown verdict "maybe"'],
    [['--from', '2026-02-30'], '--from "2026-02-30" is no time'],
    [['--from', '2026-11-24T08:00:00'], '--from "2026-11-24T08:00:00" is no time'],
    [['--limit', '1001'], '--limit "1001" is no number'],
    [['--format', 'xml'], 'unknown format "xml"'],
    [['more'], 'unexpected "more"'],
  ])('refuses %j', async (argv, message) => {
    const { exit, out, err } = await records('list', ...argv);
    expect({ exit, out, first: err.split('\n')[0] }).toEqual({
      exit: 2,
      out: '',
      first: `countersign: ${message}`,
    });
  });

  it('says where there is no ledger', async () => {
    const { exit, err } = await countersign(['records', 'list', '--state', join(folder, 'none')]);
    expect({ exit, err }).toEqual({
      exit: 5,
      err: `countersign: there is no ledger in ${JSON.stringify(join(folder, 'none'))} [LEDGER_UNAVAILABLE]\nhint: name the folder that holds ledger.sqlite3\n`,
    });
  });
});

describe('records show', () => {
  it('shows a record by its index and by its id', async () => {
    const bundle = await records('show', '0', '--format', 'json');
    expect(bundle).toEqual({ exit: 0, out: recordOf(0), err: '' });
    const statement = await records('show', '0', '--format', 'statement');
    const { id } = JSON.parse(statement.out).predicate;
    expect(await records('show', id, '--format', 'json')).toEqual(bundle);
    const text = await records('show', id);
    expect(text.out.split('\n').slice(0, 2)).toEqual(['index          0', `id             ${id}`]);
  });

  it('knows no other', async () => {
    for (const [name, message] of [
      ['2', 'there is no entry 2'],
      ['x', 'no record has the id "x"'],
    ] as const)
      expect(await records('show', name)).toEqual({
        exit: 3,
        out: '',
        err: `countersign: ${message} [RECORD_UNKNOWN]\nhint: countersign records list shows what there is\n`,
      });
    expect((await records('show')).exit).toBe(2);
  });
});

describe('records export', () => {
  it('prints the very records, a line each', async () => {
    expect(await records('export')).toEqual({
      exit: 0,
      out: recordOf(1) + recordOf(0),
      err: 'note: exported 2 records\n',
    });
    expect((await records('export', '--verdict', 'allow')).out).toBe(recordOf(1));
  });

  it('prints a table', async () => {
    const { out } = await records('export', '--format', 'csv');
    expect(out.split('\r\n').map((line) => line.split(',')[0])).toEqual(['index', '1', '0', '']);
  });
});
