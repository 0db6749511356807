// SPDX-License-Identifier: Apache-2.0
// Whom replay and the reports believe: trust.json lies beside the ledger, and the Project is where a key is revoked.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openFileRows, openInputs, openLedger, openReader } from '../../../attest/index.ts';
import { appendTo, newSigner, temporaryFolders, trustedKey, trustOf } from '../../attest/fixture.ts';
import { statementWith } from '../../engine/record/fixture.ts';
import { countersign, type Outcome } from '../world.ts';

const folders = temporaryFolders();
const state = folders.make();
const project = join(folders.make(), 'countersign.yaml');
const [ci, other] = [newSigner(), newSigner()];
const END = '2026-11-24T12:00:00Z';
const LATER = '2026-12-01T12:00:00Z';
const NOW = new Date('2026-12-24T12:00:00Z');
const [FIRST, SECOND] = ['019ab500-0000-7000-8000-000000000000', '019ab500-0000-7000-8000-000000000001'];
let logs: readonly unknown[] = [];
let until = '';
afterAll(() => folders.removeAll());

/** The keys that trust.json names. */
const beside = (...keys: object[]): void =>
  writeFileSync(join(state, 'trust.json'), JSON.stringify({ ...trustOf(keys, []), logs }));

beforeAll(async () => {
  const ledger = openLedger({ directory: state, now: () => new Date('2026-10-01T00:00:00Z'), create: true });
  for (const [id, signer] of [
    [FIRST, ci],
    [SECOND, other],
  ] as const) {
    const scope = { environment: 'production', operations: ['CREATE'] };
    await appendTo(ledger, signer, statementWith({ id, time: '2026-11-20T10:00:00.000Z', scope }));
  }
  const rows = openFileRows(state);
  until = (await (await openReader(rows)).newest())?.note ?? '';
  await rows.close();
  logs = [ledger.trustedRoot()];
  openInputs(state, { create: true }).close();
  await ledger.close();
});

const SPAN = ['--from', '2026-11-01', '--to', '2026-12-01', '--state', state, '--project', project];
const run = (...argv: string[]): Promise<Outcome> => countersign(argv, { now: () => NOW });
/** Why records do not hold where the Project has this trust. */
async function refused(trust: object, ...argv: string[]): Promise<Record<string, string>> {
  const of = {
    ...{ apiVersion: 'countersign.dev/v1alpha1', kind: 'Project', policies: [] },
    ...{ environments: [{ name: 'production', tier: 'production' }], trust },
  };
  writeFileSync(project, JSON.stringify(of));
  const { out } = await run('replay', ...SPAN, '--format', 'json', ...argv);
  const all: readonly { readonly id: string; readonly why: string }[] = JSON.parse(out).refused;
  return Object.fromEntries(all.map(({ id, why }) => [id, /\[(\w+)\]/.exec(why)?.[1] ?? why]));
}
const both = (more: object = {}): readonly object[] => [
  trustedKey(ci, more),
  trustedKey(other, { name: 'other' }),
];

describe('whom replay believes', () => {
  it('is trust.json where the Project says nothing of keys for records', async () => {
    beside(...both());
    expect(await refused({})).toEqual({});
    expect(await refused({ keys: [trustedKey(newSigner(), { name: 'bob', uses: ['approval'] })] })).toEqual(
      {},
    );
  });

  it('is no key that the Project revoked, or does not name', async () => {
    beside(...both());
    expect(await refused({ keys: both({ revokedAt: END }) })).toEqual({ [FIRST]: 'KEY_TIME' });
    expect(await refused({ keys: [trustedKey(ci)] })).toEqual({ [SECOND]: 'KEY_UNKNOWN' });
    // What is no longer for records in the Project is not so beside the ledger.
    expect(await refused({ keys: [trustedKey(ci, { uses: ['approval'] })] })).toEqual({
      [FIRST]: 'KEY_UNKNOWN',
    });
  });

  it('is by the stricter of the two, whichever says it', async () => {
    beside(...both({ revokedAt: END }));
    expect(await refused({ keys: both() })).toEqual({ [FIRST]: 'KEY_TIME' });
    beside(...both({ environments: ['staging'] }));
    expect(Object.keys(await refused({ keys: both() }))).toEqual([FIRST]);
    beside(...both({ notBefore: END }));
    expect(await refused({ keys: both({ notAfter: LATER }) })).toEqual({ [FIRST]: 'KEY_TIME' });
  });

  it('holds by the kept checkpoint of whoever says that the key ended', async () => {
    beside(...both());
    expect(await refused({ keys: both({ revokedAt: END, until }) })).toEqual({});
    beside(...both({ revokedAt: END }));
    expect(await refused({ keys: both({ revokedAt: END, until }) })).toEqual({ [FIRST]: 'KEY_TIME' });
  });

  it('is the Project alone where it names logs, and a file that was named before all', async () => {
    beside();
    expect(await refused({ keys: both(), logs })).toEqual({});
    beside(...both());
    const revoked = { keys: both({ revokedAt: END }), logs };
    expect(await refused(revoked)).toEqual({ [FIRST]: 'KEY_TIME' });
    expect(await refused(revoked, '--trust', join(state, 'trust.json'))).toEqual({});
  });
});

describe('whom the reports believe', () => {
  it('is the same, and is what they hand out', async () => {
    beside(...both());
    await refused({ keys: both({ revokedAt: END }) });
    const out = join(folders.make(), 'sample');
    const { exit, err } = await run(
      ...['report', 'sample', '--env', 'production', ...SPAN, '--seed', 's', '--out', out],
    );
    expect({ exit, err }).toEqual({ exit: 1, err: `no  ${FIRST} does not hold: see its page\n` });
    const { keys } = JSON.parse(readFileSync(join(out, 'trust.json'), 'utf8'));
    expect(keys).toEqual(both({ revokedAt: END }));
    const pack = join(folders.make(), 'pack.tar.gz');
    expect(await run('report', 'evidence', '--framework', 'soc2', ...SPAN, '--out', pack)).toMatchObject({
      exit: 1,
      err: `no  ${FIRST} does not hold\n`,
    });
  });
});
