// SPDX-License-Identifier: Apache-2.0
// What proves a ledger from the command line: checkpoints that were kept, bundles over the newest one, and an edited database.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair, readSigner, signStatement } from '../../attest/index.ts';
import { publishingOf, startPublishing } from '../../cli/commands/checkpoints/publishing.ts';
import { openState } from '../../cli/seal.ts';
import { countersign, type Outcome, worldOf } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-proof-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const state = join(folder, 'state');
const signer = readSigner(generateKeyPair().privateKeyPem);
const records = (...argv: string[]): Promise<Outcome> => countersign(['records', ...argv, '--state', state]);

const statement = (number: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'set.txt', digest: { sha256: 'a'.repeat(64) } }],
      predicateType: 'https://countersign.dev/attestation/deployment-decision/v1',
      predicate: { id: `id-${number}`, verdict: 'allow', time: '2026-11-24T12:00:00.000Z', scope: {} },
    }),
  );

async function append(...numbers: number[]): Promise<void> {
  const ledger = openState(state, signer, worldOf());
  for (const number of numbers) await ledger.append(await signStatement(statement(number), signer), signer);
  await ledger.close();
}

const keep = async (name: string): Promise<string> => {
  const file = join(folder, name);
  writeFileSync(file, (await records('checkpoint')).out);
  return file;
};
let early = '';

beforeAll(async () => {
  await append(0, 1, 2);
  early = await keep('early.txt');
  await append(3, 4);
});

/** A copy of the ledger, edited by hand. */
function edited(sql: string): string {
  const directory = mkdtempSync(join(folder, 'edited-'));
  for (const name of ['ledger.sqlite3', 'ledger.key']) copyFileSync(join(state, name), join(directory, name));
  const database = new DatabaseSync(join(directory, 'ledger.sqlite3'));
  for (const table of ['identity', 'entry', 'node', 'checkpoint'])
    database.exec(`DROP TRIGGER ${table}_no_UPDATE; DROP TRIGGER ${table}_no_DELETE`);
  database.exec(sql);
  database.close();
  return directory;
}

describe('records prove', () => {
  it('gives a bundle over the newest checkpoint that verify record accepts', async () => {
    const file = join(folder, 'proved.json');
    expect(await records('prove', 'id-1', '--output', file)).toEqual({ exit: 0, out: '', err: '' });
    const entry = JSON.parse(readFileSync(file, 'utf8')).verificationMaterial.tlogEntries[0];
    expect(entry.logIndex).toBe('1');
    expect(entry.inclusionProof.treeSize).toBe('5');
    expect(entry.inclusionProof.checkpoint.envelope).toBe((await records('checkpoint')).out);
    const verified = await countersign(['verify', 'record', file, '--trust', join(state, 'trust.json')]);
    expect(verified.out).toContain('ok  ledger: entry 1 of a trusted log\n');
    const given = JSON.parse((await records('show', '1', '--format', 'json')).out);
    expect(given.verificationMaterial.tlogEntries[0].inclusionProof.treeSize).toBe('2');
    expect((await records('prove', '1')).out).toBe(readFileSync(file, 'utf8'));
  });

  it('gives one over a checkpoint that was kept, which a key that came to its end holds for', async () => {
    const { out, exit } = await records('prove', '0', '--checkpoint', early);
    expect(exit).toBe(0);
    const { checkpoint, treeSize } = JSON.parse(out).verificationMaterial.tlogEntries[0].inclusionProof;
    const note = readFileSync(early, 'utf8');
    expect([checkpoint.envelope, treeSize]).toEqual([note, '3']);
    const trust = JSON.parse(readFileSync(join(state, 'trust.json'), 'utf8'));
    Object.assign(trust.keys[0], { revokedAt: '2026-11-24T12:00:00Z', until: note });
    const [file, by] = [join(folder, 'kept.json'), join(folder, 'revoked.json')];
    writeFileSync(file, out);
    writeFileSync(by, JSON.stringify(trust));
    const verified = await countersign([
      'verify',
      'record',
      file,
      '--trust',
      by,
      '--at',
      '2027-01-01T00:00:00Z',
    ]);
    expect(verified.out).toContain('ok  ledger: entry 0 of a trusted log\n');
    writeFileSync(file, (await records('prove', '0')).out);
    const newest = await countersign([
      'verify',
      'record',
      file,
      '--trust',
      by,
      '--at',
      '2027-01-01T00:00:00Z',
    ]);
    expect([newest.exit, newest.out]).toEqual([
      1,
      expect.stringContaining('but for what the checkpoint that was kept proves'),
    ]);
  });

  it.each([
    ['4', () => early, 'entry 4 is not among the 3 that FILE covers'],
    ['0', () => join(state, 'trust.json'), 'FILE is no checkpoint of this ledger'],
  ])('refuses for entry %s what does not cover it', async (index, file, message) => {
    const { exit, err } = await records('prove', index, '--checkpoint', file());
    expect([exit, err.split('\n')[0]]).toEqual([
      2,
      `countersign: ${message.replace('FILE', JSON.stringify(file()))}`,
    ]);
  });
});

describe('records verify', () => {
  it('accepts the ledger, since a checkpoint of earlier and by a trust file', async () => {
    const { exit, out, err } = await records(
      'verify',
      '--since',
      early,
      '--trust',
      join(state, 'trust.json'),
    );
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toMatch(
      /^ok {2}nothing before entry 3 was changed since that checkpoint\nledger-[0-9a-f]{16}\.countersign\.local: 5 entries under 5 checkpoints, all as they were signed\n$/,
    );
  });

  it.each([
    ['DELETE FROM entry WHERE number = 2', 'no  entry 2 was deleted'],
    [
      "UPDATE entry SET payload = x'7b7d' WHERE number = 1",
      'no  entry 1 was changed\nno  entry 1 is not signed by the key that it names',
    ],
    ['DELETE FROM checkpoint WHERE size = 5', 'no  row 4 was inserted: the log never added it'],
    [
      'UPDATE node SET hash = zeroblob(32) WHERE position = 1',
      'no  node 1/0 of the stored tree was changed or deleted',
    ],
  ])('says what was done: %s', async (sql, message) => {
    const { exit, out } = await countersign(['records', 'verify', '--state', edited(sql)]);
    expect(exit).toBe(1);
    expect(out.split('\n').slice(0, -2).join('\n')).toBe(message);
    expect(out).toMatch(/, not as they were signed\n$/);
  });

  it('finds an end that was cut off by the checkpoint that was kept', async () => {
    const newest = await keep('newest.txt');
    const cut = edited(
      'DELETE FROM entry WHERE number > 2; DELETE FROM checkpoint WHERE size > 3; DELETE FROM node WHERE position > 4',
    );
    expect((await countersign(['records', 'verify', '--state', cut])).exit).toBe(0);
    const { exit, out } = await countersign(['records', 'verify', '--state', cut, '--since', newest]);
    expect(exit).toBe(1);
    expect(out.split('\n')[0]).toBe('no  the ledger has 3 entries and had 5: its end was cut off');
  });

  it('accepts neither the checkpoint of another log nor another log', async () => {
    const other = join(folder, 'other');
    await openState(other, signer, worldOf()).close();
    const ledger = openState(other, signer, worldOf());
    await ledger.append(await signStatement(statement(9), signer), signer);
    await ledger.close();
    const { exit, out } = await countersign([
      ...['records', 'verify', '--state', other, '--since', early],
      ...['--trust', join(state, 'trust.json'), '--format', 'json'],
    ]);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ verified: false, entries: 1, faults: [] });
    expect(JSON.parse(out).refusals).toEqual([
      expect.stringMatching(/with a key that is not trusted$/),
      expect.stringMatching(/is not of this log: another name, or another key$/),
    ]);
  });

  it('wants a checkpoint where it is given one', async () => {
    const file = join(folder, 'none.txt');
    writeFileSync(file, 'no checkpoint\n');
    expect(await records('verify', '--since', file)).toEqual({
      exit: 3,
      out: '',
      err: `countersign: ${JSON.stringify(file)} holds no checkpoint [CHECKPOINT_SHAPE]\nhint: give what records checkpoint printed, or what was published\n`,
    });
  });
});

describe('records trusted-root, tiles and publish', () => {
  it('print and write what others need', async () => {
    expect((await records('trusted-root')).out).toBe(readFileSync(join(state, 'trusted_root.json'), 'utf8'));
    const tiles = join(folder, 'tiles');
    expect(await records('tiles', tiles)).toEqual({
      exit: 0,
      out: '',
      err: `note: 5 entries in ${JSON.stringify(tiles)}, 2 files are new\n`,
    });
    expect((await records('tiles', tiles)).err).toContain('0 files are new');
    expect(existsSync(join(tiles, 'tile', '0', '000.p', '5'))).toBe(true);
  });

  it('publish to each place, and say which has it', async () => {
    const file = join(folder, 'published');
    const { exit, out } = await records(
      'publish',
      '--to',
      `file=${file}`,
      '--to',
      'http=http://127.0.0.1:1/',
    );
    expect(exit).toBe(5);
    expect(out).toBe(
      `ok  file ${file}\nno  http http://127.0.0.1:1/: http://127.0.0.1:1 has not taken the checkpoint: it does not answer [CHECKPOINT_UNPUBLISHED]\n`,
    );
    expect(readFileSync(file, 'utf8')).toBe((await records('checkpoint')).out);
  });

  it('publish to what the Project says, relative to its folder', async () => {
    mkdirSync(join(folder, 'project'));
    const project = join(folder, 'project', 'countersign.yaml');
    writeFileSync(
      project,
      'apiVersion: countersign.dev/v1alpha1\nkind: Project\nledger:\n  directory: ../state\n  publish:\n    - file: kept.txt\n    - tiles: tiles\n',
    );
    const { exit } = await countersign(['records', 'publish', '--project', project]);
    expect(exit).toBe(0);
    expect(readFileSync(join(folder, 'project', 'kept.txt'), 'utf8')).toBe((await records('checkpoint')).out);
    expect(existsSync(join(folder, 'project', 'tiles', 'checkpoint'))).toBe(true);
  });

  it.each([
    [['publish'], 'there is nowhere to publish to'],
    [['publish', '--to', 'fax=1'], '"fax=1" is no place for checkpoints'],
    [
      ['publish', '--to', 'http=http://elsewhere.example/'],
      '"http://elsewhere.example/" is no address to publish to',
    ],
    [['publish', '--to', 'witness=https://w.example,key'], '"key" is no key of a witness'],
    [['tiles'], 'one folder is wanted'],
    [['prove'], 'one record is wanted'],
  ])('refuse %j', async (argv, message) => {
    const { exit, err } = await records(...argv);
    expect({ exit, first: err.split('\n')[0] }).toEqual({ exit: 2, first: `countersign: ${message}` });
  });

  it('say where there is no record yet', async () => {
    const empty = join(folder, 'empty');
    await openState(empty, signer, worldOf()).close();
    for (const verb of [['checkpoint'], ['tiles', join(folder, 'x')], ['publish', '--to', 'file=x']])
      expect((await countersign(['records', ...verb, '--state', empty])).exit).toBe(3);
    expect((await countersign(['records', 'verify', '--state', empty])).exit).toBe(0);
  });
});

describe('a server that publishes', () => {
  it('publishes what is new, tells what failed, and publishes at its end', async () => {
    const file = join(folder, 'served');
    let err = '';
    const io = {
      err: (text: string) => {
        err += text;
      },
    };
    const destinations = [
      { kind: 'file', file },
      { kind: 'file', file: '/dev/null/x' },
    ] as const;
    const publishing = startPublishing({ state }, { destinations, everyMs: 20 }, io);
    while (!existsSync(file)) await new Promise((wake) => setTimeout(wake, 5));
    await append(5);
    await publishing.stop();
    expect(readFileSync(file, 'utf8')).toBe((await records('checkpoint')).out);
    expect(JSON.parse(err.split('\n')[0] ?? '')).toEqual({
      level: 'warn',
      event: 'checkpoint',
      message: 'file /dev/null/x: cannot write "/dev/null/x": ENOTDIR [CHECKPOINT_UNPUBLISHED]',
    });
  });

  it('publishes nothing where nothing is asked for', () => {
    const args = { positionals: [], text: () => undefined, list: () => [], has: () => false };
    expect(publishingOf(args, undefined)).toBeUndefined();
  });
});
