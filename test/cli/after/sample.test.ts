// SPDX-License-Identifier: Apache-2.0
// What an auditor is handed: a draw that anyone repeats, pages that verify, and what the list of changes does not agree with.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLedger } from '../../../attest/index.ts';
import { appendTo, newSigner, temporaryFolders, trustedKey, trustOf } from '../../attest/fixture.ts';
import { predicateWith, statementWith } from '../../engine/record/fixture.ts';
import { countersign, type Outcome } from '../world.ts';

const folders = temporaryFolders();
const state = folders.make();
const signer = newSigner();
const COUNT = 40;
afterAll(() => folders.removeAll());

const idOf = (index: number): string => `019ab500-0000-7000-8000-${String(index).padStart(12, '0')}`;
const setDigest = String(
  Reflect.get(Object(Reflect.get(Object(Reflect.get(predicateWith(), 'set')), 'digest')), 'sha256'),
);
const timeOf = (index: number): string =>
  `2026-11-${String(1 + (index % 20)).padStart(2, '0')}T10:00:00.000Z`;

beforeAll(async () => {
  const ledger = openLedger({ directory: state, now: () => new Date('2026-10-01T00:00:00Z'), create: true });
  const order = Array.from({ length: COUNT }, (_, index) => index).sort((a, b) =>
    timeOf(a) < timeOf(b) ? -1 : 1,
  );
  for (const index of order) {
    const environment = index % 4 === 0 ? 'staging' : 'production/eu';
    const changes = {
      id: idOf(index),
      time: timeOf(index),
      verdict: index % 10 === 9 ? 'deny' : 'allow',
      scope: { environment, operations: ['CREATE'] },
      requester: { id: 'alice | `x`', how: 'oidc', trust: 'verified' },
    };
    await appendTo(ledger, signer, statementWith(changes));
  }
  const admission = {
    ...{ id: idOf(1000), phase: 'admission', time: '2026-11-23T10:00:00.000Z' },
    scope: { environment: 'production/eu', operations: ['CREATE'] },
  };
  await appendTo(ledger, signer, statementWith(admission));
  // From a spool that was brought in late: what is before it in the ledger is not older.
  await appendTo(ledger, signer, statementWith({ id: idOf(1001), time: '2026-10-01T10:00:00.000Z' }));
  writeFileSync(join(state, 'trust.json'), JSON.stringify(trustOf([trustedKey(signer)], [ledger])));
  await ledger.close();
});

const SPAN = ['--env', 'production/*', '--from', '2026-11-01', '--to', '2026-11-22'];
const sample = (out: string, ...argv: string[]): Promise<Outcome> =>
  countersign(['report', 'sample', ...SPAN, '--state', state, '--out', out, ...argv]);
const drawnIn = (out: string): readonly string[] => readdirSync(join(out, 'changes')).sort();

describe('report sample', () => {
  it('draws what the seed says, the same for everyone, and another seed something else', async () => {
    const outs = [folders.make(), folders.make(), folders.make()] as const;
    expect(await sample(outs[0], '-n', '5', '--seed', 'audit')).toEqual({
      exit: 0,
      out: `${join(outs[0], 'index.md')}: 5 of 26 changes\n`,
      err: '',
    });
    await sample(outs[1], '-n', '5', '--seed', 'audit');
    await sample(outs[2], '-n', '5', '--seed', 'other');
    expect(drawnIn(outs[1])).toEqual(drawnIn(outs[0]));
    expect(drawnIn(outs[2])).not.toEqual(drawnIn(outs[0]));
    expect(readFileSync(join(outs[1], 'index.md'), 'utf8')).toBe(
      readFileSync(join(outs[0], 'index.md'), 'utf8'),
    );
  });

  it('gives a page, the bundle and its listing, which this CLI verifies with what lies beside them', async () => {
    const out = folders.make();
    await sample(out, '-n', '1', '--seed', 'audit');
    const [id = ''] = drawnIn(out);
    const folder = join(out, 'changes', id);
    const page = readFileSync(join(folder, 'page.md'), 'utf8');
    expect(page).toContain("- asked for by: `alice \\| 'x'` (oidc, verified)");
    expect(page).toContain('- approvals: the record names no rule that asked for any');
    expect(page).toContain(`2026-11-23T10:00:00.000Z, record ${idOf(1000)}`);
    expect(page).toContain('| `pod.privileged` | 1 | none |');
    expect(page).toContain('--key ../../keys/ci.pub --bundle record.json');
    const at = /--at (\S+)/.exec(page)?.[1] ?? '';
    const trust = join(out, 'trust.json');
    const argv = [
      'verify',
      'record',
      join(folder, 'record.json'),
      '--trust',
      trust,
      '--env',
      'production/eu',
    ];
    expect(await countersign([...argv, '--at', at])).toMatchObject({ exit: 0 });
    expect(readdirSync(join(out, 'keys'))).toEqual(['ci.pub']);
    expect(JSON.parse(readFileSync(join(out, 'trusted_root.json'), 'utf8'))).toHaveProperty('tlogs');
  });

  it('names what a list of changes has and the records have not, and the other way round', async () => {
    const list = join(folders.make(), 'changes.csv');
    const all = Array.from({ length: COUNT }, (_, index) => index)
      .filter((index) => index % 4 !== 0 && index % 10 !== 9)
      .map(idOf);
    const [first = '', ...rest] = all;
    writeFileSync(list, `when,record\n${rest.map((id) => `"a, b",${id}\n`).join('')}x,${idOf(7777)}\nx,\n`);
    const out = folders.make();
    const { exit, err } = await sample(out, '-n', '2', '--seed', 's', '--changes', list);
    expect({ exit, err }).toEqual({
      exit: 1,
      err: 'no  the population and the list differ 3 times: see the index\n',
    });
    const index = readFileSync(join(out, 'index.md'), 'utf8');
    expect(index).toContain(`- no record: \`line ${all.length + 1}: ${idOf(7777)}\``);
    expect(index).toContain(`- cannot be compared: \`line ${all.length + 2}\``);
    expect(index).toContain(`- not listed: ${first}`);
    writeFileSync(list, `record\n${all.join('\n')}\n`);
    expect(await sample(folders.make(), '--seed', 's', '--changes', list)).toMatchObject({
      exit: 0,
      err: '',
    });
  });

  it('reads a Kubernetes audit log by the annotation of the webhook, and set digests', async () => {
    const list = join(folders.make(), 'audit.jsonl');
    const events = [
      { kind: 'Event', annotations: { 'countersign.countersign.dev/record': '0' } },
      { setDigest: `sha256:${setDigest}` },
      { kind: 'Event', annotations: {} },
    ];
    writeFileSync(list, `${events.map((event) => JSON.stringify(event)).join('\n')}\n`);
    const out = folders.make();
    expect(await sample(out, '--seed', 's', '--changes', list)).toMatchObject({ exit: 1 });
    expect(readFileSync(join(out, 'index.md'), 'utf8')).toContain('1 that cannot be compared');
  });

  it('says of a record whose key is not trusted that it does not hold', async () => {
    const trust = join(folders.make(), 'trust.json');
    writeFileSync(trust, readFileSync(join(state, 'trust.json'), 'utf8').replace('"*"', '"staging"'));
    const out = folders.make();
    const { exit, err } = await sample(out, '-n', '1', '--seed', 's', '--trust', trust);
    expect({ exit, isTold: err.includes('does not hold: see its page') }).toEqual({ exit: 1, isTold: true });
    expect(readFileSync(join(out, 'index.md'), 'utf8')).toContain('**does not hold**');
  });

  it('of nothing, or over something, is refused', async () => {
    const nothing = ['--env', 'nowhere', '--from', '2026-11-01', '--seed', 's', '--state', state];
    expect(await countersign(['report', 'sample', ...nothing, '--out', folders.make()])).toMatchObject({
      exit: 3,
      err: expect.stringContaining('[INPUT_EMPTY]'),
    });
    expect(await sample(state, '--seed', 's')).toMatchObject({ exit: 2 });
    expect(await sample(folders.make(), '--seed', 's', '-n', '0')).toMatchObject({ exit: 2 });
    expect(await countersign(['report', 'sample'])).toMatchObject({ exit: 2 });
    const backwards = [...SPAN.slice(0, 2), '--from', '2026-11-22', '--to', '2026-11-01'];
    const more = ['--seed', 's', '--out', folders.make(), '--state', state];
    expect(await countersign(['report', 'sample', ...backwards, ...more])).toMatchObject({ exit: 2 });
  });
});
